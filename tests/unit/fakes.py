"""Stand-ins that the unit tests share: a backend whose every forward pass waits for the test, the
receiving end of a request, a clock, and a model host without a model.

Whatever waits here gives up after TIMEOUT_S: only a hang takes that long, nothing is asserted on time.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from midfill.model import (
    CancelToken,
    ChatRequest,
    Chunk,
    Event,
    FimRequest,
    Finish,
    FinishReason,
    Lane,
    LoadProgress,
    ModelError,
    ModelInfo,
    Request,
    Worker,
)
from midfill.model.lanes import Deliver

TIMEOUT_S = 10.0
INFO = ModelInfo("fake", "none", "none", "fake", context_tokens=512, can_chat=True)
ANSWER: tuple[Event, ...] = (Chunk("one "), Chunk("two "), Chunk("three"), Finish(FinishReason.EOT))


def name_of(request: Request) -> str:
    """How a test calls a request: a FIM request's prefix, a chat's last message."""
    return request.messages[-1].content if isinstance(request, ChatRequest) else request.prefix


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class GatedBackend:
    """Answers with `script`, one chunk a forward pass; each pass waits until the test allows it.

    A `script` item that is an exception is raised instead of a pass.
    """

    def __init__(self, script: Sequence[Event | Exception] = ANSWER, gated: bool = True) -> None:
        self.scripts: dict[str, Sequence[Event | Exception]] = {}
        """By request name; `script` for all others."""
        self.passes: list[str] = []
        """The requests whose passes were completed, in order."""
        self.most_at_once = 0
        self.closed_streams: list[str] = []
        self.closed = 0
        self.ended = threading.Event()
        self.load_failure: BaseException | None = None
        self.reports: tuple[LoadProgress, ...] = ()
        self.info = INFO
        self.most_chats = 1
        self.before_report: Callable[[], None] = lambda: None
        self._script = script
        self._gated = gated
        self._running = 0
        self._entered: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._permits = threading.Semaphore(0)

    def load(self, report: Callable[[LoadProgress], None]) -> ModelInfo:
        for progress in self.reports:
            self.before_report()
            report(progress)
        if self.load_failure is not None:
            raise self.load_failure
        return self.info

    def stream(self, request: Request) -> Generator[Event, None, None]:
        name = name_of(request)
        try:
            for item in self.scripts.get(name, self._script):
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, Chunk):
                    self._pass(name)
                yield item
        finally:
            self.closed_streams.append(name)

    def count_tokens(self, text: str) -> int:
        return len(text)

    def close(self) -> None:
        self.closed += 1
        self.ended.set()

    def wait_for_pass(self) -> str:
        """The name of the request whose pass is under way now, waiting for `allow`."""
        return self._entered.get(timeout=TIMEOUT_S)

    def allow(self, passes: int = 1) -> None:
        self._permits.release(passes)

    def open_gate(self) -> None:
        self._gated = False
        self.allow()

    def _pass(self, name: str) -> None:
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        if self._gated:
            self._entered.put(name)
            assert self._permits.acquire(timeout=TIMEOUT_S), "no test allowed this pass"
        self.passes.append(name)
        self._running -= 1


class Inbox:
    """The receiving end of one request."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._finished = threading.Event()

    def deliver(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Finish):
            self._finished.set()

    def wait(self) -> Finish:
        """The Finish, once it is there."""
        assert self._finished.wait(TIMEOUT_S), "no Finish came"
        return self.finishes[0]

    @property
    def finishes(self) -> list[Finish]:
        return [event for event in self.events if isinstance(event, Finish)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Chunk))


@dataclass
class Loaded:
    """A worker that was told to load, and what its load ended with."""

    worker: Worker
    outcomes: list[ModelInfo | ModelError] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def load(self, report: Callable[[LoadProgress], None] = lambda progress: None) -> None:
        self.worker.load(report, self._done)

    def wait(self) -> ModelInfo | ModelError:
        assert self.done.wait(TIMEOUT_S), "the load never ended"
        return self.outcomes[0]

    def _done(self, outcome: ModelInfo | ModelError) -> None:
        self.outcomes.append(outcome)
        self.done.set()


@dataclass
class Asked:
    """One request as it reached the fake host."""

    request: FimRequest
    token: CancelToken
    deliver: Deliver
    lane: Lane

    def answer(self, *texts: str, reason: FinishReason = FinishReason.EOT, message: str = "") -> None:
        for text in texts:
            self.deliver(Chunk(text))
        self.deliver(Finish(reason, message=message))


class FakeHost:
    """What the completion service sees of the model: the test answers by hand."""

    def __init__(self) -> None:
        self.silence = ""
        self.info: ModelInfo | None = None
        self.context_tokens = 512
        self.asked: list[Asked] = []
        self._arrived: asyncio.Queue[Asked] = asyncio.Queue()
        self.busy: list[bool] = []

    def submit(self, request: FimRequest, token: CancelToken, deliver: Deliver, lane: Lane) -> None:
        self.asked.append(Asked(request, token, deliver, lane))
        self._arrived.put_nowait(self.asked[-1])

    async def next_asked(self) -> Asked:
        """The next request that was not taken yet, waiting for it."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self._arrived.get()

    def began_waiting(self) -> None:
        self.busy.append(True)

    def stopped_waiting(self) -> None:
        self.busy.append(False)
