"""What the status says of a model that was ready and then loads another, is unloaded, comes back."""

from collections.abc import AsyncIterator

import pytest

from midfill.model import (
    CancelToken,
    FimRequest,
    FinishReason,
    Lane,
    LoadProgress,
    ModelInfo,
)
from midfill.model.backends.pair import PairBackend
from midfill.server.later_loads import LaterLoads
from midfill.server.status import State, StatusBoard
from tests.unit.fakes import TIMEOUT_S, Clock, Inbox
from tests.unit.host_bench import CONFIG, Bench, View
from tests.unit.two_models import Bench as TwoModels

INFO = ModelInfo("m", "cpu", "int4", "d", 2048, can_chat=True)


class Board:
    def __init__(self) -> None:
        self.views: list[View] = []
        self.status = StatusBoard(lambda method, params: None)
        self.later = LaterLoads(self.status, self._open)

    def _open(self, title: str) -> View:
        self.views.append(View(title))
        return self.views[-1]

    def take(self, stage: str, message: str = "", busy: bool = False) -> tuple[State, str, str]:
        self.later.take(LoadProgress(stage, message, 0.5), INFO, busy)
        current = self.status.current
        return (current.state, current.reason, current.model)


async def test_a_second_load_shows_and_ends_as_it_began():
    board = Board()
    assert board.take("load", "loading b for code actions") == (
        State.LOADING,
        "loading b for code actions",
        "m",
    )
    board.take("warm-up", "loading b (first tokens)")
    assert board.take("ready", busy=True) == (State.BUSY, "", "m")
    [view] = board.views
    assert [message for message, _ in view.said] == [
        "loading b for code actions",
        "loading b (first tokens)",
    ]
    assert view.ended == ["ready"]
    assert board.take("ready") == (State.READY, "", "m")
    assert len(board.views) == 1


async def test_an_idle_model_is_off_and_a_failed_one_says_why():
    board = Board()
    assert board.take("idle", "nobody asked for 10 minutes") == (State.OFF, "idle", "m")
    assert board.views == []
    board.take("load", "loading m again")
    assert board.take("failed", "m was removed") == (State.FAILED, "m was removed", "")
    assert board.views[0].ended == ["m was removed"]


async def test_a_view_is_closed_when_the_worker_goes():
    board = Board()
    board.later.stop()
    board.take("load", "loading b")
    board.later.stop()
    assert board.views[0].ended == ["stopped"]


@pytest.fixture
async def bench(monkeypatch) -> AsyncIterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    assert bench.host.close(TIMEOUT_S)


async def test_the_host_stays_open_for_requests_while_the_model_is_off_and_the_next_brings_it_back(bench):
    two, clock = TwoModels(two=False), Clock()
    bench.next_backend = PairBackend(two._make("fim"), unload_after_s=5, clock=clock)
    bench.host.start(CONFIG)
    await bench.settle()

    async def ask() -> tuple[FinishReason, str]:
        bench.settled.clear()
        inbox = Inbox()
        bench.host.submit(FimRequest("a", ""), CancelToken(), inbox.deliver, Lane.FIM)
        finish = inbox.wait()
        return finish.reason, finish.message

    assert (await ask())[0] is FinishReason.EOT
    clock.now += 5
    worker = bench.host._worker
    with worker._wake:
        worker._wake.notify()
    await bench.settle()
    assert (bench.board.current.state, bench.board.current.reason) == (State.OFF, "idle")
    assert bench.host.silence == ""
    assert await ask() == (FinishReason.ERROR, "fim is being loaded again")
    await bench.settle()
    assert bench.board.current.state is State.READY
    assert (await ask())[0] is FinishReason.EOT
