"""What is offered to the user: tests that pass, beside them the ones that do not, and a sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from midfill.server.actions.unit_tests.case import Coverage, Result, Verdict
from midfill.server.actions.unit_tests.evaluate import Evaluation
from midfill.server.actions.unit_tests.rendering import Insertion

MAX_PASSING = 8
"""More are no easier to read; those that add nothing to the others are left out first."""
ENOUGH = 4
"""More only if they reach something new: a small model writes one thought eight times."""
NOTHING = "No test could be written: the model's answers held none."


@dataclass(frozen=True, slots=True)
class TestOffer:
    """Tests for one function. Nothing is written: `insertions` into `path` are the edit."""

    __test__ = False  # no test class of pytest's

    path: str
    """The test file."""
    creates: bool
    """Whether the file is new; then the one insertion is its text."""
    sentence: str
    """All of it for the user, such as "4 of 6 tests pass, 2 left out"."""
    before: str = field(default="", repr=False)
    """The test file's text that `insertions` are for."""
    insertions: tuple[Insertion, ...] = ()
    with_failing: tuple[Insertion, ...] = ()
    """The same with the failing tests too, commented out under their failures."""
    passing: tuple[Result, ...] = ()
    failing: tuple[Result, ...] = ()
    """Each has run and not passed; a bug may be why."""
    left_out: tuple[str, ...] = ()
    """Why, for what was written and is no test of the function."""
    ran: bool = False
    coverage: Coverage = field(default_factory=Coverage)
    """By the offered tests alone."""
    covered_before: Coverage | None = None
    """By the tests that are there; None: there are none, or not all of them pass in the sandbox."""
    mutants: int = 0
    mutants_killed: int = 0
    seconds: float = 0.0
    """Spent in the sandbox."""


def chosen(results: Sequence[Result], most: int = MAX_PASSING) -> tuple[Result, ...]:
    """The passing ones that are worth offering, in their order: examples of the docstring, then whatever
    adds most to the branches, lines and mutants that the others reach."""
    left = [result for result in results if result.verdict is Verdict.PASS]
    taken: list[Result] = []
    seen: set[object] = set()
    while left and len(taken) < most:
        best = max(left, key=lambda result: len(_reached(result) - seen))
        if len(taken) >= ENOUGH and not _reached(best) - seen:
            break
        seen |= _reached(best)
        taken.append(best)
        left.remove(best)
    return tuple(result for result in results if result in taken)


def _reached(result: Result) -> set[object]:
    return {*result.branches, *result.lines, *(f"mutant {n}" for n in result.mutants_failed or ())}


def sentence(done: Evaluation, offered: Sequence[Result], left_out: int) -> str:
    """What came of it, in a sentence or three."""
    passing = [result for result in done.results if result.verdict is Verdict.PASS]
    failing = [result for result in done.results if result.verdict is not Verdict.PASS]
    said = [f"{len(passing)} of {_tests(len(done.results))} {'passes' if len(passing) == 1 else 'pass'}"]
    if dropped := len(passing) - len(offered) + left_out:
        said.append(f"{dropped} left out")
    if weak := sum(result.can_fail is False for result in offered):
        said.append(f"{weak} cannot fail")
    first = ", ".join(said) + "."
    third = ""
    if stated := sum(result.case.source == "docstring" for result in failing):
        third = f" {_tests(stated)} from the docstring's examples {'fails' if stated == 1 else 'fail'}."
    elif failing:
        third = (
            f" {len(failing)} {'fails' if len(failing) == 1 else 'fail'}: the test or the code is wrong."
        )
    return first + (_reach(done, offered) if offered else "") + third


def _reach(done: Evaluation, offered: Sequence[Result]) -> str:
    """What the offered tests cover, beyond those that are there, and which faults they notice."""
    alone = done.covered_by(offered)
    if alone.lines is None:
        return ""
    killed = done.killed_by(offered)
    noticed = f" notice {killed} of {done.mutants} planted faults" if done.mutants else ""
    if done.existing is None:
        branches = "" if alone.branches is None else f" and {alone.branches:.0%} of its branches"
        end = f", and{noticed}." if noticed else "."
        return f" They cover {alone.lines:.0%} of the function's lines{branches}{end}"
    before, after = done.covered_by([done.existing]), done.covered_by([done.existing, *offered])
    said = f" They raise the coverage of the function's lines from {before.lines:.0%} to {after.lines:.0%}"
    if after.branches is not None:
        said += f", of its branches from {before.branches:.0%} to {after.branches:.0%}"
    return f"{said}, and{noticed}." if noticed else f"{said}."


def not_run(count: int, reason: str) -> str:
    return f"{_tests(count)} written, none was run: {reason}"


def _tests(count: int) -> str:
    return f"{count} test" if count == 1 else f"{count} tests"
