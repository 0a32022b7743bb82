"""Keys and values at addresses that stay, so that captured graphs may keep pointing at them.

One buffer a layer, in a bucket that only grows; rewinding writes a number. Knows no model and no graph.
"""

from collections.abc import Callable
from dataclasses import dataclass

import psutil
import torch

from midfill.model.backends.lean.shape import Shape

FIRST_BUCKET_TOKENS = 1024
STEP_TOKENS = 512
"""Attention reads the buffers in whole steps: one captured graph for each that is reached."""
WASTE = 8
"""Steps widen with the length, so that at most an eighth of what attention reads is empty."""
RESERVED_SHARE = 0.25
"""Of the free memory: a first bucket of so much saves growing, which throws captured graphs away."""
MAX_ROWS = 16
"""Rows of the widest step: as many as a tensor core multiplies at once."""

Replay = Callable[[], object]


@dataclass(frozen=True, slots=True)
class KvSizes:
    """What keys and values are made of."""

    layers: int
    kv_heads: int
    head_dim: int
    dtype: torch.dtype
    device: torch.device

    @property
    def bytes_per_token(self) -> int:
        """Of keys and values in all layers. Code Llama 7B in 16 bits: 512 KiB; Qwen2.5-Coder 7B: 56 KiB."""
        return 2 * self.layers * self.kv_heads * self.head_dim * self.dtype.itemsize


def kv_sizes(shape: Shape, dtype: torch.dtype, device: torch.device) -> KvSizes:
    """Those of a model of this shape, computed in `dtype`."""
    return KvSizes(shape.layers, shape.kv_heads, shape.head_dim, dtype, device)


class StaticPast:
    """See `Past`. Also what a step of fixed shape reads: ids and the length, on the device.

    Everything behind the length is finite and masked: a zero weight times NaN would be NaN.
    """

    def __init__(self, sizes: KvSizes, limit_tokens: int, first_tokens: int = FIRST_BUCKET_TOKENS) -> None:
        self.sizes = sizes
        self.length = 0
        self.capacity = 0
        self.keys: list[torch.Tensor] = []
        """One a layer, [kv_heads, capacity, head_dim]."""
        self.values: list[torch.Tensor] = []
        self.captured: dict[tuple[int, int], Replay] = {}
        """(extent, rows) → a step over these addresses. Gone when they go."""
        self.ids = torch.zeros(MAX_ROWS, dtype=torch.int64, device=sizes.device)
        self.begin = torch.zeros(1, dtype=torch.int64, device=sizes.device)
        """The length, where a captured step can read it."""
        self._limit = limit_tokens
        self._first = first_tokens

    def get_seq_length(self) -> int:
        """How many positions are held. A number of the host: asking the device would wait for it."""
        return self.length

    def rewind(self, length: int) -> None:
        """Forget everything behind the first `length` positions; what was captured stays right."""
        self.length = min(self.length, length)

    def memory_bytes(self) -> int:
        """Of all buffers, used or not."""
        return self.capacity * self.sizes.bytes_per_token

    def reserve(self, rows: int) -> None:
        """Make room for `rows` more positions: the next bucket, copied once.

        Raises torch's OutOfMemoryError, and holds then what it held.
        """
        needed = self.length + rows
        if needed <= self.capacity:
            return
        capacity = bucket(needed, self._limit, max(self._first, self.capacity))
        self.captured.clear()
        for buffers in (self.keys, self.values):  # layer by layer: both sizes of one layer at a time
            for index in range(self.sizes.layers):
                self._grow(buffers, index, capacity)
        self.capacity = capacity

    def _grow(self, buffers: list[torch.Tensor], index: int, capacity: int) -> None:
        sizes = self.sizes
        fresh = torch.zeros(
            (sizes.kv_heads, capacity, sizes.head_dim), dtype=sizes.dtype, device=sizes.device
        )
        if index == len(buffers):
            buffers.append(fresh)
            return
        fresh[:, : self.length] = buffers[index][:, : self.length]
        buffers[index] = fresh

    def extent(self, rows: int) -> int:
        """How many positions a step of `rows` must read: a whole step, so that few graphs serve all."""
        needed = self.length + rows
        step = max(STEP_TOKENS, 2 ** (needed.bit_length() - 1) // WASTE)
        return int(min(-(-needed // step) * step, self.capacity))


def bucket(needed: int, limit: int, least: int = FIRST_BUCKET_TOKENS) -> int:
    """The smallest bucket for `needed` tokens: doublings of the first, the last one as long as the limit
    and the rows of a step behind it ask for; all of them whole steps."""
    most = -(-(max(limit, needed) + MAX_ROWS) // STEP_TOKENS) * STEP_TOKENS
    size = FIRST_BUCKET_TOKENS
    while size < max(needed, least):
        size *= 2
    return min(size, most)


def first_bucket(sizes: KvSizes, limit: int) -> int:
    """Where to begin: on a GPU with memory to spare at the last bucket, which then never grows."""
    if sizes.device.type != "cuda":
        return FIRST_BUCKET_TOKENS
    size, free = bucket(limit, limit), free_bytes(sizes.device)
    while size > FIRST_BUCKET_TOKENS and size * sizes.bytes_per_token > free * RESERVED_SHARE:
        size //= 2
    return size


def fitting_tokens(sizes: KvSizes, wanted: int, free: int) -> int:
    """As much of a context of `wanted` tokens as two caches have room for in `free` bytes.

    Completions and chat have one each. At least one bucket: less would be of no use, and a request
    that does not fit is told so.
    """
    room = int(free * 2 * RESERVED_SHARE) // sizes.bytes_per_token
    return min(wanted, max(FIRST_BUCKET_TOKENS, room // STEP_TOKENS * STEP_TOKENS))


def free_bytes(device: torch.device) -> int:
    """Of a GPU, with what torch holds back for itself; of a CPU's memory, what is available."""
    if device.type != "cuda":
        return psutil.virtual_memory().available
    free, _ = torch.cuda.mem_get_info(device)
    held_back = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free) + int(held_back)
