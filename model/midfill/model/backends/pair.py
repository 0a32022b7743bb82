"""Two models in one backend: one completes, one chats. Who is in memory, and what makes room for what.

The first loads at the start, the second at the first chat request. One that nobody asked for long is
unloaded, and loaded again by the next request. Two that do not fit together take turns. Never more than
one forward pass at a time: the other model's weights are read beside them, its first passes are not.
"""

import logging
import time
from collections.abc import Callable, Generator
from dataclasses import replace

from midfill.model.api import ChatRequest, Chunk, Event, FimRequest, LoadProgress, ModelInfo, Request
from midfill.model.backends.base import Report, TwoStep
from midfill.model.backends.slot import Slot
from midfill.model.errors import ModelError, NotNow, OutOfMemory

log = logging.getLogger(__name__)

Make = Callable[[], TwoStep]


class PairBackend:
    """See `Backend`. Without `make_chat` the one model does both, and may still be unloaded.

    `unload_after_s` and `chat_unload_after_s`: seconds without a request; 0 means never.
    """

    def __init__(
        self,
        make_fim: Make,
        make_chat: Make | None = None,
        chat_name: str = "",
        unload_after_s: float = 0,
        chat_unload_after_s: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._fim = Slot(make_fim, clock)
        self._chat = Slot(make_chat, clock) if make_chat else self._fim
        self._limits = {self._fim: unload_after_s}
        if make_chat:
            self._limits[self._chat] = chat_unload_after_s
        self._chat_name = chat_name
        self._report: Report = _ignore
        self._first: ModelInfo | None = None
        self._taking_turns = False
        """Whether the two were seen not to fit together."""
        self._chats = 0
        """Chat streams under way: their model must stay."""
        self._loads: dict[Slot, Generator[None, None, None]] = {}
        """Loads that no chat stream is waiting for, which `rest` goes on with."""
        self._failure = ""
        """Why the first model could not be loaded again: no request tries once more."""

    def load(self, report: Report) -> ModelInfo:
        """Load the first model. `report` is kept: later loads, and what is unloaded, go there as well."""
        self._report = report
        info = self._first = self._fim.load(report)
        return info if self._chat is self._fim else replace(info, can_chat=True)

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """See `Backend.stream`. A completion that finds its model gone raises NotNow, and has it loaded."""
        match request:
            case FimRequest(apart=True):
                yield from self._infill(request)
            case FimRequest():
                yield from self._complete(request)
            case ChatRequest():
                yield from self._answer(self._chat, self._fim, request)

    def rest(self) -> float | None:
        """See `Resting.rest`: goes on loading the first model, unloads what is idle."""
        for slot in self._limits:
            if slot.info is None and not slot.off:
                self._load_step(slot)
                return 0.0
        return self._unload_idle()

    @property
    def most_chats(self) -> int:
        """See `most_chats_of`: either may be asked by an action."""
        return min(slot.most_chats for slot in self._limits)

    def count_tokens(self, text: str) -> int:
        """As the model that completes counts."""
        return self._fim.backend.count_tokens(text)

    def close(self) -> None:
        """Free the device."""
        self._loads.clear()
        for slot in self._limits:
            slot.close()

    def _complete(self, request: FimRequest) -> Generator[Event, None, None]:
        self._fim.touch()
        if self._fim.info is None:
            raise NotNow(self._why_not())
        try:
            yield from self._fim.backend.stream(request)
        finally:
            self._fim.touch()

    def _infill(self, request: FimRequest) -> Generator[Event, None, None]:
        """For an action: by its own model where that fills too, since it is the better one to say what code
        does (`--instruct` of bench-actions); else by the first, which is waited for, unless it would take
        the chat model's place."""
        if self._chat is not self._fim:
            yield from self._loaded(self._chat, self._fim)
            if self._chat.info is not None and self._chat.info.dialect:
                yield from self._answer(self._chat, self._fim, request)
                return
            if self._fim.info is None and self._taking_turns:
                raise NotNow(self._paused())
        yield from self._answer(self._fim, self._chat, request)

    def _why_not(self) -> str:
        """Why there is no model to complete; has it loaded when nothing stands against it."""
        if self._failure:
            return self._failure
        name = self._first.name if self._first else "the model"
        if self._chats and self._taking_turns:
            return self._paused()
        if self._fim.off:
            self._loads.pop(self._fim, None)
            self._load_step(self._fim)
        return self._failure or f"{name} is being loaded again"

    def _paused(self) -> str:
        return f"completions pause while {self._chat_name} answers: the two models do not fit together"

    def _load_step(self, slot: Slot) -> None:
        if slot not in self._loads:
            other = self._chat if slot is self._fim else self._fim
            self._loads[slot] = self._make_ready(slot, other)
        try:
            next(self._loads[slot])
            return
        except (StopIteration, NotNow):
            pass
        except ModelError as error:
            log.warning("a model could not be loaded again: %s", error)
            if slot is self._fim:
                self._failure = str(error)
                self._report(LoadProgress("failed", self._failure))
        del self._loads[slot]

    def _answer(self, slot: Slot, other: Slot, request: Request) -> Generator[Event, None, None]:
        yield from self._loaded(slot, other)
        self._chats += 1
        try:
            yield from slot.backend.stream(request)
        finally:
            self._chats -= 1
            slot.touch()

    def _loaded(self, slot: Slot, other: Slot) -> Generator[Event, None, None]:
        """`slot` in memory, as something that an action waits for."""
        slot.touch()
        self._chats += 1
        try:
            for _ in self._make_ready(slot, other):
                yield Chunk()
        finally:
            self._chats -= 1

    def _make_ready(self, slot: Slot, other: Slot) -> Generator[None, None, None]:
        """Load `slot` in steps; `other` makes room where both do not fit."""
        if slot.info is not None:
            return
        if self._taking_turns:
            self._make_room(slot, other)
        say = self._said_of(slot)
        say(LoadProgress("load", ""))
        try:
            try:
                yield from slot.make_ready(say)
            except OutOfMemory:
                if other is slot or other.off:
                    raise
                self._taking_turns = True
                if other is self._chat and self._chats:
                    raise NotNow(self._paused()) from None
                self._make_room(slot, other)
                yield from slot.make_ready(say)
        except ModelError:
            if slot is not self._fim:  # the one that completes is as it was
                self._say_ready()
            raise
        self._failure = ""
        self._say_ready()

    def _make_room(self, slot: Slot, other: Slot) -> None:
        if other is slot or other.off:
            return
        log.info("unloading a model: two do not fit together")
        self._loads.pop(other, None)
        other.close()

    def _said_of(self, slot: Slot) -> Report:
        """A report that says for what a model is being loaded."""
        second = slot is not self._fim
        name = self._chat_name if second else self._first.name if self._first else "the model"
        what = f"loading {name} for code actions" if second else f"loading {name} again"

        def say(progress: LoadProgress) -> None:
            turns = "; it takes turns with the other model: they do not fit together"
            message = what + (f" ({progress.message})" if progress.message else "")
            self._report(replace(progress, message=message + (turns if self._taking_turns else "")))

        return say

    def _say_ready(self) -> None:
        if self._fim.info is not None:
            self._report(LoadProgress("ready", ""))
        elif self._chat.info is not None:
            self._report(
                LoadProgress("ready", f"{self._chat_name} is loaded; completions come back when asked for")
            )
        else:
            self._report(LoadProgress("idle", ""))

    def _unload_idle(self) -> float | None:
        """Unload what nobody asked for long; the seconds until the next may be due."""
        due = []
        for slot, limit_s in self._limits.items():
            if not limit_s or slot.info is None:
                continue
            left_s = slot.used + limit_s - self._clock()
            if left_s > 0:
                due.append(left_s)
                continue
            log.info("unloading %s: nobody asked it for %.0f s", slot.info.name, limit_s)
            slot.close()
            if slot is self._fim:
                self._report(LoadProgress("idle", f"nobody asked for {limit_s / 60:.0f} minutes"))
        return min(due, default=None)


def _ignore(progress: LoadProgress) -> None:
    """Nothing is loaded yet that could have anything to say."""
