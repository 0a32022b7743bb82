"""The cursor in its text: what stands before it, after it and on its line. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from midfill.server.text import DocumentSnapshot

CLOSERS = re.compile(r"[)\]}>\"'`]+\s*(?:[:;,{]\s*)?")
"""What editors put behind the cursor by themselves, and may stand behind a finished line
(Copilot's completions-core has nearly the same test)."""
EDGE_CHARS = 8192
"""Text sent to the model starts on a multiple of this, so that typing does not shift its start."""


class Trigger(StrEnum):
    AUTOMATIC = "automatic"
    INVOKED = "invoked"


@dataclass(frozen=True, slots=True)
class CursorContext:
    """One request's place. `prefix` and `suffix` are near the cursor and have `\\n` line ends."""

    snapshot: DocumentSnapshot
    offset: int
    """In code points of the snapshot's text."""
    prefix: str
    suffix: str
    line_before: str
    line_after: str
    trigger: Trigger
    rules_off: frozenset[str] = frozenset()
    """Stop and clean-up rules that the settings switch off."""

    @property
    def closers_follow(self) -> bool:
        """Only closing brackets, quotes and an end mark stand behind the cursor on its line."""
        return CLOSERS.fullmatch(self.line_after) is not None

    @property
    def at_line_end(self) -> bool:
        """Nothing that matters stands behind the cursor on its line."""
        return not self.line_after.strip() or self.closers_follow


def read_cursor(
    snapshot: DocumentSnapshot,
    offset: int,
    trigger: Trigger,
    max_chars: int,
    rules_off: frozenset[str] = frozenset(),
) -> CursorContext:
    """Cut the text around `offset`, at most about `max_chars` code points to each side."""
    text = snapshot.text
    first = max(0, offset - max_chars) // EDGE_CHARS * EDGE_CHARS
    prefix = normalize(text[first:offset])
    suffix = normalize(text[offset : offset + max_chars])
    return CursorContext(
        snapshot=snapshot,
        offset=offset,
        prefix=prefix,
        suffix=suffix,
        line_before=prefix[prefix.rfind("\n") + 1 :],
        line_after=suffix.partition("\n")[0],
        trigger=trigger,
        rules_off=rules_off,
    )


def normalize(text: str) -> str:
    """`\\r\\n` and `\\r` as `\\n`: models have seen nothing else."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
