"""A KV cache that knows which tokens it holds. How keys and values are kept is the model's own: `Past`."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from midfill.model.backends.hf.memory import is_out_of_memory
from midfill.model.tokens import common_prefix


class Past(Protocol):
    """The keys and values of one stream of tokens in all layers. The model's forward pass appends to it."""

    def get_seq_length(self) -> int:
        """How many positions are held."""
        ...

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` positions: O(1), nothing is copied. Layers may be of
        different lengths before, after a pass that failed."""
        ...

    def memory_bytes(self) -> int:
        """Of all buffers, used or not."""
        ...


@runtime_checkable
class Copied(Past, Protocol):
    """Of a model that takes several streams through one pass."""

    def take_from(self, other: Past, length: int) -> None:
        """Become a copy of the first `length` positions of `other`, of the same model."""
        ...


class TokenCache:
    """The KV cache of one stream of tokens. `tokens` are exactly those that every layer holds, except
    while a forward pass runs; `settle` restores that after one that failed.
    """

    def __init__(self, make_past: Callable[[], Past]) -> None:
        self.tokens: list[int] = []
        self.owner: object = None
        """The stream that may use this cache: the one that began last."""
        self._make_past = make_past
        self._past: Past | None = None

    @property
    def past(self) -> Past:
        """The keys and values, made when they are first asked for."""
        if self._past is None:
            self._past = self._make_past()
        return self._past

    def reuse(self, prompt: Sequence[int]) -> int:
        """Rewind to what `prompt` shares, leaving it at least one token to feed; return how many stay."""
        kept = min(common_prefix(self.tokens, prompt), len(prompt) - 1)
        self.rewind(kept)
        return kept

    def take_from(self, other: "TokenCache", length: int) -> None:
        """Become a copy of the first `length` tokens of `other`; empty where memory is short for that."""
        self.drop()
        assert isinstance(self.past, Copied), "made by a model that batches"
        try:
            self.past.take_from(other.past, length)
        except Exception as error:
            self.drop()
            if not is_out_of_memory(error):
                raise
        else:
            self.tokens = other.tokens[:length]

    def holds(self, prompt: Sequence[int]) -> bool:
        """Whether all of `prompt` is there already."""
        return common_prefix(self.tokens, prompt) == len(prompt)

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` tokens. O(1) a layer, nothing is copied."""
        del self.tokens[length:]
        self.settle()

    def settle(self) -> None:
        """Bring all layers back to `tokens`: a failed pass may have filled some of them further."""
        if self._past is not None:
            self._past.rewind(len(self.tokens))

    def drop(self) -> None:
        """Give the memory back."""
        self.tokens = []
        self._past = None

    def memory_bytes(self) -> int:
        """What its keys and values occupy."""
        return self._past.memory_bytes() if self._past is not None else 0
