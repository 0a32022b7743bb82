"""From a cursor to what the model is asked: scope, stop rules, the two texts. Pure."""

import re

from midfill.model import FimRequest, Scope, StopRules
from midfill.server.completion.cursor import CursorContext
from midfill.server.settings import Settings

SINGLE_LINE_TOKENS = 48
"""Room for one line: Copilot counts 20 tokens a line at the median, 73 characters at p95."""
OPENER = re.compile(r"([:{(\[]|=>|->|\b(do|then|else|begin))$")
"""Line ends behind which a block begins, in the languages people use."""


def build_request(
    context: CursorContext, settings: Settings, deadline_s: float | None = None
) -> FimRequest:
    """The FimRequest for this place, within the user's settings.

    Closers that the editor put behind the cursor are kept from the model: it then writes them itself
    where they belong, and `clean_up` replaces the editor's (reference: editors.md, server note 6).
    """
    scope = decide_scope(context)
    suffix = context.suffix
    if context.closers_follow:
        suffix = suffix[len(context.line_after) :]
    indent = context.indent_only
    limit = settings.max_new_tokens
    return FimRequest(
        prefix=context.prefix.removesuffix(indent) if indent else context.prefix,
        suffix=suffix,
        language=context.snapshot.language,
        path=context.snapshot.uri,
        stop=StopRules(scope, "" if indent else context.line_before, next_line(context)),
        max_new_tokens=min(limit, SINGLE_LINE_TOKENS) if scope is Scope.SINGLE_LINE else limit,
        temperature=settings.temperature,
        deadline_s=deadline_s,
    )


def decide_scope(context: CursorContext) -> Scope:
    """A block only where one begins: behind an opener, or on the first line below one."""
    if not context.at_line_end:
        return Scope.SINGLE_LINE
    opener = context.line_before.strip() or _last_line(context.prefix).strip()
    return Scope.BLOCK if OPENER.search(opener) else Scope.SINGLE_LINE


def next_line(context: CursorContext) -> str:
    """The next line below the cursor that is not blank."""
    below = context.suffix.partition("\n")[2].lstrip("\n")
    while below:
        line, _, below = below.partition("\n")
        if line.strip():
            return line
    return ""


def _last_line(prefix: str) -> str:
    """The line above the cursor's, if the cursor's is blank."""
    return prefix.rstrip(" \t").removesuffix("\n").rpartition("\n")[2]
