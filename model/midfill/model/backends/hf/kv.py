"""A KV cache that grows in place, rewinds in O(1) and knows which tokens it holds.

transformers' DynamicCache copies all of K and V at every step, and its `crop` changed meaning twice in 5.x
(inference.md §3.1). For full-attention models; sliding windows are kept whole and left to the mask.
"""

from collections.abc import Sequence

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

from midfill.model.tokens import common_prefix

FIRST_CAPACITY_TOKENS = 256
GROWTH = 2
"""Doubling: a token is copied at most once more on average."""


class GrowingLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers has no stubs
    """K and V of one layer in buffers [batch, heads, capacity, head_dim], of which `length` are in use."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.dtype, self.device = key_states.dtype, key_states.device
        self.keys, self.values = _buffer(key_states, 0), _buffer(value_states, 0)
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append [batch, heads, new, head_dim]; return views of all, [batch, heads, length, head_dim]."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[-2]
        if end > self.keys.shape[-2]:
            self._grow(end)
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def _grow(self, needed: int) -> None:
        capacity = max(needed, self.keys.shape[-2] * GROWTH, FIRST_CAPACITY_TOKENS)
        keys, values = _buffer(self.keys, capacity), _buffer(self.values, capacity)
        keys[:, :, : self.length] = self.keys[:, :, : self.length]
        values[:, :, : self.length] = self.values[:, :, : self.length]
        self.keys, self.values = keys, values  # both or neither: an allocation above may have failed

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1

    def reset(self) -> None:
        self.length = 0

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` tokens."""
        self.length = min(self.length, length)


class TokenCache:
    """The KV cache of one stream of tokens. `tokens` are exactly those that every layer holds, except
    while a forward pass runs; `settle` restores that after one that failed.
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.past = Cache(layer_class_to_replicate=GrowingLayer)
        self.owner: object = None
        """The stream that may use this cache: the one that began last."""

    def reuse(self, prompt: Sequence[int]) -> int:
        """Rewind to what `prompt` shares, leaving it at least one token to feed; return how many stay."""
        kept = min(common_prefix(self.tokens, prompt), len(prompt) - 1)
        self.rewind(kept)
        return kept

    def holds(self, prompt: Sequence[int]) -> bool:
        """Whether all of `prompt` is there already."""
        return common_prefix(self.tokens, prompt) == len(prompt)

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` tokens. O(1) a layer, nothing is copied."""
        del self.tokens[length:]
        self.settle()

    def settle(self) -> None:
        """Bring all layers back to `tokens`: a failed pass may have filled some of them further."""
        for layer in self.past.layers:
            layer.rewind(len(self.tokens))

    def drop(self) -> None:
        """Give the memory back."""
        self.tokens = []
        self.past = Cache(layer_class_to_replicate=GrowingLayer)


def _buffer(like: torch.Tensor, capacity: int) -> torch.Tensor:
    batch, heads, _, head_dim = like.shape
    return torch.empty((batch, heads, capacity, head_dim), dtype=like.dtype, device=like.device)
