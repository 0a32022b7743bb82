"""One unit test, where it came from and what became of it: plain frozen data. Runs and writes nothing."""

from dataclasses import dataclass
from enum import StrEnum

FIXTURES = ("tmp_path", "capsys", "monkeypatch")
"""Of pytest's, those that a test may ask for."""


class Source(StrEnum):
    """Who says what the right value is. Never the code under test: that would pin its bugs."""

    EXAMPLE = "docstring"
    """An example in the function's own docstring."""
    MODEL = "model"
    REPAIR = "repair"
    """The model's second try, after it was told why the first one did not run."""


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    """An assertion did not hold."""
    ERROR = "error"
    """Something else was raised, or the process ended."""
    TIMEOUT = "timeout"
    FLAKY = "flaky"
    """Passed once, and not again."""
    UNRUN = "not run"


@dataclass(frozen=True, slots=True)
class Case:
    """One test: `body` holds statements without indentation, lines end in `\\n` alone."""

    name: str
    """Of the test function, `test_…`."""
    body: str
    names: tuple[str, ...] = ()
    """What it takes from the module under test."""
    imports: tuple[str, ...] = ()
    """Import statements beside that."""
    source: Source = Source.MODEL


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    verdict: Verdict = Verdict.UNRUN
    failure: str = ""
    """How it failed, as pytest says it, shortened."""
    mutants_failed: frozenset[int] | None = None
    """Which mutants of the function it fails on; None: not tried."""
    lines: frozenset[int] = frozenset()
    """Lines of the function that it runs, 1-based in the file."""
    branches: frozenset[tuple[int, int]] = frozenset()
    """(from, to) lines, as coverage.py has them."""

    @property
    def can_fail(self) -> bool | None:
        """None where it was not tried."""
        return None if self.mutants_failed is None else bool(self.mutants_failed)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the function alone, as shares 0–1; None: it was not measured, or there is nothing of the kind."""

    lines: float | None = None
    branches: float | None = None
