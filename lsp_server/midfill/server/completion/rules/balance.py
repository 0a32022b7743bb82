"""Brackets of the answer against those around the cursor, in any language. Pure."""

import re

from midfill.model import triple_quotes
from midfill.server.completion.cursor import CursorContext
from midfill.server.syntax import first_stray, frame, unclosed

NOT_TOLD = frozenset({"rust", "plaintext", "markdown", "latex", "restructuredtext", "html", "xml"})
"""Where brackets are not told from text without a parser: prose (`1) first`), and Rust's lone quotes."""


def without_stray_closers(text: str, context: CursorContext) -> str:
    """Cut before the first `)` or `]` that closes nothing: not the answer's own, nor one open at the cursor
    that the file does not close itself."""
    if context.snapshot.language in NOT_TOLD or not set(")]") & set(text):
        return text
    before, after = frame(context.prefix, context.suffix)
    if _in_text(before, context.line_before):
        return text
    if context.closers_follow:
        after = after[len(context.line_after) :]  # the answer may type these again
    stray = first_stray(text, unclosed(before, after))
    return text if stray is None else text[:stray].rstrip()


def _in_text(before: str, line: str) -> bool:
    """Whether the cursor may stand in a string or a comment."""
    quoted = any(line.count(quote) % 2 for quote in "\"'`") or triple_quotes(before) % 2
    return bool(quoted) or re.search(r"(^|\s)(#|//|\*)", line) is not None
