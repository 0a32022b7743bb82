"""Weights as the compiled kernels want them: 16 rows a tile, groups of columns, zero in the middle.

The layout is described in `linear.c`. Slices of a weight are packed in turn: see `SLICE_ROWS`.
"""

from collections.abc import Callable

import torch

from midfill.model.backends.lean.kernels import (
    GROUP,
    SLICE_ROWS,
    Kernel,
    Packed,
    best_levels,
)
from midfill.model.backends.lean.native.library import library

LANES = 16
NEIGHBOURS = 4
"""Columns of a lane that are multiplied at once."""
GROUP8 = 64
SMALLEST_SCALE = 6e-5
"""float16 holds no smaller one in full."""


def pack4(weight: torch.Tensor) -> Packed:
    """To nibbles, with a scale and a zero in bfloat16 for each group of 32: as torch's int4 kernel has."""
    return _by_slices(weight, _pack4)


def pack8(weight: torch.Tensor) -> Packed:
    """To bytes, symmetric, with a scale in float16 for each group of 64."""
    return _by_slices(weight, _pack8)


def _pack4(weight: torch.Tensor) -> Packed:
    rows, columns = weight.shape
    scale, zero, numbers = best_levels(weight.float().reshape(rows, -1, GROUP))
    vectors = _vectors(numbers.to(torch.uint8).reshape(rows, columns), GROUP)
    pairs = vectors[:, :, 0::2] | vectors[:, :, 1::2] << 4
    scales = torch.cat([scale, zero], dim=-1).view(rows // LANES, LANES, -1, 2).permute(0, 2, 3, 1)
    return Packed(pairs.contiguous(), scales.contiguous())


def _pack8(weight: torch.Tensor) -> Packed:
    rows, columns = weight.shape
    groups = weight.float().reshape(rows, -1, GROUP8)
    scale = (groups.abs().amax(dim=-1, keepdim=True) / 127).clamp(min=SMALLEST_SCALE).half()
    numbers = (groups / scale.float()).round_().clamp_(-127, 127) + 128
    vectors = _vectors(numbers.to(torch.uint8).reshape(rows, columns), GROUP8)
    scales = scale.view(rows // LANES, LANES, -1).transpose(1, 2)
    return Packed(vectors.contiguous(), scales.contiguous())


def _vectors(numbers: torch.Tensor, group: int) -> torch.Tensor:
    """[rows, columns] to [tiles, groups, vectors of a group, lanes, neighbours]."""
    rows, columns = numbers.shape
    parts = (rows // LANES, LANES, columns // group, group // NEIGHBOURS, NEIGHBOURS)
    return numbers.view(parts).permute(0, 2, 3, 1, 4)


def _by_slices(weight: torch.Tensor, pack: Callable[[torch.Tensor], Packed]) -> Packed:
    pieces = [pack(rows) for rows in torch.split(weight, SLICE_ROWS)]
    return Packed(torch.cat([p.numbers for p in pieces]), torch.cat([p.scales for p in pieces]))


def _multiply(bits: int) -> Callable[[torch.Tensor, Packed], torch.Tensor]:
    def multiply(rows: torch.Tensor, weight: Packed) -> torch.Tensor:
        out = torch.empty(len(rows), weight.numbers.shape[0] * LANES)
        library().linear(bits, weight.numbers, weight.scales, rows.float().contiguous(), out)
        return out

    return multiply


NATIVE4 = Kernel("native int4", pack4, _multiply(4), GROUP, LANES, bits=4)
NATIVE8 = Kernel("native int8", pack8, _multiply(8), GROUP8, LANES, bits=8)
