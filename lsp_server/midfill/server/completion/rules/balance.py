"""Brackets of the answer against those around the cursor, in any language. Pure."""

import re

from midfill.model import triple_quotes
from midfill.server.completion.cursor import CursorContext
from midfill.server.syntax import first_stray, frame, unclosed

PROSE = frozenset({"plaintext", "markdown", "latex", "restructuredtext", "git-commit"})
NOT_TOLD = PROSE | {"rust", "html", "xml", "shellscript"}
"""Where brackets are not told from text without a parser: prose (`1) first`), Rust's lone quotes, and a
shell's `case` (`start) …;;`)."""


def without_stray_closers(text: str, context: CursorContext) -> str:
    """Cut before the first `)` or `]` that closes nothing: not the answer's own, nor one open at the cursor
    that the file does not close itself."""
    if context.snapshot.language in NOT_TOLD or not set(")]") & set(text):
        return text
    before, after = frame(context.prefix, context.suffix)
    if in_text(context, before):
        return text
    if context.closers_follow:
        after = after[len(context.line_after) :]  # the answer may type these again
    language = context.snapshot.language
    stray = first_stray(text, unclosed(before, after, language), language)
    return text if stray is None else text[:stray].rstrip()


def in_text(context: CursorContext, before: str) -> bool:
    """Whether the cursor may stand in a string, a comment or prose. `before`: of its `frame`."""
    line = context.line_before
    quoted = any(line.count(quote) % 2 for quote in "\"'`") or triple_quotes(before) % 2
    return (
        context.snapshot.language in PROSE
        or bool(quoted)
        or re.search(r"(^|\s)(#|//|\*)", line) is not None
    )
