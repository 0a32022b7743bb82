"""Prefilling ahead: once the cursor rests, what surely comes is computed, and nobody waits for it."""

import asyncio

import pytest

from midfill.model import Chunk, Finish, FinishReason, Lane
from midfill.server.completion import ahead as ahead_module
from midfill.server.completion.ahead import HEAD_CHARS_PER_TOKEN, PrefillAhead
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot
from tests.unit.service_bench import URI, Bench


@pytest.fixture
def bench(monkeypatch) -> Bench:
    monkeypatch.setattr(ahead_module, "REST_S", 0.001)
    return Bench()


def opened(bench: Bench, picture: str) -> tuple[PrefillAhead, DocumentSnapshot, int]:
    offset = bench.open(picture)
    return PrefillAhead(bench.service, bench.host), bench.documents.snapshot(URI), offset


async def rested(bench: Bench) -> None:
    """Every rest that began before this one is over: the loop's timers fire in order."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(ahead_module.REST_S, over.set)
    await over.wait()


async def test_when_the_cursor_rests_its_place_is_prefilled_and_nothing_is_generated(bench):
    ahead, snapshot, offset = opened(bench, "x = ║\ny")
    ahead.document_changed(snapshot, offset)
    asked = await bench.host.next_asked()
    assert (asked.request.prefix, asked.request.suffix) == ("x = ", "\ny")
    assert asked.request.prefill_only
    assert asked.lane is Lane.AHEAD
    asked.deliver(Chunk())
    asked.deliver(Finish(FinishReason.LENGTH))  # nobody minds


async def test_only_the_last_place_touched_is_prefilled(bench):
    ahead, snapshot, _ = opened(bench, "abcdef║")
    for offset in range(5):
        ahead.document_changed(snapshot, offset)
    assert (await bench.host.next_asked()).request.prefix == "abcd"
    await rested(bench)
    assert len(bench.host.asked) == 1


async def test_an_opened_file_is_prefilled_from_its_head(bench):
    head = bench.host.context_tokens * HEAD_CHARS_PER_TOKEN
    ahead, snapshot, _ = opened(bench, "x" * 10 * head + "║")
    ahead.document_opened(snapshot)
    assert (await bench.host.next_asked()).request.prefix == "x" * head
    ahead, snapshot, _ = opened(bench, "short║")
    ahead.document_opened(snapshot)
    assert (await bench.host.next_asked()).request.prefix == "short"


async def test_a_request_that_comes_first_stops_it(bench):
    ahead, snapshot, offset = opened(bench, "x = ║")
    ahead.stop()  # before anything was touched: nothing happens
    ahead.document_changed(snapshot, offset)
    ahead.stop()
    await rested(bench)
    assert bench.host.asked == []


async def test_what_was_opened_while_the_model_was_loading_is_prefilled_once_it_is_ready(bench):
    ahead, snapshot, offset = opened(bench, "x = ║")
    ahead.model_ready()  # nothing is open yet: nothing happens
    bench.host.silence = "model-loading"
    ahead.document_changed(snapshot, offset)
    await rested(bench)
    assert bench.host.asked == []
    bench.host.silence = ""
    ahead.model_ready()
    assert (await bench.host.next_asked()).request.prefix == "x = "
    ahead.model_ready()
    await rested(bench)
    assert len(bench.host.asked) == 1


async def test_a_file_in_which_nothing_is_suggested_is_not_read_ahead(bench):
    bench.settings = Settings(exclude=("*.py",))
    ahead, snapshot, offset = opened(bench, "password = ║")
    ahead.document_changed(snapshot, offset)
    await rested(bench)
    assert bench.host.asked == []
