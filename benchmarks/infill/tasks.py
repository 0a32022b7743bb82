"""HumanEval's holes as documents with a cursor: single lines, random spans, blocks. Knows no server."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from benchmarks.evaluation_data import LINES, PROBLEMS, SPANS, problem_of, read_rows

NEEDED = (LINES, SPANS, PROBLEMS)
LINE, SPAN, BLOCK = "single line", "random span", "block"
STEP = 5
"""Every so many of the single lines."""
BLOCKS = 100
SEED = 5


@dataclass(frozen=True, slots=True)
class Task:
    """`before` + `gold` + `behind` is right; the cursor stands behind `before`."""

    key: str
    kind: str
    problem: str
    """Tasks of one problem are not independent: intervals resample problems (evaluation.md §5)."""
    before: str
    behind: str
    gold: str
    check: str = ""
    """What behind the document makes it a program that fails where the hole was filled wrongly."""

    @property
    def document(self) -> str:
        return self.before + self.behind

    @property
    def cursor(self) -> tuple[int, int]:
        """Line, and UTF-16 units in it."""
        line = self.before.rpartition("\n")[2]
        return self.before.count("\n"), len(line.encode("utf-16-le")) // 2


def make_tasks(rows: int = 0) -> Iterator[Task]:
    """Single lines, spans, blocks; at most so many of each, evenly spread (0: all)."""
    for tasks in (list(_lines()), list(_spans()), list(_blocks())):
        count = min(rows, len(tasks)) if rows else len(tasks)
        yield from (tasks[at * len(tasks) // count] for at in range(count))


def _lines() -> Iterator[Task]:
    """The cursor on a blank line in place of the gold one."""
    for row in read_rows(LINES)[::STEP]:
        gold = row["canonical_solution"].removesuffix("\n")
        yield _task(row, LINE, "\n" + row["suffix"], gold)


def _spans() -> Iterator[Task]:
    for row in read_rows(SPANS):
        yield _task(row, SPAN, row["suffix"], row["canonical_solution"])


def _task(row: dict[str, str], kind: str, behind: str, gold: str) -> Task:
    check = f"\n{row['test']}\ncheck({row['entry_point']})"
    return Task(row["task_id"], kind, problem_of(row), row["prompt"], behind, gold, check)


def _blocks() -> Iterator[Task]:
    """Behind a line of a solution that opens a block, the block being gone."""
    found = [task for row in read_rows(PROBLEMS) for task in _openers(row)]
    chosen = sorted(random.Random(SEED).sample(range(len(found)), min(BLOCKS, len(found))))
    yield from (found[at] for at in chosen)


def _openers(row: dict[str, str]) -> Iterator[Task]:
    lines = row["canonical_solution"].splitlines()
    for at, line in enumerate(lines):
        block = _block(_depth(line), lines[at + 1 :])
        if line.rstrip().endswith(":") and any(map(str.strip, block)):
            before = row["prompt"] + "\n".join(lines[: at + 1])
            rest = "".join(f"\n{other}" for other in lines[at + 1 + len(block) :])
            gold = "".join(f"\n{other}" for other in block)
            yield Task(f"{row['task_id']}/{at}", BLOCK, problem_of(row), before, rest + "\n", gold)


def _block(depth: int, lines: Sequence[str]) -> list[str]:
    """Those of `lines` that stand deeper, up to the first that does not."""
    return list(takewhile(lambda line: not line.strip() or _depth(line) > depth, lines))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
