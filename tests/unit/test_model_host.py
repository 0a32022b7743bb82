"""The model host: what the status says from start to ready, failure, restart and close."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from midfill.model import CancelToken, FimRequest, FinishReason, Lane, LoadProgress, NoModel
from midfill.model.errors import UnsafeWeights
from midfill.server.model_host import DEFAULT_CONTEXT_TOKENS
from midfill.server.status import State
from tests.unit.fakes import INFO, TIMEOUT_S, GatedBackend, Inbox
from tests.unit.host_bench import CONFIG, Bench


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


async def test_a_model_that_does_not_fill_says_so_as_long_as_it_runs(bench):
    bench.next_backend.info = replace(INFO, dialect="", left_to_right="it was never trained to")
    bench.host.start(CONFIG)
    await bench.settle()
    said = (State.READY, "completes left to right: it was never trained to", "fake")
    current = bench.board.current
    assert (current.state, current.reason, current.model) == said
    bench.host.began_waiting()
    bench.host.stopped_waiting()
    assert bench.board.current == current


async def test_a_setting_that_could_not_be_had_is_said_beside_it(bench):
    bench.next_backend.info = replace(INFO, left_to_right="it cannot fill", note="contextTokens is cut")
    bench.host.start(CONFIG)
    await bench.settle()
    assert bench.board.current.reason == "completes left to right: it cannot fill; contextTokens is cut"


async def test_a_ready_model_answers_and_shows_busy(bench):
    bench.host.start(CONFIG)
    await bench.settle()
    inbox = Inbox()
    bench.host.submit(FimRequest("a", ""), CancelToken(), inbox.deliver, Lane.FIM)
    assert (await asyncio.to_thread(inbox.wait)).reason is FinishReason.EOT
    bench.host.began_waiting()
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
    assert (bench.calls, bench.host.silence) == (["missing: nothing is installed"], "model-off")
    assert bench.views[0].ended == ["nothing is installed"]


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
    go_on.release()
    await bench.settle()
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


async def test_busy_shows_until_nobody_waits_any_more(bench):
    bench.host.start(CONFIG)
    await bench.settle()
    bench.host.began_waiting()
    bench.host.began_waiting()
    bench.host.stopped_waiting()
    assert bench.board.current.state is State.BUSY
    bench.host.stopped_waiting()
    assert bench.board.current.state is State.READY


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
    assert bench.host.close()


async def test_a_worker_that_was_told_to_end_counts_until_it_has(bench):
    """`shutdown` tells it, `exit` comes later: the process must not end under a forward pass."""
    bench.next_backend = GatedBackend()
    bench.host.start(CONFIG)
    await bench.settle()
    bench.host.submit(FimRequest("a", ""), CancelToken(), Inbox().deliver, Lane.FIM)
    await asyncio.to_thread(bench.next_backend.wait_for_pass)
    assert not bench.host.close(timeout_s=0)
    assert not bench.host.close(timeout_s=0)
    bench.next_backend.open_gate()
    assert bench.host.close(TIMEOUT_S)


async def test_invariant_3_a_restarted_model_is_loaded_when_the_old_one_has_ended(bench):
    old = bench.next_backend = GatedBackend()
    bench.host.start(CONFIG)
    await bench.settle()
    bench.host.submit(FimRequest("a", ""), CancelToken(), Inbox().deliver, Lane.FIM)
    await asyncio.to_thread(old.wait_for_pass)
    bench.next_backend = GatedBackend(gated=False)
    bench.host.start(CONFIG)
    assert bench.backends == [old]
    old.open_gate()
    await bench.settle()
    assert len(bench.backends) == 2
    assert old.ended.is_set()
