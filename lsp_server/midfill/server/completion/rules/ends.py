"""How a suggestion ends, and whether it says anything. Pure."""

from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.marks import PAIRS


def without_trailing_space(text: str, context: CursorContext) -> str:
    return text.rstrip()


def something_said(text: str, context: CursorContext) -> str:
    """At least one letter or digit, or a bracket or quote that closes something."""
    return (
        text
        if any(char.isalnum() or char == "_" or char in PAIRS or char in "\"'`;" for char in text)
        else ""
    )
