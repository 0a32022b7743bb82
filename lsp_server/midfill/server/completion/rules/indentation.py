"""White space at the start of lines, and where the answer meets the line it continues. Pure."""

import re

from midfill.model import is_opener
from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.request import line_above
from midfill.server.completion.rules.balance import in_text
from midfill.server.syntax import frame

SPACES = 4
"""Spaces that stand for one tab where a file shows no other habit."""


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


def without_double_space(text: str, context: CursorContext) -> str:
    """`x = ║` answered with ` 1`, or `foo.║` with ` bar`: one blank is enough, behind a dot none, unless it
    ends a sentence."""
    before = context.line_before
    if not before.strip() or text[:1] != " ":
        return text
    if before[-1] == "." and in_text(context, frame(context.prefix, context.suffix)[0]):
        return text
    return text.lstrip(" ") if before[-1] in " \t." else text


def with_the_files_indentation(text: str, context: CursorContext) -> str:
    """Tabs where the file has tabs, spaces where it has spaces: in the lines below the first."""
    if "\n" not in text or context.snapshot.language == "makefile":  # where a tab is no habit
        return text
    first, *below = text.split("\n")
    habit = _habit(context)
    if habit == "\t" and any(line.startswith(" ") for line in below):
        unit = _unit(context, first, below)
        return "\n".join([first, *(_as_tabs(line, unit) for line in below)])
    if habit == " " and any(line.startswith("\t") for line in below):
        return "\n".join([first, *(_as_spaces(line) for line in below)])
    return text


def _asks_for_more(above: str, indent: str) -> bool:
    """Whether the line above opens a block that `indent` is not inside yet."""
    return is_opener(above) and len(indent) <= len(above) - len(above.lstrip())


def _habit(context: CursorContext) -> str:
    """What the lines around the cursor are indented with: a tab, a space, or, empty, both or neither."""
    near = context.prefix[-2000:] + context.suffix[:500]
    kinds = {line[0] for line in near.split("\n")[1:] if line[:1] in ("\t", " ") and line.strip()}
    kinds |= {context.line_before[0]} if context.line_before[:1] in ("\t", " ") else set()
    return kinds.pop() if len(kinds) == 1 else ""


def _unit(context: CursorContext, first: str, below: list[str]) -> int:
    """How many spaces of the answer stand for one level, told by the first line below the cursor's."""
    line = context.line_before + first
    levels = len(line) - len(line.lstrip("\t")) + is_opener(line)
    next_one = next((text for text in below if text.strip()), "")
    width = len(next_one) - len(next_one.lstrip(" "))
    return width // levels if levels and width // levels in (2, 3, 4, 8) else SPACES


def _as_tabs(line: str, unit: int) -> str:
    indent = re.match(r"[ \t]*", line)[0]  # type: ignore[index]  # it always matches
    width = len(indent.expandtabs(unit))
    return "\t" * (width // unit) + " " * (width % unit) + line[len(indent) :]


def _as_spaces(line: str) -> str:
    indent = re.match(r"[ \t]*", line)[0]  # type: ignore[index]  # it always matches
    return indent.expandtabs(SPACES) + line[len(indent) :]
