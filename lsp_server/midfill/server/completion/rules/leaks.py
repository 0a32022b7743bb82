"""What belongs to the model's own protocol, not to the file: markers, thoughts, Markdown fences. Pure."""

import re

from midfill.model.dialects import TEXT_MARKERS
from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.request import WITH_FENCES

MARKER = re.compile("|".join([*map(re.escape, TEXT_MARKERS), r"<\|[a-z][a-z_]{2,30}\|>"]))
THOUGHT = re.compile(r"\A\s*<think>.*?(</think>\s*|\Z)", re.DOTALL)
FENCED = re.compile(r"\A\s*```[\w+-]*\n(.*?)(^\s*```.*|\Z)", re.DOTALL | re.MULTILINE)
FENCE_BEHIND = re.compile(r"^\s*```.*", re.DOTALL | re.MULTILINE)


def without_markers(text: str, context: CursorContext) -> str:
    """Nothing from the first marker on (invariant 5); so does the model's own scanner."""
    marker = MARKER.search(text)
    return text[: marker.start()] if marker else text


def without_thoughts(text: str, context: CursorContext) -> str:
    """What a reasoning model thought aloud before it answered is no code."""
    return THOUGHT.sub("", text)


def without_fences(text: str, context: CursorContext) -> str:
    """The code inside a fence, or in front of one: an Instruct model wraps what it writes, and explains."""
    if "```" not in text or context.snapshot.language in WITH_FENCES or "```" in context.line_before:
        return text
    fenced = FENCED.match(text)
    return fenced[1].rstrip("\n") if fenced else FENCE_BEHIND.sub("", text)
