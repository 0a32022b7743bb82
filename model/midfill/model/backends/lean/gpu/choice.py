"""How a model is served on a GPU: which path, and in how many bits. Decides from settings, sizes and free
memory; loads nothing.
"""

import logging
import os

import torch

from midfill.model.backends.lean.gpu.store import KvSizes
from midfill.model.backends.lean.gpu.weight_only import BITS, PACKAGE, is_there
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig, OutOfMemory

log = logging.getLogger(__name__)

PATH_VARIABLE = "MIDFILL_GPU_PATH"
"""For comparisons and for reports of faults, no setting: `compiled` (if empty), `graphs` (captured but not
compiled), `eager` (neither), `transformers`."""
PATHS = ("compiled", "graphs", "eager", "transformers")
LEAST_CONTEXT_TOKENS = 4096
"""What must have room beside the weights for these to count as fitting."""
SPARE_BYTES = 1 << 30
"""For a block's activations, captured graphs and the libraries' own."""


def choose_path() -> str:
    """One of PATHS. Raises BadConfig for another word."""
    path = os.environ.get(PATH_VARIABLE, "") or PATHS[0]
    if path not in PATHS:
        raise BadConfig(f"{PATH_VARIABLE} is {path!r}: known are {', '.join(PATHS)}")
    return path


def choose_bits(config: ModelConfig, dtype: torch.dtype, parameters: int, kv: KvSizes, free: int) -> str:
    """`none`, `int8` or `int4`: as asked; with `auto` the first that fits into `free` bytes.

    Raises BadConfig where what was asked for by name cannot be had, OutOfMemory where nothing fits.
    """
    asked = config.quantization
    if asked not in ("auto", *BITS):
        raise BadConfig(f"unknown quantization {asked!r}: known are auto, {', '.join(BITS)}")
    if asked == "none" or (asked == "auto" and config.dtype != "auto"):
        return "none"
    if asked != "auto":
        obstacle = _obstacle(asked, dtype)
        if obstacle:
            raise BadConfig(f"quantization {asked!r} cannot be had here: {obstacle}")
        return asked
    beside = LEAST_CONTEXT_TOKENS * kv.bytes_per_token + SPARE_BYTES
    obstacles = []
    for bits, width in BITS.items():
        if parameters * width / 8 + beside > free:
            obstacles.append(f"{bits} takes {parameters * width / 8 / 2**30:.0f} GiB")
        elif bits != "none" and _obstacle(bits, dtype):
            obstacles.append(f"{bits}: {_obstacle(bits, dtype)}")
        else:
            return bits
    raise OutOfMemory(f"the model does not fit: {free / 2**30:.0f} GiB are free; {'; '.join(obstacles)}")


def _obstacle(bits: str, dtype: torch.dtype) -> str:
    if not is_there():
        return f"on a GPU it needs the package {PACKAGE}; `pip install {PACKAGE}`, or use none"
    if bits == "int4" and dtype is not torch.bfloat16:
        return "its kernel computes in bfloat16 alone"
    return ""
