"""A layer whose products and attention are the compiled kernels', norms and gates taken along.

Computes what `forward.Layer` does, with five calls instead of forty operators: on a small model at one row
those take a third of the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from midfill.model.backends.lean.forward import Norm, Output, Place
from midfill.model.backends.lean.kernels import Kernel, Packed
from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.native.library import Library, library
from midfill.model.backends.lean.native.pack import LANES
from midfill.model.backends.lean.past import Part
from midfill.model.backends.lean.schemes import Scheme
from midfill.model.backends.lean.shape import Shape

HEAD_MULTIPLE = 32
"""Two halves of 16 lanes."""
BLOCKS = "blocks."
"""Before a linear's name, where its weight for blocks is another than that for few rows."""


@dataclass(frozen=True, slots=True)
class Held:
    """A weight as one kernel wants it."""

    kernel: Kernel
    packed: Packed


class NativeLinear(torch.nn.Module):
    """A weight twice: for few rows, and for the blocks of a prompt, which want more precision."""

    def __init__(self, library: Library, few: Held, many: Held) -> None:
        super().__init__()
        self.packed, self.blocks = few.packed, many.packed
        self.few, self._many = few, many
        self._library = library
        self._rows = few.packed.numbers.shape[0] * LANES

    def forward(
        self,
        rows: torch.Tensor,
        norm: Norm | None = None,
        gated: bool = False,
        onto: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """[n, columns] float32 to [n, rows of the weight], to half of them if `gated`; `onto`: added there.
        See `Library.linear`.
        """
        held = self.few if len(rows) <= FEW_ROWS else self._many
        wide = self._rows // 2 if gated else self._rows
        out = torch.empty(len(rows), wide) if onto is None else onto
        self._library.linear(
            *(held.kernel.bits, held.packed.numbers, held.packed.scales, rows, out),
            norm=None if norm is None else norm.weight,
            epsilon=0.0 if norm is None else norm.epsilon,
            gated=gated,
            add=onto is not None,
        )
        return out


class NativeOutput(Output):
    """Says itself what is likeliest: torch's reductions wake OpenMP's threads, which then spin for
    milliseconds on the cores of those that compute the next token (17 → 23 ms a token on two cores)."""

    def picks(self) -> list[tuple[int, float]]:
        """The likeliest token of each row, and its log-probability."""
        return library().likeliest(self.logits[0].contiguous())


class NativeLayer(torch.nn.Module):
    """Takes the place of a `Layer`."""

    def __init__(
        self,
        library: Library,
        shape: Shape,
        index: int,
        linears: dict[str, NativeLinear],
        bias: torch.Tensor | None,
        norms: tuple[Norm, Norm],
    ) -> None:
        super().__init__()
        self.qkv, self.o = linears["qkv"], linears["o"]
        self.gate_up, self.down = linears["gate_up"], linears["down"]
        self.bias = None if bias is None else torch.nn.Parameter(bias.float(), requires_grad=False)
        self.before, self.between = norms
        self._library, self._index, self._shape = library, index, shape

    def forward(self, rows: torch.Tensor, parts: Sequence[Part], place: Place) -> torch.Tensor:
        """[n, hidden] in place; appends the keys and values of each part to its past."""
        shape, n = self._shape, len(rows)
        mixed = self.qkv(rows, norm=self.before).view(n, -1, shape.head_dim)
        seen = torch.empty(n, shape.heads * shape.head_dim)
        at = 0
        for part in parts:
            layer, own = part.past.layers[self._index], slice(at, at + part.rows)
            begin = layer.length
            keys, values = layer.extend(part.rows, shape.kv_heads, shape.head_dim)
            self._library.place(mixed[own], self.bias, place.cos[own], place.sin[own], keys, values, begin)
            self._library.attend(mixed[own], keys, values, begin, seen[own])
            at += part.rows
        self.o(seen, onto=rows)
        self.down(self.gate_up(rows, norm=self.between, gated=True), onto=rows)
        return rows


def suits(scheme: Scheme, sources: Mapping[str, Sequence[torch.Tensor]], shape: Shape) -> bool:
    """Whether all linears of a model have sizes that the kernels can do."""
    fitting = all(
        (kernel is None or kernel.fits(weight))
        for name, weights in sources.items()
        for weight in weights
        for kernel in (scheme.kernels[name.rpartition(".")[2]], None if name == "head" else scheme.blocks)
    )
    return fitting and shape.head_dim % HEAD_MULTIPLE == 0


def make_native(scheme: Scheme, packed: Mapping[str, Packed], name: str) -> NativeLinear:
    """The linear `name` of weights that were packed by `scheme`."""
    few = Held(scheme.kernels[name.rpartition(".")[2]], packed[name])
    other = packed.get(f"{BLOCKS}{name}")
    return NativeLinear(library(), few, Held(scheme.blocks, other) if other and scheme.blocks else few)
