"""KV caches of the chats under way, one each; what two prompts begin with is computed once.

Knows which cache a prompt gets, and how many there may be. Knows no tensors and no devices.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from midfill.model.api import Event
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.kv import Past, TokenCache
from midfill.model.tokens import common_prefix

MOST_CHATS = 4
"""In one pass. With more a completion that comes meanwhile would wait longer for its end, and no room would
be left for guesses among the rows that the lean kernels are quick for."""
CONVERSATION_TOKENS = 2500
"""Of the longest that actions have: 450 of prompt, 1,800 of code, the answers."""


class Conversations:
    """At most `most` caches. One chat more takes a cache over from another, which ends."""

    def __init__(self, make_past: Callable[[], Past]) -> None:
        self.most = 1
        self._make_past = make_past
        self._free: list[TokenCache] = []
        self._taken: list[TokenCache] = []
        """One for each chat under way: one that was taken over is here twice."""

    def stream(self, loop: DecodeLoop, job: Job) -> Generator[Event, None, None]:
        """See `DecodeLoop.stream`: on the free cache that shares most with the prompt, unless a chat under
        way shares more, of which it is a copy."""
        cache = self._take(job.prompt)
        try:
            yield from loop.stream(cache, replace(job, background=True))
        finally:
            self._taken.remove(cache)
            if cache not in self._taken:
                self._free.append(cache)
            if not self._taken:  # one is enough to go on from
                self._free = self._free[-1:]

    def drop(self) -> None:
        """Give back the memory that no chat uses now."""
        self._free = []

    def _take(self, prompt: Sequence[int]) -> TokenCache:
        def shared(cache: TokenCache) -> int:
            return common_prefix(cache.tokens, prompt)

        best = max(self._free, key=shared, default=None)
        source = max(self._taken, key=shared, default=None)
        if source is None or (best is not None and shared(best) >= shared(source)):
            chosen = best or TokenCache(self._make_past)
        elif len(self._free) + len(self._taken) < self.most:
            chosen = TokenCache(self._make_past)
            chosen.take_from(source, shared(source))
        elif best is not None:
            chosen = min(self._free, key=shared)
            chosen.take_from(source, shared(source))
        else:
            chosen = source
        if chosen in self._free:
            self._free.remove(chosen)
        self._taken.append(chosen)
        return chosen


def most_chats(model: Any, context_tokens: int, budget_bytes: int) -> int:
    """How many chats may be under way at once with `model`, whose keys and values have `budget_bytes`: one
    where it takes no two streams through a pass."""
    if not hasattr(model, "batch"):
        return 1
    each_bytes: int = min(CONVERSATION_TOKENS, context_tokens) * model.kv_bytes_per_token
    return max(1, min(MOST_CHATS, budget_bytes // each_bytes))
