"""A completion service whose sessions are counted, on a clock and timers that the test holds."""

from collections.abc import Callable

from midfill.server.statistics.observer import Observer
from tests.unit.fakes import Clock
from tests.unit.service_bench import URI, Bench


class Timers:
    """Calls that are due when the test says so."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append((self.clock.now + seconds, call))

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        due = [item for item in self.waiting if item[0] <= self.clock.now]
        self.waiting = [item for item in self.waiting if item[0] > self.clock.now]
        for _, call in due:
            call()


class Counted(Bench):
    """The service's bench with an observer."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.timers = Timers(self.clock)
        self.observer = Observer(self.clock, self.timers.later, self.documents.snapshot)
        self.service.on_answer = self.observer.answered

    def type(self, picture: str) -> int:
        offset = super().type(picture)
        self.observer.changed(self.documents.snapshot(URI))
        return offset

    def counts(self, *but: str) -> dict[str, int]:
        """All counts but those of times, tokens and what `but` names."""
        left_out = ("latency", "stage", "tokens", *but)
        found = sorted(self.observer.counts.items())
        return {key: n for key, n in found if n and not key.startswith(left_out)}
