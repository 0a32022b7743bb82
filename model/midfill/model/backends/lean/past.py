"""Keys and values of all layers, in buffers that grow in place and rewind in O(1).

transformers' DynamicCache copies all of K and V at every step, and its `crop` changed meaning twice in 5.x
(inference.md §3.1). Knows no tokens and no model: see `TokenCache`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

FIRST_CAPACITY_TOKENS = 256
GROWTH = 2
"""Doubling: a token is copied at most once more on average."""


class GrowingLayer:
    """K and V of one layer, [batch, heads, capacity, head_dim] each, of which `length` are in use."""

    def __init__(self) -> None:
        self.length = 0
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append [batch, heads, new, head_dim]; return views of all, [batch, heads, length, head_dim]."""
        end = self.length + key_states.shape[-2]
        keys, values = self._room_for(end, key_states, value_states)
        keys[:, :, self.length : end] = key_states
        values[:, :, self.length : end] = value_states
        self.length = end
        return keys[:, :, :end], values[:, :, :end]

    def extend(self, new: int, heads: int, head_dim: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Room for `new` positions more, which count from now on; return the whole buffers,
        [1, heads, capacity, head_dim] in float32, for the caller to write them.
        """
        like = torch.empty(1, heads, 0, head_dim)
        buffers = self._room_for(self.length + new, like, like)
        self.length += new
        return buffers

    def take_from(self, other: "GrowingLayer", length: int) -> None:
        """Become a copy of the first `length` positions of `other`, with room for more."""
        self.length = 0
        if length and other.keys is not None and other.values is not None:
            self._room_for(length * GROWTH, other.keys, other.values)
            self.update(other.keys[:, :, :length], other.values[:, :, :length])

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` positions."""
        self.length = min(self.length, length)

    def memory_bytes(self) -> int:
        """Of the buffers, used or not."""
        return sum(buffer.nbytes for buffer in (self.keys, self.values) if buffer is not None)

    def _room_for(
        self, needed: int, like_keys: torch.Tensor, like_values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        held = 0 if self.keys is None else self.keys.shape[-2]
        if self.keys is None or self.values is None or needed > held:
            capacity = max(needed, held * GROWTH, FIRST_CAPACITY_TOKENS)
            keys, values = _buffer(like_keys, capacity), _buffer(like_values, capacity)
            if self.keys is not None and self.values is not None:
                keys[:, :, : self.length] = self.keys[:, :, : self.length]
                values[:, :, : self.length] = self.values[:, :, : self.length]
            self.keys, self.values = keys, values  # both or neither: an allocation may have failed
        return self.keys, self.values


class GrowingPast:
    """The layers' keys and values, for the lean model."""

    def __init__(self, layers: int) -> None:
        self.layers = [GrowingLayer() for _ in range(layers)]

    def get_seq_length(self) -> int:
        """How many positions are held; while a pass runs, those before it and what layer 0 has added."""
        return self.layers[0].length

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_index: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See `GrowingLayer.update`."""
        return self.layers[layer_index].update(keys, values)

    def split(self, rows: int) -> "tuple[Part, ...]":
        """Whose the `rows` of a pass are: all its own."""
        return (Part(self, rows),)

    def take_from(self, other: object, length: int) -> None:
        """Become a copy of the first `length` positions of `other`, which is one like this."""
        assert isinstance(other, GrowingPast)
        for layer, theirs in zip(self.layers, other.layers, strict=True):
            layer.take_from(theirs, length)

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` positions, in every layer."""
        for layer in self.layers:
            layer.rewind(length)

    def memory_bytes(self) -> int:
        """Of all buffers, used or not."""
        return sum(layer.memory_bytes() for layer in self.layers)


class Part(NamedTuple):
    """Of a pass, the rows of one stream of tokens, and where their keys and values go."""

    past: GrowingPast
    rows: int


class BatchPast:
    """The pasts of several streams that go through one pass side by side. Lives as long as the pass."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)

    def split(self, rows: int) -> tuple[Part, ...]:
        """Whose the `rows` of a pass are, in order."""
        assert sum(part.rows for part in self._parts) == rows, "each row is one stream's"
        return self._parts


def _buffer(like: torch.Tensor, capacity: int) -> torch.Tensor:
    batch, heads, _, head_dim = like.shape
    return torch.empty((batch, heads, capacity, head_dim), dtype=like.dtype, device=like.device)
