"""Our growing keys and values in the form that transformers' models take. Imported for them alone.

For full-attention models; sliding windows are kept whole and left to the mask.
"""

from transformers.cache_utils import Cache, CacheLayerMixin

from midfill.model.backends.lean.past import GrowingLayer


class TransformersLayer(GrowingLayer, CacheLayerMixin):  # type: ignore[misc]  # transformers has no stubs
    """`GrowingLayer`, and what transformers asks of a layer beside it."""

    is_sliding = False

    @property
    def is_initialized(self) -> bool:
        return self.keys is not None

    def lazy_initialization(self, *_: object) -> None:
        """The first `update` sees to it."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1

    def reset(self) -> None:
        self.length = 0


class TransformersPast(Cache):  # type: ignore[misc]
    """See `Past`. Its layers come with the first pass: a configuration does not always say how many."""

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=TransformersLayer)

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` positions, in every layer."""
        for layer in self.layers:
            layer.rewind(length)

    def memory_bytes(self) -> int:
        """Of all buffers, used or not."""
        return sum(layer.memory_bytes() for layer in self.layers)
