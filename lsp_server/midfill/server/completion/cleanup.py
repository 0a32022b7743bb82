"""From what the model wrote to what is inserted: small rules, each pure, in the order of `RULES`.

A rule takes the text and the cursor and returns the text, or "" to drop it. None may touch the file
outside the suggestion: what `covered` replaces is typed again by the suggestion itself (invariant 6).
"""

from collections.abc import Callable
from dataclasses import dataclass

from midfill.model import is_opener
from midfill.server.completion.cursor import CursorContext, normalize
from midfill.server.completion.marks import closes_itself, retyped
from midfill.server.completion.request import line_above, next_line

Rule = Callable[[str, CursorContext], str]

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
    text = normalize(raw)
    for rule in RULES:
        text = rule(text, context)
        if not text:
            return None, rule.__name__
    return Suggestion(context.offset, text, covered(text, context)), ""


def without_double_indentation(text: str, context: CursorContext) -> str:
    """Behind a line's indentation nothing is indented again, unless the block above asks for it.

    A prompt that ends in spaces ends inside a token, and the model then sometimes starts over with them.
    Measured on 120 HumanEval lines with Qwen2.5-Coder: 3 were indented twice; cutting the indentation
    off the prompt instead cost 6 exact matches.
    """
    indent = context.line_before
    own = text[: len(text) - len(text.lstrip(" \t"))]
    if not own or not indent or indent.strip() or _asks_for_more(line_above(context), indent):
        return text
    first, *below = text.split("\n")
    moved = [
        indent + line.removeprefix(indent + own) if line.startswith(indent + own) else line
        for line in below
    ]
    return "\n".join([first.removeprefix(own), *moved])


def _asks_for_more(above: str, indent: str) -> bool:
    """Whether the line above opens a block that `indent` is not inside yet."""
    return is_opener(above) and len(indent) <= len(above) - len(above.lstrip())


def one_line_inside_a_line(text: str, context: CursorContext) -> str:
    """In the middle of a line only the rest of that line can be meant."""
    return text if context.at_line_end else text.partition("\n")[0]


def without_the_rest_of_the_line(text: str, context: CursorContext) -> str:
    """`foo(║, b)` answered with `a, b)`: what already follows is not inserted twice.

    Not where that would take the text's own closer from it: `foo║, b)` answered with `(a, b)`.
    """
    rest, written = context.line_after.strip(), text.rstrip()
    if not rest or context.closers_follow or not written.endswith(rest):
        return text
    kept = written.removesuffix(rest)
    return kept if closes_itself(kept) else text


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
    without_double_indentation,
    one_line_inside_a_line,
    without_the_rest_of_the_line,
    without_the_lines_below,
    not_the_next_line,
    without_trailing_space,
)


def covered(text: str, context: CursorContext) -> int:
    """How many code points behind the cursor the suggestion types again.

    `add(║)` answered with `a, b):` covers 1: the bracket that the editor closed. A closer counts only
    where the text closes more than it opens: `a) + (b` needs the editor's bracket as well.
    """
    return retyped(text, context.line_after.rstrip()) if context.closers_follow else 0


def trimmed(suggestion: Suggestion, typed: str, typed_length: int, behind: str) -> Suggestion | None:
    """What is left of a suggestion when `typed` was typed meanwhile; None if it says otherwise.

    `typed_length` is the length of the same text as it stands in the document, `behind` what the
    suggestion replaces: a closer that was typed by hand is not typed again by the rest.
    """
    if not suggestion.text.startswith(typed):
        return None
    rest = suggestion.text[len(typed) :]
    return Suggestion(suggestion.offset + typed_length, rest, retyped(rest, behind))


def _telling_head(below: str, count: int = 8) -> list[str]:
    """The first lines of `below` that are not blank, right-stripped."""
    return [line.rstrip() for line in below.split("\n", 2 * count) if line.strip()][:count]


def _is_telling(line: str) -> bool:
    return sum(char.isalnum() or char == "_" for char in line) >= TELLING_CHARS
