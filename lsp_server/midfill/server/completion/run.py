"""One completion request on its way: its place, what interrupts it, what it ends with.

Lives on the event loop. Model calls are others' (`decodes.py`): a run only waits for one.
"""

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from midfill.model import CancelReason, Finish
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.decodes import Decode
from midfill.server.completion.reuse import Written
from midfill.server.completion.selected import Selected
from midfill.server.documents import grew_by
from midfill.server.text import DocumentSnapshot

Value = TypeVar("Value")


class Source(StrEnum):
    """Where an answer came from; the last two cost a model call of its own, or part of one."""

    NOWHERE = ""
    TYPED_THROUGH = "typed-through"
    CACHE = "cache"
    AHEAD = "ahead"
    """Written before anybody asked."""
    JOINED = "joined"
    """A model call that was under way already."""
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request ends with. Exactly one of: a suggestion; nothing, and why; superseded."""

    suggestion: Suggestion | None = None
    reason: str = ""
    superseded: bool = False
    """The request's place is gone: the editor keeps what it shows (`null`, not an empty list)."""
    source: Source = Source.NOWHERE
    written: Written | None = None
    """What it was made of, unless it was shown before."""
    others: tuple[Suggestion, ...] = ()
    """More to choose from, at the same place."""

    @property
    def finish(self) -> Finish | None:
        return self.written.finish if self.written else None

    def with_selected(self, selected: Selected | None) -> "Answer":
        """The same with the menu's selected item in front of every suggestion."""
        if selected is None or self.suggestion is None:
            return self
        others = tuple(map(selected.with_rest, self.others))
        return replace(self, suggestion=selected.with_rest(self.suggestion), others=others)

    @property
    def figures(self) -> str:
        """Tokens and times of the model call that it took, for a line in the log; no text."""
        if self.finish is None or self.source not in (Source.MODEL, Source.JOINED):
            return ""
        usage = self.finish.usage
        return (
            f" end={self.finish.reason} prompt={usage.prompt_tokens} reused={usage.reused_tokens}"
            f" out={usage.generated_tokens} queue_ms={usage.queue_ms:.0f}"
            f" prefill_ms={usage.prefill_ms:.0f} decode_ms={usage.decode_ms:.0f}"
        )

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        return () if self.suggestion is None else (self.suggestion, *self.others)


class Interrupted(Exception):  # noqa: N818 - not a fault
    """The run was superseded, or the text it answers is gone."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a request, and how long it took in milliseconds."""

    name: str
    ms: float


@dataclass(slots=True, eq=False)
class Run:
    """`snapshot` and `offset` are what the model is asked about: with the menu's selected item inserted,
    where there is one."""

    snapshot: DocumentSnapshot
    offset: int
    trigger: Trigger
    selected: Selected | None = None
    asked: DocumentSnapshot = field(init=False)
    """The document as it was."""
    decode: Decode | None = None
    """The model call that it waits for."""
    reason: str = ""
    """Why it was interrupted."""
    stages: list[Stage] = field(default_factory=list)
    """What was done for it so far, in order."""
    began: float = field(init=False)
    """On the loop's clock, in seconds, as is `_since`: when the present stage began."""
    _since: float = field(init=False)
    _interrupted: "asyncio.Future[None]" = field(init=False)

    def __post_init__(self) -> None:
        self.asked = self.snapshot
        loop = asyncio.get_running_loop()
        self.began = self._since = loop.time()
        self._interrupted = loop.create_future()
        if self.selected is not None:
            self.snapshot, self.offset = self.selected.inserted(self.asked)

    @property
    def uri(self) -> str:
        return self.asked.uri

    def place_in(self, now: DocumentSnapshot | None) -> tuple[DocumentSnapshot, int] | None:
        """The run's place in the document as it is `now`; None when it is gone."""
        if now is None:
            return None
        if now is self.asked or now.text == self.asked.text:
            return self.snapshot, self.offset
        typed = None if self.selected else grew_by(self.snapshot, now, self.offset)
        return None if typed is None else (now, self.offset + len(typed))

    def did(self, stage: str, value: Value) -> Value:
        """Note that `stage` is done now; `value`, whatever came out of it, is handed through."""
        now = asyncio.get_running_loop().time()
        self.stages.append(Stage(stage, (now - self._since) * 1000))
        self._since = now
        return value

    def interrupt(self, reason: CancelReason) -> None:
        """End the run now: whoever waits below wakes at once."""
        if not self._interrupted.done():
            self.reason = reason.value
            self._interrupted.set_result(None)

    @property
    def decode_was_dropped(self) -> bool:
        """Nothing comes of what it waits for."""
        return self.decode is not None and self.decode.token.cancelled

    def check(self) -> None:
        """Raises Interrupted if it was."""
        if self._interrupted.done():
            raise Interrupted

    async def rest(self, seconds: float) -> None:
        """Wait `seconds`. Raises Interrupted as soon as the run is interrupted."""
        if seconds > 0:
            await asyncio.wait({self._interrupted}, timeout=seconds)
            self.check()
        self.did("debounce", None)

    async def wait(self, decode: Decode, until: float | None) -> bool:
        """Whether `decode` ends before `until` on the loop's clock. Raises Interrupted as soon as the run
        is interrupted.

        Meanwhile the decode is this run's; it outlives the run if nobody ends it.
        """
        decode.waiter, self.decode = self, decode
        either: set[asyncio.Future[Any]] = {self._interrupted, decode.ended}
        seconds = None if until is None else max(0.0, until - asyncio.get_running_loop().time())
        try:
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if decode.waiter is self:  # nobody has taken it over
                decode.waiter = None
        self.check()
        return self.did("model", decode.ended.done())
