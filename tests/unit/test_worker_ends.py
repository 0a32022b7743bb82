"""Every request ends with exactly one Finish, whatever happens to it, to the load, or to the worker."""

import pytest

from midfill.model import (
    CancelToken,
    Chunk,
    FimRequest,
    Finish,
    FinishReason,
    Lane,
    LoadProgress,
    ModelError,
    ModelInfo,
    NoModel,
    Worker,
)
from midfill.model.errors import GenerationError
from tests.unit.fakes import INFO, TIMEOUT_S, GatedBackend, Inbox, Loaded
from tests.unit.worker_cases import (
    CANCELLED,
    CASES,
    ERROR,
    PROGRESS,
    Bench,
    cancelled_between_two_steps,
    done,
    failed_unexpectedly,
    queued_for_a_load_that_close_abandons,
    queued_for_a_load_that_crashes,
)


@pytest.mark.parametrize(
    ("case", "reason", "message"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_request_gets_exactly_one_finish_when(case, reason, message):
    bench = Bench()
    case(bench)
    finish = bench.inbox.wait()
    bench.backend.open_gate()
    assert bench.worker.close(TIMEOUT_S)
    assert bench.inbox.finishes == [finish]
    assert bench.inbox.events[-1] is finish
    assert finish.reason is reason
    assert message in finish.message


def test_a_request_behind_a_slow_one_is_timed_out_after_the_step_under_way():
    bench, slow = Bench(), Inbox()
    bench.start()
    bench.worker.submit(FimRequest("slow", ""), CancelToken(), slow.deliver, Lane.FIM)
    bench.backend.wait_for_pass()
    bench.ask(deadline_s=1.0)
    bench.clock.now += 1.0
    bench.backend.allow()
    assert bench.inbox.wait().message == "timeout"
    assert slow.finishes == []
    bench.backend.open_gate()
    assert slow.wait().reason is FinishReason.EOT
    assert bench.worker.close(TIMEOUT_S)
    assert "asked" not in bench.backend.passes


@pytest.mark.parametrize("failure", [GenerationError("lost"), ValueError("oops")])
def test_the_model_thread_survives_a_failing_request(failure):
    bench, bad = Bench(), Inbox()
    bench.backend.scripts["bad"] = (Chunk("x"), failure)
    bench.start()
    bench.backend.open_gate()
    bench.worker.submit(FimRequest("bad", ""), CancelToken(), bad.deliver, Lane.FIM)
    assert bad.wait().reason is ERROR
    bench.ask()
    assert bench.inbox.wait().reason is FinishReason.EOT
    assert bench.worker.close(TIMEOUT_S)


class BadEnding(GatedBackend):
    """A backend whose streams fail when they are closed early."""

    def stream(self, request):
        try:
            yield from super().stream(request)
        except GeneratorExit:
            raise RuntimeError("the cache could not be rewound") from None


def test_a_stream_that_fails_at_its_end_is_still_answered_and_the_thread_goes_on():
    bench, next_one = Bench(), Inbox()
    bench.backend = BadEnding()
    cancelled_between_two_steps(bench)
    assert bench.inbox.wait().reason is CANCELLED
    bench.worker.submit(FimRequest("next", ""), CancelToken(), next_one.deliver, Lane.FIM)
    assert next_one.wait().reason is FinishReason.EOT
    assert bench.worker.close(TIMEOUT_S)


def test_a_fault_of_the_worker_itself_still_answers_everybody_and_is_said(monkeypatch):
    """Seen when a benchmark wrapped `_advance` wrongly: its requests waited for ever."""
    bench = Bench()
    bench.start()
    monkeypatch.setattr(bench.worker, "_advance", lambda: None)
    bench.ask()
    finish = bench.inbox.wait()
    bench.worker.join()
    late = Inbox()
    bench.worker.submit(FimRequest("late", ""), CancelToken(), late.deliver, Lane.FIM)
    assert finish.reason is ERROR
    assert "TypeError" in finish.message
    assert late.wait().message == finish.message == str(bench.load.outcomes[1])


def test_a_backend_that_cannot_be_made_fails_the_load():
    def make() -> GatedBackend:
        raise NoModel("no such engine")

    load = Loaded(Worker(make))
    load.load()
    assert isinstance(load.wait(), NoModel)
    assert load.worker.close(TIMEOUT_S)


def test_a_load_reports_its_progress_and_ends_with_the_models_figures():
    bench, seen = Bench(), []
    bench.backend.reports = (PROGRESS, LoadProgress("warm-up", "warming up", 1.0))
    bench.load.load(seen.append)
    assert bench.load.wait() == INFO
    assert seen == list(bench.backend.reports)
    assert bench.worker.close(TIMEOUT_S)


def test_a_load_that_close_abandons_ends_once_and_frees_the_backend():
    bench = Bench()
    queued_for_a_load_that_close_abandons(bench)
    outcome = bench.load.wait()
    assert bench.worker.close(TIMEOUT_S)
    assert isinstance(outcome, ModelError)
    assert not isinstance(outcome, ModelInfo)
    assert len(bench.load.outcomes) == 1
    assert bench.backend.closed == 1


@pytest.mark.parametrize("case", [done, failed_unexpectedly, queued_for_a_load_that_crashes])
def test_the_backend_is_closed_once_at_the_end(case):
    bench = Bench()
    case(bench)
    bench.inbox.wait()
    assert bench.backend.closed == 0
    assert bench.worker.close(TIMEOUT_S)
    assert bench.worker.close(TIMEOUT_S)
    assert bench.backend.closed == 1


def test_the_finish_says_how_long_the_request_waited_in_the_queue():
    bench = Bench()
    bench.ask()
    bench.clock.now += 0.25
    bench.backend.open_gate()
    bench.start()
    finish = bench.inbox.wait()
    assert isinstance(finish, Finish)
    assert finish.usage.queue_ms == pytest.approx(250)
    assert bench.worker.close(TIMEOUT_S)
