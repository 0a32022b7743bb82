"""Unit tests that the default model writes for HumanEval's functions: how many hold, what they notice.

A part of `make bench-actions`. All but the editor: the same `write_tests`, prompts and sandbox. A function
counts where a test is offered that passed, compares a call with a literal and fails on at least one of five
mutants (issue 5).
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.alone import load_alone
from benchmarks.measure.kept import Kept
from benchmarks.report import Row
from midfill.model import ChatRequest, Chunk
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.actions.unit_tests import NoTests, Place, Running, TestOffer, applied, write_tests
from midfill.server.actions.unit_tests.case import Verdict
from midfill.server.actions.unit_tests.evaluate import Subject, evaluate, run_whole
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import Module
from midfill.server.actions.unit_tests.mutants import mutants_of
from midfill.server.sandbox import Job, Sandbox, SandboxRefused, open_sandbox

CANDIDATES = (1, 3, 5)
PRIMARY = 3
BUGS = 20
Problem = dict[str, str]
Answer = Callable[[ChatRequest], str]


def measure(
    problems: Sequence[Problem], kept: Kept, model: str = DEFAULT_MODEL, *, every_count: bool = False
) -> tuple[list[Row], dict[str, Any]]:
    """The table's rows, and the summary's keys; `every_count`: for each of CANDIDATES. What cannot be
    measured here is None, with its reason."""
    try:
        sandbox = open_sandbox()
    except SandboxRefused as refused:
        return [{"functions": 0}], {"tests_mutation": None, "tests_mutation_reason": str(refused)}
    answer = remembered(Model(model))

    def written(candidates: int, examples: bool) -> list[Row]:
        return [outcome(p, answer, sandbox, kept, candidates, examples) for p in problems]

    primary = row(f"{PRIMARY} candidates", written(PRIMARY, True))
    alone = row(f"{PRIMARY} candidates, docstring's examples not used", written(PRIMARY, False))
    others = [n for n in CANDIDATES if n != PRIMARY] if every_count else []
    rows = [primary, *(row(f"{n} candidates", written(n, True)) for n in others), alone]
    rows.append(row("docstring's examples alone, no model", written(0, True)))
    with_bug = problems[:: max(1, len(problems) // BUGS)][:BUGS]
    bugs = [found for p in with_bug if "test" in p and (found := bug(p, answer, sandbox, kept))]
    exposed = {"tests": "planted bugs exposed", "functions": len(bugs), "share": mean(bugs, "exposed")}
    rows.append(exposed | dict.fromkeys(list(primary)[len(exposed) :]))
    return rows, {
        "tests_offered": primary["share"],
        "tests_coverage": primary["lines"],
        "tests_branch_coverage": primary["branches"],
        "tests_rerun_failures": primary["failed again"],
        "tests_mutation": primary["mutants killed"],
        "tests_offered_without_examples": alone["share"],
        "tests_mutation_without_examples": alone["mutants killed"],
        "tests_bugs_exposed": exposed["share"],
        "tests_seconds": primary["seconds"],
    }


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


def remembered(model: "Model") -> Answer:
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
