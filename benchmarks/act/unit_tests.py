"""Unit tests that the default model writes for HumanEval's functions: how many hold, what they notice.

A part of `make bench-actions`. The action is chosen in the real server; what it wrote is judged by its text
(`judge`). With another number of candidates, which nothing sets, it runs in this process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.act.here import Answer, Model, Write, here, remembered
from benchmarks.act.judge import failing_in, holding, judged
from benchmarks.act.problems import FILE, Problem, program, subject_of, without_examples
from benchmarks.act.served import Served
from benchmarks.measure.kept import Kept
from benchmarks.report import Row
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.actions.unit_tests.mutants import mutants_of
from midfill.server.sandbox import Job, Sandbox, SandboxRefused, open_sandbox

CANDIDATES = (1, 3, 5)
PRIMARY = 3
"""As the action asks for."""
BUGS = 20


def measure(
    problems: Sequence[Problem],
    kept: Kept,
    served: Served,
    model: str = DEFAULT_MODEL,
    *,
    counted: Sequence[Problem] = (),
) -> tuple[list[Row], dict[str, Any]]:
    """The table's rows, and the summary's keys; of `counted` also by CANDIDATES. What cannot be measured
    here is None, with its reason."""
    try:
        sandbox = open_sandbox()
    except SandboxRefused as refused:
        return [{"functions": 0}], {"tests_mutation": None, "tests_mutation_reason": str(refused)}

    def by_server(problem: Problem, text: str) -> tuple[str, float]:
        chosen = served.choose("unitTests", FILE, text, text.index(f"def {problem['entry_point']}("))
        return next(iter(chosen.files.values()), ""), chosen.seconds

    outcomes = Outcomes(sandbox, kept)
    answer = remembered(Model(model))
    primary = row(f"{PRIMARY} candidates, over LSP", outcomes.of("served", by_server, problems))
    by_count = by_candidates(counted, answer, outcomes) if counted else []
    by_examples = outcomes.of("0 examples", here(answer, sandbox, 0), counted or problems)
    template = row("docstring's examples, no model", by_examples)
    with_bug = problems[:: max(1, len(problems) // BUGS)][:BUGS]
    exposed = bugs_exposed(with_bug, by_server, sandbox, kept)
    return [primary, *by_count, template, dict.fromkeys(primary) | exposed], {
        "tests_offered": primary["share"],
        "tests_coverage": primary["lines"],
        "tests_branch_coverage": primary["branches"],
        "tests_rerun_failures": primary["failed again"],
        "tests_mutation": primary["mutants killed"],
        "tests_template_offered": template["share"],
        "tests_template_mutation": template["mutants killed"],
        "tests_bugs_exposed": exposed["share"],
        "tests_median_s": primary["median s"],
    }


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of each function, judged in `sandbox`, and kept."""

    sandbox: Sandbox
    kept: Kept

    def of(self, key: str, write: Write, problems: Sequence[Problem]) -> list[Row]:
        return [self._one(problem, f"{problem['task_id']} {key}", write) for problem in problems]

    def _one(self, problem: Problem, key: str, write: Write) -> Row:
        found = self.kept.get(key)
        if found is None:
            text, seconds = write(problem, program(problem))
            found = {"task_id": key, **judged(text, subject_of(problem), self.sandbox), "seconds": seconds}
            self.kept.add(found)
        return found


def by_candidates(problems: Sequence[Problem], answer: Answer, outcomes: Outcomes) -> list[Row]:
    """The table's rows by CANDIDATES, and one of what the model does with no examples to copy."""

    def of(count: int, key: str, title: str, problems: Sequence[Problem]) -> Row:
        found = outcomes.of(f"{count} {key}", here(answer, outcomes.sandbox, count), problems)
        return row(f"{count} candidates{title}", found)

    unshown = [without_examples(problem) for problem in problems]
    return [
        *(of(count, "examples", "", problems) for count in CANDIDATES),
        of(PRIMARY, "unshown", ", no examples in the docstring", unshown),
    ]


def row(title: str, outcomes: Sequence[Row]) -> Row:
    offered = [found for found in outcomes if found["offered"]]
    written = sum(found["written"] for found in outcomes)
    failed = sum(found["failed_again"] for found in outcomes)
    seconds = sorted(found["seconds"] for found in outcomes)
    return {
        "tests": title,
        "functions": len(outcomes),
        "share": mean(outcomes, "offered"),
        "tests each": mean(offered, "tests"),
        "failing": mean(outcomes, "failing"),
        "lines": mean(offered, "lines"),
        "branches": mean(offered, "branches"),
        "failed again": failed / written if written else None,
        "mutants killed": mean(offered, "killed"),
        "median s": seconds[len(seconds) // 2] or None,
    }


def mean(rows: Sequence[Row], key: str) -> float | None:
    values = [float(found[key]) for found in rows if found.get(key) is not None]
    return sum(values) / len(values) if values else None


def bugs_exposed(problems: Sequence[Problem], write: Write, sandbox: Sandbox, kept: Kept) -> Row:
    """The table's row of functions with a fault in them."""
    bugs = [found for p in problems if "test" in p and (found := bug(p, write, sandbox, kept))]
    title = "planted bugs exposed, over LSP"
    return {"tests": title, "functions": len(bugs), "share": mean(bugs, "exposed")}


def bug(problem: Problem, write: Write, sandbox: Sandbox, kept: Kept) -> Row | None:
    """Whether tests written for the function with a fault in it show the fault: one is listed as failing
    that holds for the right function. None: no mutant fails HumanEval's own tests."""
    key = f"{problem['task_id']} bug"
    found = kept.get(key)
    if found is None:
        subject = subject_of(problem)
        check = f"\n{problem['test']}\ncheck({problem['entry_point']})\n"
        mutants = mutants_of(subject.text, subject.function.first_line)
        faulty = next((m for m in mutants if not sandbox.run(Job.of_code(m + check)).passed), None)
        found = {"task_id": key, "exposed": None}
        if faulty is not None:
            failing = failing_in(write(problem, faulty)[0], subject.module.name)
            found["exposed"] = holding(failing, subject, sandbox) > 0
        kept.add(found)
    return found if found["exposed"] is not None else None
