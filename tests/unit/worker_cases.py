"""The ways in which a request to the worker can end, one function each: for test_worker_ends.py."""

import threading
from collections.abc import Callable

from midfill.model import (
    CancelReason,
    CancelToken,
    Chunk,
    FimRequest,
    FinishReason,
    Lane,
    LoadProgress,
    NoModel,
    Worker,
)
from midfill.model.errors import GenerationError
from tests.unit.fakes import TIMEOUT_S, Clock, GatedBackend, Inbox, Loaded

CANCELLED, ERROR = FinishReason.CANCELLED, FinishReason.ERROR
PROGRESS = LoadProgress("load", "loading", 0.5)


class Bench:
    """One worker, its backend and clock, and one request that a case lets end."""

    def __init__(self) -> None:
        self.backend = GatedBackend()
        self.clock = Clock()
        self.worker = Worker(lambda: self.backend, self.clock)
        self.load = Loaded(self.worker)
        self.token = CancelToken()
        self.inbox = Inbox()

    def start(self) -> None:
        self.load.load()
        self.load.wait()

    def ask(self, deadline_s: float | None = None) -> None:
        request = FimRequest("asked", "", deadline_s=deadline_s)
        self.worker.submit(request, self.token, self.inbox.deliver, Lane.FIM)


def done(bench: Bench) -> None:
    bench.start()
    bench.ask()
    bench.backend.open_gate()


def cancelled_before_it_started(bench: Bench) -> None:
    bench.start()
    bench.token.cancel(CancelReason.CLIENT)
    bench.ask()


def cancelled_between_two_steps(bench: Bench) -> None:
    bench.start()
    bench.ask()
    bench.backend.wait_for_pass()
    bench.token.cancel(CancelReason.SUPERSEDED)
    bench.backend.open_gate()


def out_of_time_in_a_step(bench: Bench) -> None:
    bench.start()
    bench.ask(deadline_s=2.0)
    bench.backend.wait_for_pass()
    bench.clock.now += 2.0
    bench.backend.open_gate()


def out_of_time_before_it_started(bench: Bench) -> None:
    bench.ask(deadline_s=2.0)
    bench.clock.now += 2.5
    bench.start()


def in_time(bench: Bench) -> None:
    bench.start()
    bench.ask(deadline_s=2.0)
    bench.clock.now += 1.9
    bench.backend.open_gate()


def failed_as_backends_do(bench: Bench) -> None:
    bench.backend.scripts["asked"] = (Chunk("x"), GenerationError("the device is gone"))
    done(bench)


def failed_unexpectedly(bench: Bench) -> None:
    bench.backend.scripts["asked"] = (ValueError("oops"),)
    done(bench)


def stopped_without_a_finish(bench: Bench) -> None:
    bench.backend.scripts["asked"] = (Chunk("x"),)
    done(bench)


def queued_for_a_load_that_fails(bench: Bench) -> None:
    bench.backend.load_failure = NoModel("nothing is installed")
    bench.ask()
    bench.start()


def submitted_after_a_load_that_failed(bench: Bench) -> None:
    bench.backend.load_failure = NoModel("nothing is installed")
    bench.start()
    bench.ask()


def queued_for_a_load_that_crashes(bench: Bench) -> None:
    bench.backend.load_failure = KeyError("tensor")
    bench.ask()
    bench.start()


def queued_for_a_load_that_close_abandons(bench: Bench) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def before_report() -> None:
        reached.set()
        assert go_on.wait(TIMEOUT_S)

    bench.backend.reports, bench.backend.before_report = (PROGRESS,), before_report
    bench.load.load()
    assert reached.wait(TIMEOUT_S)
    bench.ask()
    bench.worker.close(0)
    go_on.set()


def submitted_after_close(bench: Bench) -> None:
    bench.start()
    bench.worker.close(TIMEOUT_S)
    bench.ask()


def running_when_the_worker_is_closed(bench: Bench) -> None:
    bench.start()
    bench.ask()
    bench.backend.wait_for_pass()
    assert not bench.worker.close(0)
    bench.backend.open_gate()


def closed_without_ever_being_loaded(bench: Bench) -> None:
    bench.ask()
    assert bench.worker.close(0)


CASES: list[tuple[Callable[[Bench], None], FinishReason, str]] = [
    (done, FinishReason.EOT, ""),
    (in_time, FinishReason.EOT, ""),
    (cancelled_before_it_started, CANCELLED, "client"),
    (cancelled_between_two_steps, CANCELLED, "superseded"),
    (out_of_time_in_a_step, CANCELLED, "timeout"),
    (out_of_time_before_it_started, CANCELLED, "timeout"),
    (failed_as_backends_do, ERROR, "the device is gone"),
    (failed_unexpectedly, ERROR, "ValueError: oops"),
    (stopped_without_a_finish, ERROR, "StopIteration"),
    (queued_for_a_load_that_fails, ERROR, "nothing is installed"),
    (submitted_after_a_load_that_failed, ERROR, "nothing is installed"),
    (queued_for_a_load_that_crashes, ERROR, "loading failed: KeyError"),
    (queued_for_a_load_that_close_abandons, CANCELLED, "shutdown"),
    (submitted_after_close, ERROR, "shutting down"),
    (running_when_the_worker_is_closed, CANCELLED, "shutdown"),
    (closed_without_ever_being_loaded, ERROR, "shutting down"),
]


def named(value: object) -> str:
    return getattr(value, "__name__", "")
