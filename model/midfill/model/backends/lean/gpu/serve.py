"""From settings and a folder to a model that is ready to be warmed up on a GPU."""

from pathlib import Path

import torch

from midfill.model.backends.lean.gpu.choice import choose_bits, choose_path
from midfill.model.backends.lean.gpu.load import read_weights
from midfill.model.backends.lean.gpu.model import GpuModel, cuda_capture
from midfill.model.backends.lean.gpu.store import fitting_tokens, free_bytes, kv_sizes
from midfill.model.backends.lean.gpu.weight_only import quantiser
from midfill.model.backends.lean.shape import Shape
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig
from midfill.model.store.local import cache_root

COMPILED = "compiled"
"""Folder of the cache that the compiler keeps its work in."""


def load_gpu(
    folder: Path,
    shape: Shape,
    config: ModelConfig,
    device: torch.device,
    dtype: torch.dtype,
    context_tokens: int,
    parameters: int,
) -> GpuModel:
    """The model in `folder`, with as much of `context_tokens` as memory has room for.

    `parameters`: about how many there are. Raises BadConfig, DamagedModel, OutOfMemory and torch's
    OutOfMemoryError.
    """
    path, kv = choose_path(), kv_sizes(shape, dtype, device)
    bits = choose_bits(config, dtype, parameters, kv, free_bytes(device))
    try:
        quantise = None if bits == "none" else quantiser(bits)
        weights = read_weights(folder, shape, dtype, device, quantise)
    except ImportError as error:
        raise BadConfig(f"quantization {bits!r} cannot be had here: {error}") from error
    name = str(dtype).removeprefix("torch.")
    return GpuModel(
        shape,
        weights,
        fitting_tokens(kv, context_tokens, free_bytes(device)),
        name if quantise is None else f"{bits} ({name} activations)",
        None if path == "eager" else cuda_capture(device),
        cache_root() / COMPILED if path == "compiled" else None,
    )
