"""Pulling a model from the editor: progress, failure, and the end of the session."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from midfill.model import LoadProgress
from midfill.model.errors import DownloadError
from midfill.server import model_host
from midfill.server.status import State
from tests.unit.fakes import TIMEOUT_S
from tests.unit.host_bench import CONFIG, Bench


@pytest.fixture
async def bench(monkeypatch) -> AsyncIterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    assert bench.host.close(TIMEOUT_S)


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
    assert bench.failures == [reason]
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


async def test_a_pull_that_fails_leaves_the_model_that_is_ready_ready(bench, monkeypatch):
    def fetch(name: str, report) -> None:
        raise DownloadError("the disk is full")

    bench.host.start(CONFIG)
    await bench.settle()
    monkeypatch.setattr(model_host, "_fetch", fetch)
    bench.host.pull("big", CONFIG)
    await asyncio.to_thread(bench.host._pull.join, TIMEOUT_S)
    await bench.settle()
    assert (bench.board.current.state, bench.board.current.reason) == (State.READY, "the disk is full")
    assert bench.host.silence == ""
