"""How long typing must rest before the model is asked. Pure: times come from the caller's clock.

Only for what is not at hand: answers from the cache or a running decode never wait.
"""

from collections import deque

from midfill.server.completion.cursor import CursorContext, Trigger
from midfill.server.settings import Settings

LEAST_S, MOST_S = 0.020, 0.075
"""Cody waits 25 ms inside a burst of keys and 75 ms otherwise; longer cost more than it saved."""
SHARE_OF_INTERVAL = 0.5
"""Half a typist's mean interval: by then a next key that belongs to the burst is likely there."""
LEADING_EDGE_S = 0.150
"""A key after this long a rest begins a burst (the median gap of a fast typist)."""
PAUSE_S = 0.4
"""Longer gaps are thinking, not typing (Tabby's debouncer leaves them out, too)."""
KEYS = 100
"""How many intervals make the mean (Tabby's window)."""
FIRST_GUESS_S = 0.15
"""The mean interval before anything was typed."""


class Rhythm:
    """When keys came. The mean looks at intervals inside bursts only."""

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=KEYS)
        self._last = self._before = float("-inf")

    def key(self, now: float) -> None:
        """A key came at `now`, in seconds."""
        self._before, self._last = self._last, now
        if now - self._before <= PAUSE_S:
            self._intervals.append(now - self._before)

    def rested(self, now: float) -> bool:
        """Whether the last key began a burst, or has been the last one for a while."""
        return max(self._last - self._before, now - self._last) >= LEADING_EDGE_S

    @property
    def mean_s(self) -> float:
        return sum(self._intervals) / len(self._intervals) if self._intervals else FIRST_GUESS_S


def delay_s(settings: Settings, context: CursorContext, rhythm: Rhythm, now: float, idle: bool) -> float:
    """Seconds from the request, made at `now`, to the model. An explicit request never waits; `idle`:
    nobody else has the device."""
    if context.trigger is Trigger.INVOKED:
        return 0.0
    if not isinstance(settings.debounce_ms, str):
        return settings.debounce_ms / 1000
    before = context.line_before[-1:]
    at_word = before.isalnum() or before == "_"
    if not at_word or (idle and rhythm.rested(now)):
        return 0.0
    return min(MOST_S, max(LEAST_S, SHARE_OF_INTERVAL * rhythm.mean_s))
