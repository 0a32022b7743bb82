"""From a cursor to what the model is asked: scope, stop rules, the two texts. Pure."""

from midfill.model import FimRequest, Scope, StopRules, columns, is_opener, triple_quotes
from midfill.server.completion.cursor import CursorContext
from midfill.server.settings import Settings
from midfill.server.syntax import begins_block, frame, unclosed

WITH_FENCES = frozenset({"markdown", "mdx", "quarto", "rmd", "restructuredtext"})
"""In these a Markdown fence is the file's own text."""
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
    stop = stop_rules(context, scope)
    return FimRequest(
        prefix=context.prefix,
        suffix=suffix,
        language=context.snapshot.language,
        path=context.snapshot.uri,
        stop=stop,
        max_new_tokens=limit if stop.may_grow else min(limit, SINGLE_LINE_TOKENS),
        temperature=settings.temperature,
    )


def stop_rules(context: CursorContext, scope: Scope) -> StopRules:
    """What the scanner on the model's side has to know of the place."""
    before, after = frame(context.prefix, context.suffix)
    if context.closers_follow:
        after = after[len(context.line_after) :]
    return StopRules(
        scope,
        context.line_before,
        next_line(context),
        may_grow=context.at_line_end,
        unclosed=unclosed(before, after, context.snapshot.language),
        in_string=triple_quotes(before) % 2 == 1,
        off=context.rules_off | ({"fence"} if context.snapshot.language in WITH_FENCES else frozenset()),
    )


def decide_scope(context: CursorContext) -> Scope:
    """A block only where one begins and has no lines yet: behind an opener, or below one."""
    if not context.at_line_end:
        return Scope.SINGLE_LINE
    line = context.line_before
    if line.strip():
        return Scope.BLOCK if is_opener(line) and not _has_body(context, line) else Scope.SINGLE_LINE
    above = line_above(context)
    begins = is_opener(above)
    if begins and _has_body(context, above):
        return Scope.SINGLE_LINE
    if not begins:
        near = line or context.prefix.rstrip().rpartition("\n")[2]
        if next_line(context) and columns(next_line(context)) >= columns(near + "."):
            return Scope.SINGLE_LINE  # the block that a comment or a docstring begins has lines already
        begins = bool(begins_block(context.snapshot.language, *frame(context.prefix, context.suffix)))
    return Scope.BLOCK if begins else Scope.SINGLE_LINE


def _has_body(context: CursorContext, header: str) -> bool:
    """Whether lines that stand below the cursor are indented into `header`'s block already."""
    return columns(next_line(context)) > columns(header)


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
