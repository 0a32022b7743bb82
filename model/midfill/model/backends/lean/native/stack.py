"""All layers of a model at once, for few rows: what `layers.c` is told of them."""

import ctypes
from collections.abc import Sequence

import torch

from midfill.model.backends.lean.forward import Place
from midfill.model.backends.lean.native.layer import Held, NativeLayer
from midfill.model.backends.lean.native.library import Library, Long, Pointer
from midfill.model.backends.lean.past import Part
from midfill.model.backends.lean.shape import Shape


class LinearStruct(ctypes.Structure):
    """`Linear` of layers.c."""

    _fields_ = (
        ("bits", Long),
        ("numbers", Pointer),
        ("scales", Pointer),
        ("rows", Long),
        ("k", Long),
    )


class LayerStruct(ctypes.Structure):
    """`Layer` of layers.c."""

    _fields_ = (
        *((part, LinearStruct) for part in ("qkv", "o", "gate_up", "down")),
        *((name, Pointer) for name in ("bias", "before", "between")),
    )


class SpanStruct(ctypes.Structure):
    """`Span` of layers.c."""

    _fields_ = (("rows", Long), ("begin", Long))


class KeptStruct(ctypes.Structure):
    """`Kept` of layers.c."""

    _fields_ = (("keys", Pointer), ("values", Pointer), ("capacity", Long))


class NativeStack:
    """Runs few rows through `layers`, whose addresses it knows: they must not move while it lives."""

    def __init__(self, library: Library, shape: Shape, layers: Sequence[NativeLayer]) -> None:
        self._library, self._shape = library, shape
        self._layers = layers  # keeps the weights alive
        self._structs = (LayerStruct * len(layers))()
        for struct, layer in zip(self._structs, layers, strict=True):
            for part in ("qkv", "o", "gate_up", "down"):
                setattr(struct, part, _linear(getattr(layer, part).few))
            struct.bias = None if layer.bias is None else layer.bias.data_ptr()
            struct.before, struct.between = layer.before.weight.data_ptr(), layer.between.weight.data_ptr()

    def __call__(self, rows: torch.Tensor, parts: Sequence[Part], place: Place) -> torch.Tensor:
        """[n, hidden] in place; appends each part's keys and values to its past. Raises MemoryError."""
        shape, streams = self._shape, len(parts)
        spans = (SpanStruct * streams)(*(SpanStruct(p.rows, p.past.get_seq_length()) for p in parts))
        kept = (KeptStruct * (streams * len(self._layers)))()
        for stream, part in enumerate(parts):
            for index, layer in enumerate(part.past.layers):
                keys, values = layer.extend(part.rows, shape.kv_heads, shape.head_dim)
                struct = kept[index * streams + stream]
                struct.keys, struct.values = keys.data_ptr(), values.data_ptr()
                struct.capacity = keys.shape[2]
        self._library.layers(self._structs, rows, shape, place.cos, place.sin, spans, kept)
        return rows


def _linear(held: Held) -> LinearStruct:
    packed = held.packed
    tiles, groups, vectors, lanes, neighbours = packed.numbers.shape
    columns = groups * vectors * neighbours * 8 // held.kernel.bits
    return LinearStruct(
        held.kernel.bits, packed.numbers.data_ptr(), packed.scales.data_ptr(), tiles * lanes, columns
    )
