"""Weights of 8 and 4 bits on a GPU, through torchao, which is never required. Knows no settings.

int8: one scale for each row; a product reads half of what 16 bits take if it is compiled (`fusion`), and is
slower than them if not. int4: groups of 128, torch's tinygemm kernel, bfloat16 only.
"""

from importlib.util import find_spec

import torch

from midfill.model.backends.lean.gpu.load import Quantise

PACKAGE = "torchao"
BITS = {"none": 16.0, "int8": 8.0, "int4": 4.5}
"""Of a weight of the linears, scales included: for estimates."""
GROUP = 128
"""Weights that share a scale and a zero in int4: torchao's default."""


def is_there() -> bool:
    """Whether the package can be imported. Does not import it: that costs seconds."""
    return find_spec(PACKAGE) is not None


def quantiser(name: str) -> Quantise:
    """What makes a weight on the device into one of `name`, `int8` or `int4`. Raises ImportError."""
    from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

    def quantise(weight: torch.Tensor) -> torch.Tensor:
        if name == "int4":
            config = Int4WeightOnlyConfig(group_size=GROUP, int4_packing_format="tile_packed_to_4d")
        else:
            config = Int8WeightOnlyConfig()
        rows, columns = weight.shape
        holder = torch.nn.Linear(columns, rows, bias=False, device="meta")
        holder.weight = torch.nn.Parameter(weight, requires_grad=False)
        quantize_(holder, config)
        return holder.weight

    return quantise
