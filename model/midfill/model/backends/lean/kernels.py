"""Matrix products with quantised weights on a CPU, and whether this machine has them.

Each is good for a few rows (decoding, verifying guesses); blocks of a prompt go another way, see `linears`.
Weight-only: activations are rounded to bfloat16 and no further. `quantize_dynamic` and one activation scale
per tensor ruin small models (exact match 37 → 1 of 120, measured).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import torch

log = logging.getLogger(__name__)

GROUP = 32
"""Weights that share a scale and a zero in int4: llama.cpp's Q4 blocks have as many."""
LEVELS = 15
SHARES = (0.96, 0.92, 0.88, 0.84, 0.8)
"""Of a group's range, tried beside all of it: cutting off its ends makes the steps between finer."""
LOSS_POWER = 2.4
"""Large errors count a little more than squared."""
SLICE_ROWS = 4096
"""Quantised at a time: packing needs 4 bytes a weight for a moment, 15 MB for rows of 896. A multiple
of 64, the most rows that the int4 kernel packs together (AVX-512)."""
PROBE_ROWS, PROBE_COLUMNS = 128, 64
SPEED_PROBE = 1024
SCALAR_RATIO = 6.0
"""See `is_scalar`."""
TOLERANCE = {"int4": 0.15, "int8": 0.03, "native int4": 0.15, "native int8": 0.03}
"""Largest error of a probe's products, as a share of their size. Seen: 0.08 and 0.007."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight [rows, columns] as a kernel wants it: its numbers, and their scales (int4: and zeros)."""

    numbers: torch.Tensor
    scales: torch.Tensor


@dataclass(frozen=True, slots=True)
class Kernel:
    """One way to hold and multiply weights."""

    name: str
    pack: Callable[[torch.Tensor], Packed]
    """From [rows, columns] in any float format. `fits` says which sizes."""
    multiply: Callable[[torch.Tensor, Packed], torch.Tensor]
    """[n, columns] in bfloat16 by the weight: [n, rows] in bfloat16."""
    column_multiple: int
    row_multiple: int
    bits: int = 0
    """As the compiled kernels are called (`native/`); 0: torch's own."""

    def fits(self, weight: torch.Tensor) -> bool:
        """Whether a weight of this size can be packed."""
        rows, columns = weight.shape
        return columns % self.column_multiple == 0 and rows % self.row_multiple == 0


def pack_int4(weight: torch.Tensor) -> Packed:
    """Round to 16 levels for each group of 32, which cover its range or as much of it as errs least.

    A number q stands for (q - 8) * scale + zero, scale and zero in bfloat16: the kernel is fast only so.
    """
    pieces = [_pack_int4_rows(rows) for rows in torch.split(weight, SLICE_ROWS)]
    return Packed(
        torch.cat([piece.numbers for piece in pieces]), torch.cat([piece.scales for piece in pieces], dim=1)
    )


def _pack_int4_rows(rows: torch.Tensor) -> Packed:
    scale, zero, numbers = best_levels(rows.float().reshape(rows.shape[0], -1, GROUP))
    integers = numbers.to(torch.int32).reshape(rows.shape)
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(integers, 1)
    return Packed(packed, torch.cat([scale, zero], dim=-1).transpose(0, 1).contiguous())


def best_levels(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scale and zero [rows, groups, 1] in bfloat16, and numbers [rows, groups, GROUP], that err least."""
    scale, zero, numbers = _round_to_levels(groups, 1.0)
    best = _loss(groups, scale, zero, numbers)
    for share in SHARES:
        other = _round_to_levels(groups, share)
        loss = _loss(groups, *other)
        better = loss < best
        best = torch.where(better, loss, best)
        scale, zero, numbers = (
            torch.where(better, new, old) for new, old in zip(other, (scale, zero, numbers), strict=True)
        )
    return scale, zero, numbers


def _round_to_levels(groups: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scale and zero [rows, groups, 1] in bfloat16, and numbers; the levels cover `share` of the range.

    Rounded against the scale and zero as they are kept, so that their own rounding costs less.
    """
    low, high = groups.aminmax(dim=-1, keepdim=True)
    middle, half = (low + high) / 2, (high - low) / 2 * share
    scale = (2 * half / LEVELS).clamp(min=1e-8).bfloat16()
    zero = (middle - half + scale.float() * 8).bfloat16()
    numbers = ((groups - zero.float()) / scale.float() + 8).round_().clamp_(0, LEVELS)
    return scale, zero, numbers


def _loss(
    groups: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor, numbers: torch.Tensor
) -> torch.Tensor:
    """How far each group is from its weights, [rows, groups, 1]."""
    error = (numbers - 8) * scale.float() + zero.float() - groups
    return error.abs().pow(LOSS_POWER).sum(dim=-1, keepdim=True)


def _multiply_int4(rows: torch.Tensor, weight: Packed) -> torch.Tensor:
    product: torch.Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(
        rows, weight.numbers, GROUP, weight.scales
    )
    return product


def pack_int8(weight: torch.Tensor) -> Packed:
    """Round to 255 levels, symmetric, with one scale in bfloat16 per row."""
    pieces = []
    for rows in torch.split(weight, SLICE_ROWS):
        values = rows.float()
        scale = (values.abs().amax(dim=1) / 127).clamp(min=1e-8).bfloat16()
        numbers = (values / scale.float()[:, None]).round_().clamp_(-127, 127).to(torch.int8)
        pieces.append(Packed(numbers, scale))
    return Packed(
        torch.cat([piece.numbers for piece in pieces]), torch.cat([piece.scales for piece in pieces])
    )


def _multiply_int8(rows: torch.Tensor, weight: Packed) -> torch.Tensor:
    product: torch.Tensor = torch.ops.aten._weight_int8pack_mm(rows, weight.numbers, weight.scales)
    return product


INT4 = Kernel("int4", pack_int4, _multiply_int4, GROUP, 16)
INT8 = Kernel("int8", pack_int8, _multiply_int8, 16, 16)


def works(kernel: Kernel) -> bool:
    """Try the kernel once against float32. Some builds of torch have none for their platform, and raise."""
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(PROBE_ROWS, PROBE_COLUMNS, generator=random)
    rows = torch.randn(4, PROBE_COLUMNS, generator=random)
    try:
        return agrees(kernel, kernel.pack(weight), weight, rows)
    except (RuntimeError, AttributeError) as error:  # NotImplementedError is a RuntimeError
        log.info("no %s kernel on this machine: %s", kernel.name, str(error).partition("\n")[0])
        return False


def is_scalar(kernel: Kernel) -> bool:
    """Whether this machine runs the kernel without vector instructions: then plain weights are quicker.

    Against float32 that lies in the cache, one row took 0.3 × (AVX-512) or 0.9 × (AVX2) as long where
    it is vectorised, 13 × where not (`ATEN_CPU_CAPABILITY=default`): a token took 700 ms instead of 23.
    """
    weight, row = torch.ones(SPEED_PROBE, SPEED_PROBE), torch.ones(1, SPEED_PROBE)
    packed, few = kernel.pack(weight), row.bfloat16()
    quantised = _quickest(lambda: kernel.multiply(few, packed))
    return quantised > SCALAR_RATIO * _quickest(lambda: torch.nn.functional.linear(row, weight))


def _quickest(multiply: Callable[[], torch.Tensor]) -> float:
    """Seconds, the best of five after one to warm up."""
    times = []
    for _ in range(6):
        began = perf_counter()
        multiply()
        times.append(perf_counter() - began)
    return min(times[1:])


def agrees(kernel: Kernel, packed: Packed, weight: torch.Tensor, rows: torch.Tensor) -> bool:
    """Whether `packed` multiplies about as `weight` [r, c] does, on `rows` [n, c]."""
    wanted = rows @ weight.float().T
    got = kernel.multiply(rows.bfloat16(), packed).float()
    error = float((got - wanted).norm() / wanted.norm())
    if not error <= TOLERANCE[kernel.name]:  # NaN counts as wrong
        log.info("the %s kernel on this machine is off by %.2f: not used", kernel.name, error)
        return False
    return True
