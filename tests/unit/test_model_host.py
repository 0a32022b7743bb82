"""The model host: what the status says from start to ready, failure, restart, pull and close."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from midfill.model import CancelToken, FimRequest, FinishReason, Lane, LoadProgress, ModelConfig, NoModel
from midfill.model.errors import DownloadError, UnsafeWeights
from midfill.server import model_host
from midfill.server.model_host import DEFAULT_CONTEXT_TOKENS, ModelHost
from midfill.server.status import State, StatusBoard
from tests.unit.fakes import INFO, TIMEOUT_S, GatedBackend, Inbox

CONFIG = ModelConfig("scripted", model="m")


class View:
    def __init__(self, title: str) -> None:
        self.title = title
        self.said: list[tuple[str, float | None]] = []
        self.ended: list[str] = []
        self.over = asyncio.Event()

    def report(self, message: str, fraction: float | None) -> None:
        self.said.append((message, fraction))

    def end(self, message: str) -> None:
        self.ended.append(message)
        self.over.set()


class Bench:
    """A host whose backends and downloads the test holds in its hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: list[State] = []
        self.views: list[View] = []
        self.calls: list[str] = []
        self.backends: list[GatedBackend] = []
        self.next_backend = GatedBackend(gated=False)
        self.board = StatusBoard(lambda method, params: self._state(params["state"]))
        self.settled = asyncio.Event()
        self.host = ModelHost(
            self.board,
            self._open_view,
            lambda: self.calls.append("missing"),
            lambda: self.calls.append("ready"),
        )
        monkeypatch.setattr(model_host, "make_backend", self._make)

    async def settle(self) -> None:
        """Until the status says that the model is at rest."""
        async with asyncio.timeout(TIMEOUT_S):
            await self.settled.wait()

    def _state(self, state: str) -> None:
        self.states.append(State(state))
        at_rest = self.states[-1] in (State.READY, State.FAILED, State.OFF)
        self.settled.set() if at_rest else self.settled.clear()

    def _make(self, config: ModelConfig) -> GatedBackend:
        self.backends.append(self.next_backend)
        return self.next_backend

    def _open_view(self, title: str) -> View:
        self.views.append(View(title))
        return self.views[-1]


@pytest.fixture
async def bench(monkeypatch) -> AsyncIterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    assert bench.host.close(TIMEOUT_S)


async def test_a_load_goes_from_starting_over_loading_to_ready(bench):
    bench.next_backend.reports = (
        LoadProgress("download", "fetching", 0.5),
        LoadProgress("load", "reading"),
    )
    assert bench.board.current.state is State.STARTING
    assert bench.host.silence == "model-starting"
    bench.host.start(CONFIG)
    assert bench.host.silence == "model-loading"
    assert (bench.host.info, bench.host.context_tokens) == (None, DEFAULT_CONTEXT_TOKENS)
    await bench.settle()
    assert bench.states == [State.LOADING, State.DOWNLOADING, State.LOADING, State.READY]
    assert (bench.host.silence, bench.host.info, bench.host.context_tokens) == ("", INFO, 512)
    assert bench.board.current.model == "fake"
    assert bench.calls == ["ready"]
    [view] = bench.views
    assert view.said == [("fetching", 0.5), ("reading", None)]
    assert view.ended == ["fake is ready on none"]


async def test_a_ready_model_answers_and_shows_busy(bench):
    bench.host.start(CONFIG)
    await bench.settle()
    inbox = Inbox()
    bench.host.submit(FimRequest("a", ""), CancelToken(), inbox.deliver, Lane.FIM)
    assert (await asyncio.to_thread(inbox.wait)).reason is FinishReason.EOT
    bench.host.show_busy(True)
    assert bench.board.current.state is State.BUSY
    assert bench.host.silence == ""


async def test_a_load_that_fails_says_why(bench):
    bench.next_backend.load_failure = UnsafeWeights("pickle weights are refused")
    bench.host.start(CONFIG)
    await bench.settle()
    assert (bench.board.current.state, bench.board.current.reason) == (
        State.FAILED,
        "pickle weights are refused",
    )
    assert bench.host.silence == "model-failed"
    assert bench.views[0].ended == ["pickle weights are refused"]
    assert bench.calls == []


async def test_without_a_model_the_status_is_off_and_the_user_is_asked(bench):
    bench.next_backend.load_failure = NoModel("nothing is installed")
    bench.host.start(CONFIG)
    await bench.settle()
    assert (bench.board.current.state, bench.board.current.reason) == (State.OFF, "no-model")
    assert (bench.calls, bench.host.silence) == (["missing"], "model-off")
    assert bench.views[0].ended == ["no model is installed"]


async def test_a_restart_replaces_the_model_and_ignores_what_the_old_load_still_says(bench):
    reached, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def before_report() -> None:
        reached.release()
        assert go_on.acquire(timeout=TIMEOUT_S)

    old, stages = bench.next_backend, (LoadProgress("load", "old"), LoadProgress("load", "older"))
    old.reports, old.before_report = stages, before_report
    bench.host.start(CONFIG)
    go_on.release()
    # The loop stands still here: "old" is on its way to it, "older" will find the worker closed.
    assert reached.acquire(timeout=TIMEOUT_S)
    assert reached.acquire(timeout=TIMEOUT_S)
    bench.next_backend = GatedBackend(gated=False)
    bench.host.start(CONFIG)
    await bench.settle()
    go_on.release()
    async with asyncio.timeout(TIMEOUT_S):
        await bench.views[0].over.wait()
    assert (bench.views[0].said, bench.views[0].ended) == ([], ["replaced"])
    assert bench.board.current.state is State.READY
    assert bench.calls == ["ready"]
    assert await asyncio.to_thread(old.ended.wait, TIMEOUT_S)
    assert (old.closed, bench.backends[1].closed) == (1, 0)


async def test_a_restart_of_a_ready_model_frees_the_old_one(bench):
    bench.host.start(CONFIG)
    await bench.settle()
    old, bench.next_backend = bench.next_backend, GatedBackend(gated=False)
    bench.host.start(CONFIG)
    assert bench.host.info is None
    await bench.settle()
    assert await asyncio.to_thread(old.ended.wait, TIMEOUT_S)
    assert bench.states == [State.LOADING, State.READY] * 2


async def test_a_pull_shows_its_progress_then_starts_the_model_and_a_second_one_is_refused(
    bench, monkeypatch
):
    go_on = threading.Event()

    def fetch(name: str, report) -> None:
        report(LoadProgress("download", f"fetching {name}", 0.5))
        assert go_on.wait(TIMEOUT_S)

    monkeypatch.setattr(model_host, "_fetch", fetch)
    assert bench.host.pull("big", CONFIG)
    assert not bench.host.pull("big", CONFIG)
    assert bench.host.silence == "model-downloading"
    go_on.set()
    await bench.settle()
    assert bench.states[-3:] == [State.DOWNLOADING, State.LOADING, State.READY]
    download, load = bench.views
    assert (download.said, download.ended) == ([("fetching big", 0.5)], ["downloaded"])
    assert load.ended == ["fake is ready on none"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DownloadError("the disk is full"), "the disk is full"),
        (KeyError("sha"), "the download failed: KeyError: 'sha'"),
    ],
)
async def test_a_pull_that_fails_says_why_and_can_be_tried_again(bench, monkeypatch, error, reason):
    def fetch(name: str, report) -> None:
        raise error

    monkeypatch.setattr(model_host, "_fetch", fetch)
    assert bench.host.pull("big", CONFIG)
    await bench.settle()
    assert (bench.board.current.state, bench.board.current.reason) == (State.FAILED, reason)
    assert bench.views[0].ended == [reason]
    assert bench.backends == []
    await asyncio.to_thread(bench.host._pull.join, TIMEOUT_S)
    assert bench.host.pull("big", CONFIG)
    await asyncio.to_thread(bench.host._pull.join, TIMEOUT_S)


async def test_a_pull_is_abandoned_when_the_session_ends(bench, monkeypatch):
    closed, abandoned = threading.Event(), threading.Event()

    def fetch(name: str, report) -> None:
        assert closed.wait(TIMEOUT_S)
        try:
            report(LoadProgress("download", "half", 0.5))
        except BaseException:
            abandoned.set()
            raise

    monkeypatch.setattr(model_host, "_fetch", fetch)
    bench.host.pull("big", CONFIG)
    bench.host.close()
    closed.set()
    assert await asyncio.to_thread(abandoned.wait, TIMEOUT_S)
    await asyncio.to_thread(bench.host._pull.join, TIMEOUT_S)
    await asyncio.sleep(0)
    assert bench.views[0].said == []
    assert bench.backends == []


async def test_nothing_is_started_after_close(bench):
    assert bench.host.close()
    bench.host.start(CONFIG)
    assert (bench.states, bench.views) == ([], [])


async def test_close_says_whether_the_model_thread_ended(bench):
    bench.next_backend = GatedBackend()
    bench.host.start(CONFIG)
    await bench.settle()
    inbox = Inbox()
    bench.host.submit(FimRequest("a", ""), CancelToken(), inbox.deliver, Lane.FIM)
    await asyncio.to_thread(bench.next_backend.wait_for_pass)
    assert not bench.host.close(timeout_s=0)
    bench.next_backend.open_gate()
    assert (await asyncio.to_thread(inbox.wait)).message == "shutdown"
