"""The completion service: latest wins, invariant 2, and how a request that is given up ends."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from midfill.model import CancelReason, Chunk, FinishReason, Lane, Scope, Worker
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.run import Answer, Source
from midfill.server.completion.service import CompletionService
from tests.unit.fakes import TIMEOUT_S, FakeHost, GatedBackend, Loaded
from tests.unit.service_bench import PLAIN, URI, Bench, ended

NEVER_MS = 3_600_000
"""A debounce that only an interruption ends."""


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_request_is_answered_with_what_the_model_wrote(bench):
    task = bench.ask(bench.open("def add(║)\n"))
    asked = await bench.host.next_asked()
    assert (asked.request.prefix, asked.request.suffix, asked.lane) == ("def add(", "\n", Lane.FIM)
    assert asked.request.stop.scope is Scope.BLOCK
    asked.answer("a, b", "):\n    return a + b")
    answer = await ended(task)
    assert bench.shown(answer) == "def add(├a, b):\n    return a + b┤\n"
    assert answer.finish.reason is FinishReason.EOT
    assert bench.service.last_answer is answer


async def test_a_newer_request_supersedes_the_one_before_it_in_the_same_document(bench):
    offset = bench.open("x = ║")
    first = bench.ask(offset)
    asked = await bench.host.next_asked()
    second = bench.ask(offset)
    answer = await ended(first)
    assert (answer.superseded, answer.suggestion) == (True, None)
    asked.answer("1")
    answer = await ended(second)
    assert bench.shown(answer) == "x = ├1┤"
    assert answer.source is Source.JOINED


async def test_one_somewhere_else_in_it_ends_what_the_model_writes(bench):
    first = bench.ask(bench.open("x = ║"))
    asked = await bench.host.next_asked()
    second = bench.ask(1)
    assert (await ended(first)).superseded
    assert asked.token.reason is CancelReason.SUPERSEDED
    (await bench.host.next_asked()).answer("y")
    assert bench.shown(await ended(second)) == "x├y┤ = "


async def test_requests_in_two_documents_do_not_disturb_each_other(bench):
    other = "file:///b.py"
    tasks = [bench.ask(bench.open("x = ║", uri), uri) for uri in (URI, other)]
    for _ in tasks:
        (await bench.host.next_asked()).answer("1")
    answers = [await ended(task) for task in tasks]
    assert [answer.suggestion.text for answer in answers] == ["1", "1"]


async def test_a_document_that_is_closed_while_generating_ends_its_request(bench):
    task = bench.ask(bench.open("x = ║"))
    asked = await bench.host.next_asked()
    bench.documents.close(URI)
    bench.service.document_closed(URI)
    assert (await ended(task)).superseded
    assert asked.token.reason is CancelReason.SUPERSEDED


async def test_a_cancelled_task_cancels_the_request(bench):
    task = bench.ask(bench.open("x = ║"))
    asked = await bench.host.next_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended(task)
    assert asked.token.reason is CancelReason.CLIENT
    task = bench.ask(4)
    (await bench.host.next_asked()).answer("1")
    assert bench.shown(await ended(task)) == "x = ├1┤"


async def test_while_the_model_loads_the_answer_is_its_reason_and_nothing_is_asked(bench):
    bench.host.silence = "model-loading"
    answer = await ended(bench.ask(bench.open("x = ║")))
    assert answer == Answer(reason="model-loading")
    assert bench.host.asked == []


async def test_a_model_that_stops_during_the_debounce_is_not_asked(bench):
    bench.settings = replace(PLAIN, debounce_ms=1)
    task = bench.ask(bench.open("x = ║"))
    await asyncio.sleep(0)  # the request is in its debounce now
    bench.host.silence = "model-loading"
    assert await ended(task) == Answer(reason="model-loading")
    assert bench.host.asked == []


async def test_an_excluded_file_is_not_asked_for(bench):
    bench.settings = replace(PLAIN, debounce_ms=0, exclude=("*.py",))
    assert (await ended(bench.ask(bench.open("x = ║")))).reason == "file-excluded"
    assert bench.host.asked == []


async def test_what_is_written_by_the_deadline_is_the_answer_and_the_rest_is_kept_for_the_next(bench):
    task = bench.ask(bench.open("x = ║"), deadline_s=0.001)
    asked = await bench.host.next_asked()
    asked.deliver(Chunk("12"))
    assert bench.shown(await ended(task)) == "x = ├12┤"
    assert not asked.token.cancelled
    asked.answer("34")
    await asyncio.sleep(0)
    answer = await ended(bench.ask(4))
    assert (bench.shown(answer), answer.source) == ("x = ├1234┤", Source.CACHE)


async def test_a_model_that_shuts_down_meanwhile_leaves_the_screen_as_it_is(bench):
    task = bench.ask(bench.open("x = ║"))
    (await bench.host.next_asked()).answer("12", reason=FinishReason.CANCELLED, message="shutdown")
    answer = await ended(task)
    assert (answer.suggestion, answer.superseded) == (None, True)
    assert len(bench.host.asked) == 1


async def test_a_model_error_is_a_reason_and_no_exception(bench):
    task = bench.ask(bench.open("x = ║"))
    (await bench.host.next_asked()).answer("1", reason=FinishReason.ERROR, message="out of memory")
    answer = await ended(task)
    assert (answer.suggestion, answer.superseded, answer.reason) == (None, False, "out of memory")
    assert bench.service.last_answer.reason == "out of memory"


@pytest.mark.parametrize(("written", "reason"), [((), "empty"), (("  \n",), "dropped by without_trailing")])
async def test_nothing_to_suggest_has_a_reason(bench, written, reason):
    task = bench.ask(bench.open("x = ║"))
    (await bench.host.next_asked()).answer(*written)
    answer = await ended(task)
    assert answer.suggestion is None
    assert answer.reason.startswith(reason)


async def test_the_debounce_is_waited_for_and_a_newer_request_ends_it(bench):
    bench.settings = replace(PLAIN, debounce_ms=NEVER_MS)
    offset = bench.open("x = ║")
    first = bench.ask(offset)
    await asyncio.sleep(0)
    second = bench.ask(offset, trigger=Trigger.INVOKED)  # never waits
    assert (await ended(first)).superseded
    (await bench.host.next_asked()).answer("1")
    assert bench.shown(await ended(second)) == "x = ├1┤"
    assert len(bench.host.asked) == 1


async def test_a_change_elsewhere_ends_the_debounce(bench):
    bench.settings = replace(PLAIN, debounce_ms=NEVER_MS)
    task = bench.ask(bench.open("x = ║"))
    await asyncio.sleep(0)
    bench.type("y = ║")
    assert (await ended(task)).superseded
    assert bench.host.asked == []


async def test_a_short_debounce_ends_by_itself(bench):
    bench.settings = replace(PLAIN, debounce_ms=1)
    task = bench.ask(bench.open("x = ║"))
    (await bench.host.next_asked()).answer("1")
    assert bench.shown(await ended(task)) == "x = ├1┤"


async def test_before_anything_was_asked_the_last_answer_says_so(bench):
    assert bench.service.last_answer.reason == "nothing was asked yet"


async def test_invariant_7_the_log_has_figures_and_no_source_text(bench, caplog):
    caplog.set_level(logging.DEBUG, "midfill")
    task = bench.ask(bench.open("secret_name = ║"))
    (await bench.host.next_asked()).answer("hidden_value")
    await ended(task)
    assert "end=eot" in caplog.text
    assert "secret_name" not in caplog.text
    assert "hidden_value" not in caplog.text


class WorkerHost(FakeHost):
    """A fake host with a real worker behind it."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self.worker = worker

    def submit(self, request, token, deliver, lane) -> None:
        super().submit(request, token, deliver, lane)
        self.worker.submit(request, token, deliver, lane)


@pytest.fixture
async def gated(bench) -> AsyncIterator[GatedBackend]:
    """`bench` with a real worker, whose passes wait for the test."""
    backend = GatedBackend()
    loaded = Loaded(Worker(lambda: backend))
    loaded.load()
    loaded.wait()
    bench.host = WorkerHost(loaded.worker)
    bench.service = CompletionService(bench.documents, bench.host, lambda: bench.settings)
    yield backend
    backend.open_gate()
    assert loaded.worker.close(TIMEOUT_S)


@pytest.mark.parametrize("how", ["superseded", "contradicted", "closed", "cancelled"])
async def test_invariant_1_a_request_given_up_is_answered_while_the_model_is_still_in_its_step(
    bench, gated, how
):
    task = bench.ask(bench.open("x = ║"))
    await asyncio.to_thread(gated.wait_for_pass)
    if how == "superseded":
        newer = bench.ask(4)
    elif how == "contradicted":
        bench.type("y = ║")
    elif how == "closed":
        bench.service.document_closed(URI)
    else:
        task.cancel()
    await asyncio.wait([task], timeout=TIMEOUT_S)
    assert gated.passes == []  # the step is still under way
    assert task.cancelled() if how == "cancelled" else task.result().superseded
    gated.open_gate()
    if how == "superseded":
        assert (await ended(newer)).suggestion.text == "one two three"
    assert await asyncio.to_thread(bench.host.worker.close, TIMEOUT_S)
    assert gated.passes.count("x = ") == (3 if how == "superseded" else 1), "one step and no more"


@pytest.mark.parametrize(("off", "shown"), [((), None), (("not_the_next_line",), "├return x┤\nreturn x")])
async def test_a_rule_that_the_settings_switch_off_does_not_run(bench, off, shown):
    bench.settings = replace(bench.settings, cleanup_off=off)
    task = bench.ask(bench.open("║\nreturn x"))
    (await bench.host.next_asked()).answer("return x")
    answer = await ended(task)
    assert (bench.shown(answer) if answer.suggestion else None) == shown
