"""Which names the cursor is among, and how near they stand. Pure: lines in, weights out."""

import re
from collections.abc import Mapping, Sequence

from midfill.model import columns

NAME = re.compile(r"[A-Za-z_$][\w$]*")
ABOVE_LINES = 60
BELOW_LINES = 20
"""As far as names are looked for; Continue takes 5 and 3 lines, which a new statement leaves at once."""
HALF_LINES = 8
"""At this distance a name counts half."""
ENCLOSING_LINES = 3
"""A line that encloses the cursor counts as if it stood so near."""
SEARCHED_LINES = 2000
"""How far up enclosing lines are looked for."""


def near_names(lines: Sequence[str], line: int) -> Mapping[str, float]:
    """Each name within reach of `line` (from 0) and its weight: 1 for one use beside the cursor."""
    found: dict[str, float] = {}
    first = max(0, line - ABOVE_LINES)
    around = [(abs(at - line), lines[at]) for at in range(first, min(len(lines), line + BELOW_LINES + 1))]
    for distance, text in [*around, *((ENCLOSING_LINES, text) for text in _enclosing(lines, line, first))]:
        for name in NAME.findall(text):
            found[name] = found.get(name, 0.0) + HALF_LINES / (HALF_LINES + distance)
    return found


def _enclosing(lines: Sequence[str], line: int, first: int) -> list[str]:
    """Lines above `first` that the cursor's is indented below."""
    level = next((columns(text) for text in lines[line : line + 1] if text.strip()), None)
    if level is None:
        level = next((columns(text) + 1 for text in reversed(lines[:line]) if text.strip()), 0)
    found = []
    for at in range(line - 1, max(-1, line - SEARCHED_LINES), -1):
        text = lines[at]
        if level == 0:
            break
        if text.strip() and columns(text) < level:
            level = columns(text)
            if at < first:
                found.append(text)
    return found
