"""The model thread: the one thread that owns the device, and the lanes in front of it.

It decides who runs the next forward pass, and it alone looks at cancel tokens and deadlines. It knows
nothing of documents, editors or event loops: events leave through each ticket's `deliver`, which is
called on this thread.
"""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from midfill.model.api import (
    Chunk,
    Event,
    Finish,
    FinishReason,
    Lane,
    LoadProgress,
    ModelInfo,
    Request,
    Usage,
)
from midfill.model.backends.base import Backend, Resting, most_chats_of
from midfill.model.cancel import CancelReason, CancelToken
from midfill.model.errors import ModelError
from midfill.model.lanes import Deliver, Lanes, Ticket

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""How long the model thread may hold the GIL against the event loop (measured: a busy thread delays the
loop by 10 ms at p99 with CPython's default of 5 ms, by 2.5 ms with this)."""
NICENESS = 5
"""Added to the model thread's niceness, where threads have one: typing comes first."""


class LoadAbandoned(BaseException):
    """Raised out of a progress report to end a load that nobody waits for any more."""


class Worker:
    """Runs a backend on its own daemon thread.

    `load` and `submit` may be called from any thread and return at once. Every ticket gets exactly one
    Finish, whatever happens to it, and at most one forward pass runs at a time (invariant 3).
    """

    def __init__(self, make: Callable[[], Backend], clock: Callable[[], float] = time.monotonic) -> None:
        """`make` is called on the worker's thread: importing an engine can take seconds."""
        self._make = make
        self._backend: Backend | None = None
        self._clock = clock
        self._lanes = Lanes()
        self._wake = threading.Condition()
        self._closing = False
        self._failure: str | None = None
        self._thread: threading.Thread | None = None

    def load(
        self, report: Callable[[LoadProgress], None], done: Callable[[ModelInfo | ModelError], None]
    ) -> None:
        """Start the thread; its first job is to load the model. Both callbacks run on that thread.

        `done` comes a second time, with an error, should the thread itself fail later.
        """
        self._thread = threading.Thread(
            target=self._run, args=(report, done), name="midfill-model", daemon=True
        )
        self._thread.start()

    def submit(self, request: Request, token: CancelToken, deliver: Deliver, lane: Lane) -> None:
        """Queue a request. A new request of any lane ends prefilling ahead."""
        ticket = Ticket(request, lane, token, deliver, self._clock())
        with self._wake:
            refusal = "the model worker is shutting down" if self._closing else self._failure
            if refusal is None:
                self._lanes.put(ticket)
                self._wake.notify()
        if refusal is not None:
            deliver(Finish(FinishReason.ERROR, message=refusal))

    def close(self, timeout_s: float = 2.0) -> bool:
        """Cancel everything and end the thread. Returns whether it ended in time."""
        with self._wake:
            self._closing = True
            for ticket in self._lanes.all():
                ticket.token.cancel(CancelReason.SHUTDOWN)
            self._wake.notify()
        if self._thread is None:  # never loaded: nobody else answers them
            self._fail_all("the model worker is shutting down")
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait until the thread has ended and the device is free. Only after `close`."""
        if self._thread is not None:
            self._thread.join()

    def _run(
        self, report: Callable[[LoadProgress], None], done: Callable[[ModelInfo | ModelError], None]
    ) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        _lower_priority()
        try:
            self._load(report, done)
            while (ticket := self._take()) is not None:
                self._step(ticket)
        except LoadAbandoned:
            pass  # of a second model, while this worker was being closed
        except Exception as error:  # a fault of ours; whoever waits must still be answered
            log.exception("the model thread ended")
            outcome = ModelError(f"the model thread ended: {type(error).__name__}; restart the model")
            self._fail_all(str(outcome))
            done(outcome)
        finally:
            if self._backend is not None:
                self._backend.close()

    def _load(
        self, report: Callable[[LoadProgress], None], done: Callable[[ModelInfo | ModelError], None]
    ) -> None:
        def checked(progress: LoadProgress) -> None:
            if self._closing:
                raise LoadAbandoned
            report(progress)

        try:
            self._backend = self._make()
            outcome: ModelInfo | ModelError = self._backend.load(checked)
        except LoadAbandoned:
            done(ModelError("the load was abandoned"))
            return  # whoever waits was cancelled by `close`
        except ModelError as error:
            outcome = error
        except Exception as error:
            log.exception("loading failed")
            outcome = ModelError(f"loading failed: {type(error).__name__}: {error}")
        if isinstance(outcome, ModelError):
            self._fail_all(str(outcome))
        done(outcome)

    def _fail_all(self, message: str) -> None:
        with self._wake:
            self._failure = message
            waiting = self._lanes.all()
            for ticket in waiting:
                self._lanes.drop(ticket)
        for ticket in waiting:
            ticket.deliver(Finish(FinishReason.ERROR, message=message))

    def _take(self) -> Ticket | None:
        """The next ticket to advance, waiting for it; None when the worker is to end."""
        while True:
            with self._wake:
                if (ticket := self._lanes.first(self._clock())) is not None:
                    return ticket
                if self._closing:
                    return None
            again_s = self._backend.rest() if isinstance(self._backend, Resting) else None
            with self._wake:
                if self._lanes.first(self._clock()) is None and not self._closing:
                    self._wake.wait(again_s)

    def _step(self, ticket: Ticket) -> None:
        """Advance one ticket by at most one forward pass."""
        event = self._cancelled(ticket) if ticket.token.cancelled else self._advance(ticket)
        if isinstance(event, Chunk):
            ticket.tokens += len(event.logprobs)
            if ticket.lane is Lane.CHAT:
                most = most_chats_of(self._backend)
                with self._wake:
                    self._lanes.let_others_go(ticket, most)
        else:
            self._retire(ticket)
            event = replace(event, usage=replace(event.usage, queue_ms=_queue_ms(ticket)))
        ticket.deliver(event)

    def _advance(self, ticket: Ticket) -> Event:
        try:
            if ticket.stream is None:
                ticket.started = self._clock()
                assert self._backend is not None  # nothing is queued after a failed load
                ticket.stream = self._backend.stream(ticket.request)
            return next(ticket.stream)
        except LoadAbandoned:  # of a second model: `close` has cancelled the ticket
            return self._cancelled(ticket)
        except ModelError as error:
            return Finish(FinishReason.ERROR, message=str(error))
        except Exception as error:
            log.exception("a forward pass failed")
            return Finish(FinishReason.ERROR, message=f"{type(error).__name__}: {error}")

    def _cancelled(self, ticket: Ticket) -> Finish:
        reason = ticket.token.reason
        return Finish(
            FinishReason.CANCELLED,
            Usage(generated_tokens=ticket.tokens),
            message=reason.value if reason else "",
        )

    def _retire(self, ticket: Ticket) -> None:
        with self._wake:
            self._lanes.drop(ticket)
        if ticket.stream is not None:
            try:
                ticket.stream.close()
            except Exception:  # its Finish still goes out, and the next request still runs
                log.exception("ending a stream failed")


def _queue_ms(ticket: Ticket) -> float:
    return max(0.0, (ticket.started - ticket.submitted) * 1000) if ticket.started else 0.0


def _lower_priority() -> None:
    """Let the editor and the event loop go first. Only Linux gives threads a niceness of their own;
    torch's own threads are started from this one and inherit it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container may forbid it; then nothing is lost but manners
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
