"""From what the model wrote to what is inserted: small rules, each pure, in the order of `RULES`.

A rule takes the text and the cursor and returns the text, or "" to drop it. None may touch the file
outside the suggestion: what `covered` replaces is typed again by the suggestion itself (invariant 6).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from midfill.server.completion.cursor import CursorContext, at_column
from midfill.server.completion.request import next_line

Rule = Callable[[str, CursorContext], str]

PAIRS = {")": "(", "]": "[", "}": "{"}
QUOTES = "\"'`"
TELLING_CHARS = 3
"""A line with fewer word characters says too little to be called a repetition."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Insert `text` at `offset`, over the `replace` code points that follow it on the same line."""

    offset: int
    text: str
    replace: int = 0


def clean_up(raw: str, context: CursorContext) -> tuple[Suggestion | None, str]:
    """The suggestion, or None and the name of the rule that dropped it."""
    text = raw
    for rule in RULES:
        text = rule(text, context)
        if not text:
            return None, rule.__name__
    return Suggestion(context.offset, text, covered(text, context)), ""


def at_the_cursors_column(text: str, context: CursorContext) -> str:
    """The model was asked from the line's start where only indentation stands before the cursor."""
    return at_column(text, context.indent_only)


def one_line_inside_a_line(text: str, context: CursorContext) -> str:
    """In the middle of a line only the rest of that line can be meant."""
    return text if context.at_line_end else text.partition("\n")[0]


def without_the_rest_of_the_line(text: str, context: CursorContext) -> str:
    """`foo(║, b)` answered with `a, b)`: what already follows is not inserted twice."""
    rest = context.line_after.strip()
    if rest and not context.closers_follow and text.rstrip().endswith(rest):
        return text.rstrip().removesuffix(rest)
    return text


def without_the_lines_below(text: str, context: CursorContext) -> str:
    """Generated lines at the end that stand below the cursor already, whole lines only."""
    below = _telling_head(context.suffix.partition("\n")[2])
    lines = text.split("\n")
    for start in range(1, len(lines)):
        tail = [line.rstrip() for line in lines[start:] if line.strip()]
        if tail and tail == below[: len(tail)] and _is_telling("".join(tail)):
            return "\n".join(lines[:start])
    return text


def not_the_next_line(text: str, context: CursorContext) -> str:
    """A first line that is the next line of the file says nothing new."""
    first = (context.line_before + text.partition("\n")[0]).strip()
    return "" if _is_telling(first) and first == next_line(context).strip() else text


def without_trailing_space(text: str, context: CursorContext) -> str:
    return text.rstrip()


RULES: tuple[Rule, ...] = (
    at_the_cursors_column,
    one_line_inside_a_line,
    without_the_rest_of_the_line,
    without_the_lines_below,
    not_the_next_line,
    without_trailing_space,
)


def covered(text: str, context: CursorContext) -> int:
    """How many code points behind the cursor the suggestion types again.

    `add(║)` answered with `a, b):` covers 1: the bracket that the editor closed. A closer counts only
    where the text closes more than it opens.
    """
    if not context.closers_follow:
        return 0
    rest = context.line_after.rstrip()
    done = 0
    open_marks: list[str] = []
    last = -2
    for place, mark in enumerate(text):
        if done == len(rest):
            break
        follows = place == last + 1 and done > 0
        if open_marks and open_marks[-1] in QUOTES:
            if mark == open_marks[-1]:
                open_marks.pop()
        elif mark == rest[done] and (follows or (not open_marks and not mark.isspace())):
            done, last = done + 1, place
        elif mark in QUOTES or mark in "([{":
            open_marks.append(mark)
        elif open_marks and PAIRS.get(mark) == open_marks[-1]:
            open_marks.pop()
    return done


def trimmed(suggestion: Suggestion, typed: str, typed_length: int) -> Suggestion | None:
    """What is left of a suggestion when `typed` was typed meanwhile; None if it says otherwise.

    `typed_length` is the length of the same text as it stands in the document.
    """
    if not suggestion.text.startswith(typed):
        return None
    rest = suggestion.text[len(typed) :]
    return replace(suggestion, offset=suggestion.offset + typed_length, text=rest)


def _telling_head(below: str, count: int = 8) -> list[str]:
    """The first lines of `below` that are not blank, right-stripped."""
    return [line.rstrip() for line in below.split("\n", 2 * count) if line.strip()][:count]


def _is_telling(line: str) -> bool:
    return sum(char.isalnum() or char == "_" for char in line) >= TELLING_CHARS
