"""What the replayed policies share: a request at a place, a decode that is being read, and the clean-up.

Stops and clean-up are Midfill's: all three have such rules, and what is compared here is when each asks,
waits, reuses and gives up.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.replay.policy import Reply
from midfill.model import (
    CancelReason,
    CancelToken,
    Chunk,
    Event,
    FimRequest,
    Finish,
    Lane,
    Scope,
    StopRules,
)
from midfill.server.completion.cleanup import clean_up
from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.request import next_line
from midfill.server.text import DocumentSnapshot, edited_snapshot

CHARS = 16_384
"""Text to each side that a request carries; each policy's `Window` cuts it."""


class Writing:
    """One decode: its text so far, and whoever reads along."""

    def __init__(self, host: Any, request: FimRequest, read: Callable[["Writing"], None]) -> None:
        """`read` is called after every token and at the end."""
        self.request = request
        self.text = ""
        self.tokens = 0
        self.finished = False
        self._read = read
        self._token = CancelToken()
        host.submit(request, self._token, self._take, Lane.FIM)

    def stop(self) -> None:
        """No further token is made. What is there stays."""
        self._token.cancel(CancelReason.ENOUGH)

    def _take(self, event: Event) -> None:
        if isinstance(event, Chunk):
            self.text += event.text
            self.tokens += len(event.logprobs)
        self.finished = isinstance(event, Finish)
        self._read(self)


def place(snapshot: DocumentSnapshot, offset: int) -> CursorContext:
    return read_cursor(snapshot, offset, Trigger.AUTOMATIC, CHARS)


def place_after(context: CursorContext, accepted: str) -> CursorContext:
    """The cursor behind `accepted`, were it inserted here."""
    text = edited_snapshot(context.snapshot, context.offset, context.offset, accepted)
    return place(text, context.offset + len(accepted))


def request_at(context: CursorContext, max_new_tokens: int) -> FimRequest:
    """Several lines are welcome; a policy that wants one reads no further."""
    return FimRequest(
        prefix=context.prefix,
        suffix=context.suffix,
        language=context.snapshot.language,
        path=context.snapshot.uri,
        stop=StopRules(Scope.BLOCK, context.line_before, next_line(context)),
        max_new_tokens=max_new_tokens,
    )


def reply(text: str, context: CursorContext) -> Reply:
    """`text` as it may be shown at this place."""
    suggestion, rule = clean_up(text, context)
    if suggestion is None:
        return Reply(reason=f"dropped by {rule}" if text else "empty")
    return Reply(suggestion.text, suggestion.offset, suggestion.replace)
