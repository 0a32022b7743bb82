"""Text as wide as the file's own lines. Pure."""

import textwrap
from statistics import quantiles

NARROWEST, WIDEST = 79, 100
"""PEP 8's limit, and where prose is hard to read."""


def width_of(text: str) -> int:
    """How wide this file's lines may be: as its long ones are."""
    lengths = [len(line) for line in text.splitlines() if line.strip()]
    if len(lengths) < 20:
        return 88
    return min(max(int(quantiles(lengths, n=100)[97]), NARROWEST), WIDEST)


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of `text` behind `first`, and behind `rest` from the second on."""
    lines = textwrap.wrap(
        text,
        max(width, len(first) + 30),
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first.rstrip()]
