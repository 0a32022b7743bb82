"""What the program inside the sandbox is told to do, and what it tells back. Pure data; runs nothing."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from midfill.server.actions.unit_tests.case import Verdict

TEST_S = 3.0
"""Wall clock of one test: HumanEval's own harness's."""
START_S = 4.0
"""More, until its process has imported what it needs, on a busy machine."""
OUTCOMES = {
    "pass": Verdict.PASS,
    "fail": Verdict.FAIL,
    "error": Verdict.ERROR,
    "ended": Verdict.ERROR,
    "hung": Verdict.TIMEOUT,
}
EXPLAINED = {
    "ended": "the test ended its own process",
    "hung": f"the test did not end within {TEST_S:g} s",
}


@dataclass(frozen=True, slots=True)
class Run:
    """`tests` in one process, against one variant of the module."""

    tests: tuple[int, ...]
    variant: int = 0
    coverage: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    module: str
    file: str
    """The name of the module's file."""
    package: str | None
    """The folder inside of which the module is the `__init__`; None: it is no package."""
    path: tuple[str, ...]
    """Folders inside that imports are looked up in."""
    tests: tuple[str, ...]
    """Whole test files."""
    variants: tuple[str, ...]
    runs: tuple[Run, ...]
    tools: str
    word: str
    """Begins every line that counts."""
    test_s: float = TEST_S
    start_s: float = START_S

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @property
    def most_s(self) -> float:
        """The longest it can take where only the last of each run's tests hangs."""
        return sum(self.start_s + self.test_s * len(run.tests) for run in self.runs)


@dataclass(slots=True)
class Told:
    """What came of one test in one run."""

    verdict: Verdict
    failure: str = ""
    lines: frozenset[int] = frozenset()
    missing_lines: frozenset[int] = frozenset()
    branches: frozenset[tuple[int, int]] = frozenset()
    missing_branches: frozenset[tuple[int, int]] = field(default=frozenset())


def read(stdout: str, word: str) -> dict[tuple[int, int], Told]:
    """By (run, test). Lines that are not ours, or that hostile code made up, are passed over."""
    told: dict[tuple[int, int], Told] = {}
    for line in stdout.splitlines():
        if not line.startswith(word):
            continue
        try:
            fields: dict[str, Any] = json.loads(line.removeprefix(word))
            key = (int(fields["run"]), int(fields["test"]))
            if "outcome" in fields:
                outcome = str(fields["outcome"])
                failure = EXPLAINED.get(outcome) or str(fields.get("failure", ""))
                worse = key in told and told[key].verdict is not Verdict.PASS
                if not worse:  # what failed first stays failed
                    told[key] = Told(OUTCOMES[outcome], failure)
            elif key in told and "lines" in fields:
                told[key].lines = frozenset(map(int, fields["lines"]))
                told[key].missing_lines = frozenset(map(int, fields["missing_lines"]))
                told[key].branches = _pairs(fields["branches"])
                told[key].missing_branches = _pairs(fields["missing_branches"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return told


def not_told(runs: Sequence[Run], told: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(run, test) of everything that nothing is known of, in order."""
    known = set(told)
    return [(n, test) for n, run in enumerate(runs) for test in run.tests if (n, test) not in known]


def _pairs(found: Iterable[Sequence[int]]) -> frozenset[tuple[int, int]]:
    return frozenset((int(start), int(end)) for start, end in found)
