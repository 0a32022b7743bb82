"""What a parser says of the answer in its place: cut where it is never reached, or breaks the file. Pure.

Nothing here where no grammar reads the language, or where the file was broken before.
"""

import re

from midfill.model import columns, is_opener, is_unfinished
from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.marks import closes_itself, retyped
from midfill.server.syntax import frame, is_whole, unreached

MAX_CUTS = 8
MAX_PARSED_CHARS = 32_000
"""What all cuts together may have parsed: 4 ms at 0.12 ms a thousand (`make bench-cleanup` measures it)."""
NOT_CUT = frozenset({"typescript", "typescriptreact"})
"""Cutting to what parses cost TypeScript 0.7–3.9 points of exact match in granite-completebench."""

PREPROCESSED = frozenset({"c", "cpp", "cuda-cpp"})
MACRO = re.compile(r"\b(?!(?:if|for|while|switch|catch)\b)\w+\s*\([^;{}]*\)\s*\{|\b[A-Z][A-Z0-9_]+\b")
"""What may be a macro (`list_for_each(p, head) {`, `EXPORT`): the grammar does not know what it becomes."""


def only_what_is_reached(text: str, context: CursorContext) -> str:
    """`return x` ends its block, and so does an `if` that leaves on every way: what is written below it, at
    the level of the answer's own lines, is another function's."""
    if "\n" not in text:
        return text
    before, after = _around(text, context)
    lines = (context.line_before + text).split("\n")
    own = lines[1:] if context.line_before.strip() else lines
    level = next((columns(line) for line in own if line.strip()), 0)
    for at in unreached(context.snapshot.language, before, text, after):
        if columns(text[text.rfind("\n", 0, at) + 1 : at] + ".") == level:
            return text[:at].rstrip()
    return text


def whole_syntax(text: str, context: CursorContext) -> str:
    """Where the file is whole without the answer, and not with it: the most lines with which it is.

    A last line that is only unfinished (a bracket is open) stays where it is all there is.
    """
    language = context.snapshot.language
    if language in NOT_CUT or not text.strip():
        return text
    if language in PREPROCESSED and MACRO.search(context.line_before + text):
        return text
    before, after = _around(text, context)
    if is_whole(language, before + text + after) is not False or not _was_whole(context):
        return text
    lines = text.split("\n")
    tries = min(MAX_CUTS, MAX_PARSED_CHARS // (len(before) + len(after) + 1), len(lines) - 1)
    for count in range(len(lines) - 1, len(lines) - 1 - tries, -1):
        kept = "\n".join(lines[:count])
        if kept.strip():
            before, after = _around(kept, context)
            if is_whole(language, before + kept + after):
                return kept
    first = lines[0]
    return first if _is_only_unfinished(first) else ""


def _around(text: str, context: CursorContext) -> tuple[str, str]:
    """The frame around `text`, less the closers that it types again."""
    before, after = frame(context.prefix, context.suffix)
    return before, after[retyped(text, context.line_after.rstrip()) if context.closers_follow else 0 :]


def _was_whole(context: CursorContext) -> bool:
    """Whether the file parses around the cursor, with its line as it stands or without it."""
    language = context.snapshot.language
    before, after = frame(context.prefix, context.suffix)
    as_it_stands = is_whole(language, before + after)
    without = before[: len(before) - len(context.line_before)] + after.partition("\n")[2]
    return bool(as_it_stands or is_whole(language, without))


def _is_only_unfinished(line: str) -> bool:
    return not closes_itself(line) or is_opener(line) or is_unfinished(line)
