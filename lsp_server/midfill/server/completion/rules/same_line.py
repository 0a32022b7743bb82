"""The answer against what stands on the cursor's own line. Pure."""

from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.marks import closes_itself
from midfill.server.completion.request import line_above

MIN_ECHO_CHARS = 4
"""A shorter beginning of a line is written twice on purpose too often (`x.x`, `((`)."""


def one_line_inside_a_line(text: str, context: CursorContext) -> str:
    """In the middle of a line only the rest of that line can be meant."""
    return text if context.at_line_end else text.partition("\n")[0]


def without_an_echo(text: str, context: CursorContext) -> str:
    """`value = foo.║` answered with `value = foo.bar()`: the line's beginning is not written again."""
    before = context.line_before.strip()
    if len(before) < MIN_ECHO_CHARS or before.isalnum():
        return text
    written = text.lstrip()
    return written.removeprefix(before) if written.startswith(before) else text


def without_a_new_start(text: str, context: CursorContext) -> str:
    """The line above and the cursor's own written once more: what follows them there is the answer."""
    before, above = context.line_before, line_above(context).rstrip()
    if len(before.strip()) < MIN_ECHO_CHARS or not above.strip():
        return text
    lines = text.split("\n")
    for at in range(2, len(lines)):
        if lines[at].startswith(before) and lines[at - 1].rstrip() == above:
            return "\n".join([lines[at].removeprefix(before), *lines[at + 1 :]])
    return text


def without_the_rest_of_the_line(text: str, context: CursorContext) -> str:
    """`foo(║, b)` answered with `a, b)`: what already follows is not inserted twice.

    Not where that would take the text's own closer from it: `foo║, b)` answered with `(a, b)`.
    """
    rest, written = context.line_after.strip(), text.rstrip()
    if not rest or context.closers_follow or not written.endswith(rest):
        return text
    kept = written.removesuffix(rest)
    return kept if closes_itself(kept) else text
