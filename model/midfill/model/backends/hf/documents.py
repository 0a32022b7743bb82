"""KV caches of several documents, so that going from one file to another and back costs no prefill.

Owns which cache a prompt gets, and how much memory they all take. Knows no tensors and no devices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midfill.model.backends.hf.kv import Past, TokenCache
from midfill.model.lookup import Lookup
from midfill.model.tokens import common_prefix

SMALL_LOSS_TOKENS = 256
"""Computed again sooner than kept twice: the suffix and the answer behind it, on a CPU."""
CACHES_EACH = 2
"""For one document: a prompt that was prefilled ahead, and the shorter one of who could not wait for it."""


@dataclass(slots=True)
class Document:
    """What is kept of one."""

    cache: TokenCache
    path: str
    lookup: Lookup | None = None
    """What followed the last answer there, and knows it."""


class Documents:
    """The caches, the last used first. A prompt gets the one it shares most with, whatever the path."""

    def __init__(self, make_past: Callable[[], Past], budget_bytes: int = 0) -> None:
        """One cache is always kept, however large."""
        self._make_past = make_past
        self._budget_bytes = budget_bytes
        self._kept: list[Document] = []

    def held(self, prompt: Sequence[int]) -> int:
        """How many tokens of `prompt` need no prefill."""
        return max((common_prefix(kept.cache.tokens, prompt) for kept in self._kept), default=0)

    def take(self, prompt: Sequence[int], path: str) -> Document:
        """The document whose cache `prompt` is to use: now the last used one. Makes room for it."""
        document = self._fitting(prompt, path) or Document(self._free_cache(len(prompt)), path)
        document.path = path
        self._kept = [document, *(kept for kept in self._kept if kept is not document)]
        return document

    def drop(self) -> None:
        """Give all memory back."""
        for kept in self._kept:
            kept.cache.drop()
        self._kept = []

    def _fitting(self, prompt: Sequence[int], path: str) -> Document | None:
        """The one that loses little by taking `prompt` on; None: `prompt` needs a cache of its own."""
        shared = {id(kept): common_prefix(kept.cache.tokens, prompt) for kept in self._kept}
        ranked = sorted(self._kept, key=lambda kept: (shared[id(kept)], kept.path == path), reverse=True)
        if ranked and 2 * shared[id(ranked[0])] > len(ranked[0].cache.tokens):
            return ranked[0]
        own = [kept for kept in ranked if kept.path == path]
        for kept in own:
            if len(kept.cache.tokens) - shared[id(kept)] <= SMALL_LOSS_TOKENS:
                return kept
        if len(own) < CACHES_EACH:
            return None
        return next(kept for kept in reversed(self._kept) if kept.path == path)

    def _free_cache(self, tokens: int) -> TokenCache:
        """A new one; the longest unused of those there are, where memory is short for `tokens` more."""
        held = sum(len(kept.cache.tokens) for kept in self._kept)
        size = sum(kept.cache.memory_bytes() for kept in self._kept)
        size += size // held * tokens if held else 0
        cache = None
        while self._kept and (size > self._budget_bytes or not self._kept[-1].cache.tokens):
            if cache is not None:
                cache.drop()
            cache = self._kept.pop().cache
            size -= cache.memory_bytes()
        if cache is None:
            return TokenCache(self._make_past)
        cache.rewind(0)
        return cache
