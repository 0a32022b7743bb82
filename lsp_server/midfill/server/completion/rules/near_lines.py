"""The answer against the lines above and below: whole lines only.

Comparing inner substrings, or by edit distance, deletes right lines next to similar ones (Continue's rule
cost Java 0.3–1.4 points of exact match in granite-completebench). Pure.
"""

from midfill.model import columns
from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.request import line_above, next_line

TELLING_CHARS = 3
"""A line with fewer word characters says too little to be called a repetition."""
LONG_CHARS = 20
"""A shorter line may well stand twice in a row (`next()`, `pop()`)."""
LINES_BELOW = 8


def without_the_lines_below(text: str, context: CursorContext) -> str:
    """Generated lines at the end that stand below the cursor already."""
    below = _head(context.suffix.partition("\n")[2])
    lines = text.split("\n")
    for start in range(1, len(lines)):
        tail = [line.rstrip() for line in lines[start:] if line.strip()]
        if tail and tail == below[: len(tail)] and is_telling("".join(tail)):
            return "\n".join(lines[:start])
    return text


def not_the_next_line(text: str, context: CursorContext) -> str:
    """A first line that is the next line of the file says nothing new."""
    first, below = context.line_before + text.partition("\n")[0], next_line(context)
    same = first.strip() == below.strip() and columns(first) == columns(below)
    return "" if same and is_telling(first) else text


def not_the_line_above(text: str, context: CursorContext) -> str:
    """Nor does a long line that is the one above once more."""
    first = context.line_before + text.partition("\n")[0]
    again = len(first.strip()) >= LONG_CHARS and first.rstrip() == line_above(context).rstrip()
    return "" if again else text


def is_telling(line: str) -> bool:
    """Whether `line` has enough word characters to be told from others."""
    return sum(char.isalnum() or char == "_" for char in line) >= TELLING_CHARS


def _head(below: str, count: int = LINES_BELOW) -> list[str]:
    """The first lines of `below` that are not blank, right-stripped."""
    return [line.rstrip() for line in below.split("\n", 2 * count) if line.strip()][:count]
