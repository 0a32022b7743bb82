"""Runs cases in the sandbox: each by itself, the passing ones again and against mutants. Blocks.

Two starts of the sandbox for all cases together. The second has another hash seed, runs the passing ones in
one process and backwards: a test that depends on the order of a set, or on what another one left, shows it.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.server.actions.unit_tests.case import Case, Coverage, Result, Verdict
from midfill.server.actions.unit_tests.environment import TOOLS, tool_folders
from midfill.server.actions.unit_tests.function import Function
from midfill.server.actions.unit_tests.importing import Module
from midfill.server.actions.unit_tests.mutants import mutants_of
from midfill.server.actions.unit_tests.plan import Plan, Run, Told, not_told, read
from midfill.server.actions.unit_tests.rendering import one_file
from midfill.server.sandbox import CODE, Job, Limits, Outcome, Sandbox

INSIDE = Path(__file__).with_name("inside.py")
WORKSPACE = "/workspace"
"""The folder that the module is imported from, as it is seen inside."""
WALL_S = 90.0
"""Of one start. Twenty tests take 2 s; this is for those that hang."""
LEAST_S = FILE_S = 10.0
"""Also of a test file that is there: it is run for what it covers alone, and somebody waits."""
ENDED = "the test ended the program that runs it"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested: the text of the buffer, not of the disk."""

    text: str
    function: Function
    module: Module
    folder: Path | None
    """The folder that it is imported from, for the modules beside it; None: the text stands alone."""
    file: str
    """The name of its file."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    results: tuple[Result, ...] = ()
    lines: frozenset[int] = frozenset()
    """All lines of the function's body that can be run, 1-based."""
    branches: frozenset[tuple[int, int]] = frozenset()
    faulty: tuple[str, ...] = ()
    """The mutants that its passing tests were run against."""
    seconds: float = 0.0
    existing: Result | None = None
    """What the project's own tests of the module reach of the function; None: it is not known."""

    @property
    def mutants(self) -> int:
        return len(self.faulty)

    def covered_by(self, results: Sequence[Result]) -> Coverage:
        """What `results` cover together of the function's body."""
        hit_lines = self.lines & set[int]().union(*(result.lines for result in results))
        hit = self.branches & set[tuple[int, int]]().union(*(result.branches for result in results))
        return Coverage(
            len(hit_lines) / len(self.lines) if self.lines else None,
            len(hit) / len(self.branches) if self.branches else None,
        )

    def killed_by(self, results: Sequence[Result]) -> int:
        """How many mutants at least one of `results` fails on."""
        return len(set[int]().union(*(result.mutants_failed or () for result in results)))


def evaluate(
    subject: Subject,
    cases: Sequence[Case],
    sandbox: Sandbox,
    stop: Callable[[], bool] = lambda: False,
    faulty: tuple[str, ...] = (),
) -> Evaluation:
    """Run `cases`, in order. `stop` is asked between two starts of the sandbox, and between two mutants;
    `faulty` are those of an earlier evaluation of `subject`, which need not be made again.

    Raises SandboxRefused, or LookupError where pytest or coverage is not installed.
    """
    tests = tuple(one_file(case, subject.function, subject.module.name) for case in cases)
    runner = _Runner(subject, sandbox, tests, stop)
    alone = [Run((test,), coverage=True) for test in range(len(cases))]
    first = runner.run(alone, (subject.text,))
    results = [_result(case, first.get((n, n)), subject.function) for n, case in enumerate(cases)]
    passing = tuple(n for n, result in enumerate(results) if result.verdict is Verdict.PASS)
    lines, branches = _all_of(first, subject.function)
    if not passing:
        return Evaluation(tuple(results), lines, branches, (), runner.seconds)
    mutants = faulty or mutants_of(subject.text, subject.function.first_line, stop=stop)
    again = [Run(passing[::-1])]
    against = [Run(passing, variant) for variant in range(1, len(mutants) + 1)]
    second = runner.run([*again, *against], (subject.text, *mutants))
    for test in passing:
        told = second.get((0, test))
        if told is None or told.verdict is not Verdict.PASS:
            failure = told.failure if told else ""
            results[test] = replace(results[test], verdict=Verdict.FLAKY, failure=failure)
            continue
        failed = {
            mutant
            for mutant in range(len(mutants))
            if (found := second.get((1 + mutant, test))) and found.verdict is not Verdict.PASS
        }
        results[test] = replace(results[test], mutants_failed=frozenset(failed))
    return Evaluation(tuple(results), lines, branches, mutants, runner.seconds)


def run_file(subject: Subject, text: str, sandbox: Sandbox) -> Result:
    """What comes of the whole test file `text`, run as the user's pytest would, but without conftest.py:
    PASS if all of it does, within FILE_S. Raises as `evaluate`."""
    runner = _Runner(subject, sandbox, (text,), lambda: False, FILE_S)
    told = runner.run([Run((0,), coverage=True)], (subject.text,)).get((0, 0))
    return _result(Case("", text), told, subject.function)


class _Runner:
    """Starts the sandbox as often as it takes: a test that ends the program inside costs one start more."""

    def __init__(
        self,
        subject: Subject,
        sandbox: Sandbox,
        tests: tuple[str, ...],
        stop: Callable[[], bool],
        wall_s: float = WALL_S,
    ) -> None:
        self._subject, self._sandbox, self._tests, self._stop = subject, sandbox, tests, stop
        self._wall_s = wall_s
        folder = subject.folder
        self._folders = tool_folders() + (((str(folder), WORKSPACE),) if folder else ())
        self.seconds = 0.0

    def run(self, runs: Sequence[Run], variants: tuple[str, ...]) -> dict[tuple[int, int], Told]:
        told: dict[tuple[int, int], Told] = {}
        while (missing := not_told(runs, told)) and self.seconds < self._wall_s and not self._stop():
            numbers = list(dict.fromkeys(n for n, _ in missing))
            rest = [replace(runs[n], tests=tuple(test for at, test in missing if at == n)) for n in numbers]
            plan = self._plan(rest, variants)
            outcome = self._start(plan)
            for (n, test), found in read(outcome.stdout, plan.word).items():
                told[numbers[n], test] = found
            left = not_told(runs, told)
            if left and left[0] in missing and not outcome.timed_out:
                told[left[0]] = Told(Verdict.ERROR, _last_words(outcome))
        return told

    def _plan(self, runs: Sequence[Run], variants: tuple[str, ...]) -> Plan:
        module = self._subject.module
        package = f"{WORKSPACE}/{module.name.replace('.', '/')}" if module.is_package else None
        return Plan(
            module=module.name,
            file=self._subject.file,
            package=package if self._subject.folder else None,
            path=(WORKSPACE,) if self._subject.folder else (),
            tests=self._tests,
            variants=variants,
            runs=tuple(runs),
            tools=TOOLS,
            word=f"{secrets.token_hex(8)} ",
        )

    def _start(self, plan: Plan) -> Outcome:
        wall_s = min(max(LEAST_S, plan.most_s), self._wall_s - self.seconds)
        job = Job(
            (("inside.py", INSIDE.read_text(encoding="utf-8")), ("plan.json", plan.to_json())),
            ("-I", f"{CODE}/inside.py", f"{CODE}/plan.json"),
            Limits(wall_s=wall_s),
            self._folders,
        )
        outcome = self._sandbox.run(job)
        self.seconds += outcome.seconds
        return outcome


def _last_words(outcome: Outcome) -> str:
    last = outcome.stderr.strip().rpartition("\n")[2]
    return f"{ENDED}: {last}" if last else ENDED


def _result(case: Case, told: Told | None, function: Function) -> Result:
    if told is None:
        return Result(case, Verdict.UNRUN, "time was up before it ran")
    inside = range(function.body_line, function.last_line + 1)
    lines = frozenset(line for line in told.lines if line in inside)
    branches = frozenset(branch for branch in told.branches if branch[0] in inside)
    return Result(case, told.verdict, told.failure, None, lines, branches)


def _all_of(
    told: dict[tuple[int, int], Told], function: Function
) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """The lines and branches of the function's body: coverage.py says the same of every run."""
    inside = range(function.body_line, function.last_line + 1)
    found = next((each for each in told.values() if each.lines or each.missing_lines), None)
    if found is None:
        return frozenset(), frozenset()
    lines = frozenset(line for line in found.lines | found.missing_lines if line in inside)
    branches = found.branches | found.missing_branches
    return lines, frozenset(branch for branch in branches if branch[0] in inside)
