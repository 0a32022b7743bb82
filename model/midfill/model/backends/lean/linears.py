"""Linear layers in two kinds: as stored, and quantised for few rows with the stored weight for many.

Which kernel serves how many rows is decided here, and nowhere else.
"""

from collections.abc import Sequence

import torch
from torch.nn.functional import linear

from midfill.model.backends.lean.kernels import Kernel, Packed

FEW_ROWS = 8
"""Up to here int4 is the quicker: 16.6 · 18.4 · 24.4 · 47.8 ms for 1 · 2 · 4 · 8 rows of the default model
against bfloat16's 61 · 62 · 62 · 70; at 16 rows 95 against 87, at 128 531 against 230 (one thread of a CPU
with AVX-512, all linears, weights cold)."""


class StoredLinear(torch.nn.Module):
    """One or more weights [rows, columns] of one input, their outputs side by side; not copied together."""

    def __init__(self, weights: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterList(
            [torch.nn.Parameter(weight, requires_grad=False) for weight in weights]
        )
        self._parts = list(self.weights)  # a plain list: ParameterList looks names up at every access

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """[n, columns] to [n, all rows], in the weights' own format."""
        rows = rows.to(self._parts[0].dtype)
        if len(self._parts) == 1:
            return linear(rows, self._parts[0])
        return torch.cat([linear(rows, part) for part in self._parts], dim=-1)


class QuantisedLinear(torch.nn.Module):
    """Few rows go through a quantised kernel, many through `stored` (None: through the kernel as well)."""

    def __init__(self, kernel: Kernel, packed: Packed, stored: StoredLinear | None) -> None:
        super().__init__()
        self.stored = stored
        self.packed = packed
        self._multiply = kernel.multiply

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """[n, columns] to [n, rows of the weight]."""
        if rows.shape[0] > FEW_ROWS and self.stored is not None:
            out: torch.Tensor = self.stored(rows)
            return out
        return self._multiply(rows.to(torch.bfloat16), self.packed)
