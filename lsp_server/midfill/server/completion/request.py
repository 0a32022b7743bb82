"""From a cursor to what the model is asked: scope, stop rules, the two texts. Pure."""

from midfill.model import FimRequest, Scope, StopRules, is_opener
from midfill.server.completion.cursor import CursorContext
from midfill.server.settings import Settings

SINGLE_LINE_TOKENS = 48
"""Room for one line: Copilot counts 20 tokens a line at the median, 73 characters at p95."""


def build_request(context: CursorContext, settings: Settings) -> FimRequest:
    """The FimRequest for this place, within the user's settings.

    Closers that the editor put behind the cursor are kept from the model: it then writes them itself
    where they belong, and `clean_up` replaces the editor's (reference: editors.md, server note 6).
    """
    scope = decide_scope(context)
    suffix = context.suffix
    if context.closers_follow:
        suffix = suffix[len(context.line_after) :]
    limit = settings.max_new_tokens
    return FimRequest(
        prefix=context.prefix,
        suffix=suffix,
        language=context.snapshot.language,
        path=context.snapshot.uri,
        stop=StopRules(scope, context.line_before, next_line(context)),
        max_new_tokens=min(limit, SINGLE_LINE_TOKENS) if scope is Scope.SINGLE_LINE else limit,
        temperature=settings.temperature,
    )


def decide_scope(context: CursorContext) -> Scope:
    """A block only where one begins: behind an opener, or on the first line below one."""
    if not context.at_line_end:
        return Scope.SINGLE_LINE
    opener = context.line_before.strip() or line_above(context).strip()
    return Scope.BLOCK if is_opener(opener) else Scope.SINGLE_LINE


def next_line(context: CursorContext) -> str:
    """The next line below the cursor that is not blank."""
    below = context.suffix.partition("\n")[2].lstrip("\n")
    while below:
        line, _, below = below.partition("\n")
        if line.strip():
            return line
    return ""


def line_above(context: CursorContext) -> str:
    """The line directly above the cursor's, without its end."""
    return (
        context.prefix[: len(context.prefix) - len(context.line_before)]
        .removesuffix("\n")
        .rpartition("\n")[2]
    )
