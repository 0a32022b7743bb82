"""Two models that a test holds in its hands, and the memory they share: for test_pair.py."""

import threading
from collections.abc import Callable, Generator
from dataclasses import replace

from midfill.model import (
    ChatMessage,
    ChatRequest,
    Chunk,
    Event,
    FimRequest,
    Finish,
    FinishReason,
    LoadProgress,
    ModelInfo,
    Request,
)
from midfill.model.backends.base import Report, load_whole
from midfill.model.backends.pair import PairBackend
from midfill.model.errors import TooBig
from tests.unit.fakes import INFO, TIMEOUT_S, Clock

FIM = FimRequest("def f(", "")
CHAT = ChatRequest((ChatMessage("user", "write tests"),))


class Model:
    """Its reader waits for `may_read`; it takes `size` of the room that all share while it is there."""

    def __init__(self, bench: "Bench", name: str, size: int) -> None:
        self._bench, self.name, self._size = bench, name, size
        self.here = False

    def load(self, report: Report) -> ModelInfo:
        return load_whole(self, report)

    def read(self, report: Report) -> None:
        self._bench.log.append(f"read {self.name}")
        self._bench.readers.append(threading.current_thread().name)
        assert self._bench.may_read.wait(TIMEOUT_S)
        if failure := self._bench.failures.get(self.name):
            raise failure
        report(LoadProgress("load", "reading", 0.5))
        if self._size > self._bench.free:
            raise TooBig(f"{self.name} is too big")
        self._bench.free -= self._size
        self.here = True

    def warm_up(self) -> Generator[None, None, ModelInfo]:
        for _ in range(3):
            self._bench.log.append(f"warm {self.name}")
            yield
        chats = self.name == "chat"
        fills = self._bench.chat_fills or not chats
        return replace(INFO, name=self.name, can_chat=chats, dialect=INFO.dialect if fills else "")

    def stream(self, request: Request) -> Generator[Event, None, None]:
        assert self.here
        for _ in range(2):
            self._bench.clock.now += 1
            self._bench.log.append(f"pass {self.name}")
            yield Chunk(self.name)
        yield Finish(FinishReason.EOT)

    def count_tokens(self, text: str) -> int:
        return len(text)

    def close(self) -> None:
        self._bench.free += self._size if self.here else 0
        self.here = False
        self._bench.log.append(f"close {self.name}")


class Bench:
    """A pair and what it says. `room` holds so many units; each model takes two."""

    def __init__(self, room: int = 4, two: bool = True, chat_fills: bool = False, **limits: float) -> None:
        self.free, self.chat_fills = room, chat_fills
        self.log: list[str] = []
        self.readers: list[str] = []
        self.said: list[LoadProgress] = []
        self.may_read = threading.Event()
        self.may_read.set()
        self.failures: dict[str, BaseException] = {}
        self.clock = Clock()
        chat = self._make("chat") if two else None
        self.pair = PairBackend(self._make("fim"), chat, "the instruct model", clock=self.clock, **limits)
        self.info = self.pair.load(self.said.append)
        self.said.clear()
        self.log.clear()

    def _make(self, name: str) -> Callable[[], Model]:
        return lambda: Model(self, name, 2)

    @property
    def stages(self) -> list[str]:
        """Without repetitions."""
        stages = [progress.stage for progress in self.said]
        return [s for i, s in enumerate(stages) if i == 0 or s != stages[i - 1]]

    def ask(self, request: Request) -> str:
        """The whole answer; the stream is closed at its Finish, as the worker does."""
        events: list[Event] = []
        stream = self.pair.stream(request)
        while not (events and isinstance(events[-1], Finish)):
            events.append(next(stream))
        stream.close()
        return "".join(event.text for event in events if isinstance(event, Chunk))

    def settle(self) -> float | None:
        """Let the pair rest until it wants nothing at once."""
        while (again_s := self.pair.rest()) == 0:
            pass
        return again_s
