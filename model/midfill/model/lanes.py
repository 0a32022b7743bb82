"""The tickets that wait for the model thread, by lane. Knows no threads: the worker guards it."""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from midfill.model.api import Event, Lane, Request
from midfill.model.cancel import CancelReason, CancelToken

Deliver = Callable[[Event], None]


@dataclass(slots=True, eq=False)
class Ticket:
    """One submitted request. `stream` is None until its first turn."""

    request: Request
    lane: Lane
    token: CancelToken
    deliver: Deliver
    submitted: float
    stream: Generator[Event, None, None] | None = None
    started: float = 0.0
    tokens: int = 0

    def out_of_time(self, now: float) -> bool:
        limit = self.request.deadline_s
        return limit is not None and now - self.submitted >= limit


@dataclass(slots=True)
class Lanes:
    """The waiting tickets, by lane; within a lane first come, first served, but for those that take turns.
    Guarded by the worker."""

    queues: dict[Lane, deque[Ticket]] = field(default_factory=lambda: {lane: deque() for lane in Lane})

    def put(self, ticket: Ticket) -> None:
        for ahead in self.queues[Lane.AHEAD]:
            ahead.token.cancel(CancelReason.SUPERSEDED)
        self.queues[ticket.lane].append(ticket)

    def first(self, now: float) -> Ticket | None:
        """Whose turn it is. Cancelled tickets come first: they cost nothing and are waited for.
        A ticket that waits behind others is timed out here."""
        waiting = self.all()
        for ticket in waiting:
            if ticket.out_of_time(now):
                ticket.token.cancel(CancelReason.TIMEOUT)
        return next((t for t in waiting if t.token.cancelled), waiting[0] if waiting else None)

    def let_others_go(self, ticket: Ticket, most: int) -> None:
        """Those that have begun in its lane have a step each before `ticket`'s next. If they are fewer than
        `most`, the next may begin, once all have a token: what they prefill, it may begin with."""
        queue = self.queues[ticket.lane]
        if ticket not in queue:
            return
        queue.remove(ticket)
        begun = [*(each for each in queue if each.stream is not None), ticket]
        waiting = [each for each in queue if each.stream is None]
        next_one = waiting[:1] if len(begun) < most and all(each.tokens for each in begun) else []
        self.queues[ticket.lane] = deque([*next_one, *begun, *waiting[len(next_one) :]])

    def all(self) -> list[Ticket]:
        return [ticket for lane in Lane for ticket in self.queues[lane]]

    def drop(self, ticket: Ticket) -> None:
        self.queues[ticket.lane].remove(ticket)
