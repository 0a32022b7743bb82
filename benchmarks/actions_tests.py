"""Unit tests that the default model writes for HumanEval's functions: how many hold, what they notice.

A part of `make bench-actions`; alone: `python -m benchmarks.actions_tests --rows 8`. All but the
editor: the same `write_tests`, prompts and sandbox. A function counts where a test is offered that passed,
compares a call with a literal and fails on at least one of five mutants (issue 5).
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.alone import load_alone
from benchmarks.evaluation_data import PROBLEMS, read_rows
from benchmarks.measure.kept import Kept
from benchmarks.report import Row, report
from midfill.model import ChatRequest, Chunk
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.actions.unit_tests import NoTests, Place, Running, TestOffer, applied, write_tests
from midfill.server.actions.unit_tests.case import Verdict
from midfill.server.actions.unit_tests.evaluate import Subject, evaluate, run_whole
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import Module
from midfill.server.actions.unit_tests.mutants import mutants_of
from midfill.server.sandbox import Job, Sandbox, SandboxRefused, open_sandbox

EVERY = 4
CANDIDATES = (1, 3, 5)
PRIMARY = 3
BUGS = 20
Problem = dict[str, str]
Answer = Callable[[ChatRequest], str]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=0, help="so many of them, evenly spread (0: all)")
    parser.add_argument("--all", action="store_true", help="all 164, not every 4th")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--resume", type=Path, default=Path(os.devnull))
    asked = parser.parse_args()
    rows, summary = measure(asked.model, 1 if asked.all else EVERY, asked.rows, Kept(asked.resume))
    report("actions_tests", rows, summary, write=not asked.rows)


def measure(
    model: str = DEFAULT_MODEL, every: int = EVERY, most: int = 0, kept: Kept | None = None
) -> tuple[list[Row], dict[str, Any]]:
    """The table's rows, and the summary's keys. What cannot be measured here is None, with its reason."""
    kept = kept or Kept(Path(os.devnull))
    try:
        sandbox = open_sandbox()
        reason = "" if PROBLEMS.is_file() else "no evaluation data here"
    except SandboxRefused as refused:
        reason = str(refused)
    if reason:
        return [{"functions": 0}], {"tests_mutation": None, "tests_mutation_reason": reason}
    problems: list[Problem] = list(read_rows(PROBLEMS))[::every]
    if most:
        problems = [problems[at * len(problems) // most] for at in range(min(most, len(problems)))]
    answer = remembered(Model(model), kept)
    rows = []
    for candidates in CANDIDATES:
        written = [outcome(p, answer, sandbox, kept, candidates, True) for p in problems]
        rows.append(row(f"{candidates} candidates", written))
    alone = [outcome(p, answer, sandbox, kept, PRIMARY, False) for p in problems]
    rows.append(row(f"{PRIMARY} candidates, docstring's examples not used", alone))
    stated = [outcome(p, answer, sandbox, kept, 0, True) for p in problems]
    rows.append(row("docstring's examples alone, no model", stated))
    bugs = [
        found
        for p in problems[:: max(1, len(problems) // BUGS)]
        if (found := bug(p, answer, sandbox, kept))
    ]
    rows.append(
        {"tests": "planted bugs exposed"} | {"functions": len(bugs), "share": mean(bugs, "exposed")}
    )
    primary = rows[CANDIDATES.index(PRIMARY)]
    summary = {
        "tests_offered": primary["share"],
        "tests_coverage": primary["lines"],
        "tests_branch_coverage": primary["branches"],
        "tests_rerun_failures": primary["failed again"],
        "tests_mutation": primary["mutants killed"],
        "tests_offered_without_examples": rows[3]["share"],
        "tests_mutation_without_examples": rows[3]["mutants killed"],
        "tests_bugs_exposed": mean(bugs, "exposed"),
        "tests_seconds": primary["seconds"],
    }
    return rows, summary


def outcome(
    problem: Problem, answer: Answer, sandbox: Sandbox, kept: Kept, candidates: int, examples: bool
) -> Row:
    key = f"{problem['task_id']} {candidates} {'examples' if examples else 'alone'}"
    found = kept.get(key)
    if found is None:
        offer = offer_for(program(problem), problem, answer, sandbox, candidates, examples)
        found = {"task_id": key, **as_row(offer), "failed_again": None}
        if offer and found["offered"] and candidates == PRIMARY and examples:
            text = applied("", offer.insertions)
            found["failed_again"] = run_whole(subject_of(problem), text, sandbox) is not Verdict.PASS
        kept.add(found)
    return found


def offer_for(
    text: str, problem: Problem, answer: Answer, sandbox: Sandbox, candidates: int, examples: bool
) -> TestOffer | None:
    async def ask(request: ChatRequest) -> str:
        return await asyncio.to_thread(answer, request)

    place = Place(text, Path("/nowhere/solution.py"))
    line = line_of(text, problem)
    writing = write_tests(place, line, ask, Running(sandbox), candidates=candidates, use_examples=examples)
    try:
        return asyncio.run(writing)
    except NoTests:
        return None


def as_row(offer: TestOffer | None) -> Row:
    good = [result for result in offer.passing if result.can_fail] if offer else []
    written = len(offer.passing) + len(offer.failing) if offer else 0
    return {
        "offered": bool(good),
        "tests": len(good),
        "failing": len(offer.failing) if offer else 0,
        "flaky": sum(result.verdict is Verdict.FLAKY for result in offer.failing) if offer else 0,
        "written": written,
        "lines": offer.coverage.lines if offer and good else None,
        "branches": offer.coverage.branches if offer and good else None,
        "killed": offer.mutants_killed / offer.mutants if offer and good and offer.mutants else None,
        "seconds": offer.seconds if offer else 0.0,
        "sentence": offer.sentence if offer else "",
    }


def row(title: str, outcomes: Sequence[Row]) -> Row:
    offered = [found for found in outcomes if found["offered"]]
    return {
        "tests": title,
        "functions": len(outcomes),
        "share": mean(outcomes, "offered"),
        "offered": mean(offered, "tests"),
        "failing": mean(outcomes, "failing"),
        "lines": mean(offered, "lines"),
        "branches": mean(offered, "branches"),
        "failed again": mean(offered, "failed_again"),
        "mutants killed": mean(offered, "killed"),
        "seconds": mean(outcomes, "seconds"),
    }


def mean(rows: Sequence[Row], key: str) -> float | None:
    values = [float(found[key]) for found in rows if found.get(key) is not None]
    return sum(values) / len(values) if values else None


def bug(problem: Problem, answer: Answer, sandbox: Sandbox, kept: Kept) -> Row | None:
    """Whether tests written for the function with a fault in it show the fault: one is listed as failing
    that holds for the right function. None: no mutant fails HumanEval's own tests."""
    key = f"{problem['task_id']} bug"
    found = kept.get(key)
    if found is not None:
        return found if found["exposed"] is not None else None
    text, function = program(problem), subject_of(problem).function
    check = f"\n{problem['test']}\ncheck({problem['entry_point']})\n"
    faulty = next(
        (
            m
            for m in mutants_of(text, function.first_line)
            if not sandbox.run(Job.of_code(m + check)).passed
        ),
        None,
    )
    found = {"task_id": key, "exposed": None}
    if faulty is not None:
        offer = offer_for(faulty, problem, answer, sandbox, PRIMARY, True)
        cases = [result.case for result in offer.failing] if offer else []
        results = evaluate(subject_of(problem), cases, sandbox).results if cases else ()
        found["exposed"] = any(result.verdict is Verdict.PASS for result in results)
    kept.add(found)
    return found if found["exposed"] is not None else None


def subject_of(problem: Problem) -> Subject:
    text = program(problem)
    function = function_at(text, line_of(text, problem))
    assert function is not None, "every problem has its function"
    return Subject(text, function, Module("solution", "."), None, "solution.py")


def program(problem: Problem) -> str:
    return problem["prompt"] + problem["canonical_solution"]


def line_of(text: str, problem: Problem) -> int:
    return text[: text.index(f"def {problem['entry_point']}(")].count("\n") + 1


def remembered(model: "Model", kept: Kept) -> Answer:
    """One question is asked once, whatever table it is for."""
    answers: dict[ChatRequest, str] = {}

    def answer(request: ChatRequest) -> str:
        if request not in answers:
            answers[request] = model.answer(request)
        return answers[request]

    return answer


class Model:
    """Loaded at the first question: rows that were kept need none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._backend: Any = None

    def answer(self, request: ChatRequest) -> str:
        self._backend = self._backend or load_alone(self._name).backend
        return "".join(event.text for event in self._backend.stream(request) if isinstance(event, Chunk))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
