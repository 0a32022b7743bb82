"""Holes in HumanEval (random spans, single lines) and in this project's own source, with cursors as editors
have them, and what a fill of one scores by its text alone. Nothing is executed; knows no model.
"""

import io
import random
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.evaluation_data import LINES, SPANS, read_rows

FILES = (SPANS, LINES)
SEED = 20
STARTS_CHARS = 5
ROOT = Path(__file__).parents[1]
WINDOW_CHARS = (2400, 600)
"""Of this project's own files, before and behind a hole: about what a CPU is given."""
SHORTEST_LINE = 8
CURSORS = ("random span", "line start", "indented", "in line", "own indented", "own in line")
"""`own`: lines of this project's source, which no model was trained on as it was on HumanEval.
`line start`: as published. `indented`: behind the gold line's indentation, where an editor puts the
cursor. `in line`: before a seeded character of the gold line, as while it is typed."""


@dataclass(frozen=True, slots=True)
class Case:
    """One hole: `gold` is what stood in it; of a single line, without its line end."""

    key: str
    cursor: str
    prefix: str
    suffix: str
    gold: str

    @property
    def behind(self) -> str:
        """What stands left of the cursor: `word`, `sign`, `blank`, or `line end`."""
        last = self.prefix[-1:]
        if last.isalnum() or last == "_":
            return "word"
        return "line end" if last in ("", "\n") else "blank" if last.isspace() else "sign"


def make_cases(lines: int, own: int) -> Iterator[Case]:
    """Every random span, and seeded samples of single lines, each with its cursors: so many of HumanEval's
    and of this project's own.
    """
    for row in read_rows(SPANS):
        yield Case(row["task_id"], CURSORS[0], row["prompt"], row["suffix"], row["canonical_solution"])
    choose = random.Random(SEED)
    rows = [row for row in read_rows(LINES) if len(row["canonical_solution"].strip()) > 1]
    for row in choose.sample(rows, len(rows))[:lines]:
        gold = row["canonical_solution"].rstrip("\n")
        yield from _in_line(
            row["task_id"], CURSORS[1:4], choose, (row["prompt"], gold, "\n" + row["suffix"])
        )
    holes = list(_own_lines())
    for key, hole in choose.sample(holes, own):
        yield from _in_line(key, ("", *CURSORS[4:]), choose, hole)


def _in_line(
    key: str, cursors: Sequence[str], choose: random.Random, hole: tuple[str, str, str]
) -> Iterator[Case]:
    """(before, line, behind) with the cursor at the line's start, behind its indentation, and inside it,
    less those without a name.
    """
    before, line, behind = hole
    indent = len(line) - len(line.lstrip())
    cuts = (0, indent, choose.randrange(indent + 1, len(line)))
    for cursor, cut in zip(cursors, cuts, strict=True):
        if cursor:
            yield Case(f"{key} {cursor}", cursor, before + line[:cut], behind, line[cut:])


def _own_lines() -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Every line of code, not prose, with what stands around it."""
    for path in sorted([*ROOT.glob("model/**/*.py"), *ROOT.glob("lsp_server/**/*.py")]):
        text, start = path.read_text(encoding="utf-8"), 0
        words = tokenize.generate_tokens(io.StringIO(text).readline)
        code = {token.start[0] for token in words if token.type == tokenize.NAME}
        for number, line in enumerate(text.splitlines(keepends=True), 1):
            end = start + len(line.rstrip("\n"))
            if number in code and len(line.strip()) >= SHORTEST_LINE:
                above = text[max(0, start - WINDOW_CHARS[0]) : start]
                hole = (above, text[start:end], text[end : end + WINDOW_CHARS[1]])
                yield f"{path.relative_to(ROOT)}:{number}", hole
            start += len(line)


def score(case: Case, texts: Iterator[str]) -> list[bool]:
    """(exact, first line right, starts right, exact and ends) of a text that grows; a `\\0` says: it ended.

    Of a single line the whole first line counts, of a span what it starts with. Not what is doubled of the
    indentation before the cursor, which the server drops, nor blanks at the end.
    """
    fresh = case.prefix.rpartition("\n")[2].isspace()
    gold = (case.gold.lstrip(" \t") if fresh else case.gold).rstrip()
    ends = () if case.cursor == CURSORS[0] else ("\n", "\0")
    first, telling = gold.partition("\n")[0].rstrip(), "".join(gold.split())[:STARTS_CHARS]
    text, solid = "", ""
    for whole in texts:
        text = whole.lstrip(" \t") if fresh else whole
        solid = "".join(whole.replace("\0", "").split())[:STARTS_CHARS]
        told = len(solid) == len(telling) or not telling.startswith(solid)
        left = not text.startswith(gold) and not gold.startswith(text)
        if told and (left or text[len(gold) :].strip(" \t")):
            break
    behind = text[len(gold) :].lstrip(" \t")
    exact = text.startswith(gold) and (not ends or behind.startswith(ends))
    return [exact, text.startswith(first), solid == telling, exact and behind.startswith("\0")]
