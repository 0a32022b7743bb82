"""The GPU's code in every place it runs: uncaptured on a CPU, recorded by a stand-in, and on CUDA."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import DynamicCache

from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.lean.gpu.fusion import fuse
from midfill.model.backends.lean.gpu.graphs import CudaCapture, Run
from midfill.model.backends.lean.gpu.load import place_weights
from midfill.model.backends.lean.gpu.model import GpuModel, cuda_capture
from midfill.model.backends.lean.shape import read_shape
from tests.model.looping import reference
from tests.model.tiny import make_model

CONTEXT = 3000
CUDA = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]
CPU_PLACES = ["cpu-eager", "cpu-recorded"]
PLACES = [
    *CPU_PLACES,
    *(pytest.param(name, marks=CUDA) for name in ("cuda-eager", "cuda-graphs", "cuda-compiled")),
]


class Recorder:
    """Stands in for CUDA graphs: replays by computing again, and refuses buffers that were not there when
    it recorded, which a graph would silently go on reading."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0
        self.watch: Callable[[], list[int]] = list

    def __call__(self, run: Run) -> Run:
        run()
        self.recorded += 1
        addresses = self.watch()

        def replay() -> Any:
            assert self.watch() == addresses, "a recorded step over buffers that are gone"
            self.replayed += 1
            return run()

        return replay


def make_gpu(place: str, family: str = "qwen2", dtype: torch.dtype = torch.float32) -> GpuModel:
    """A tiny model at `place`; `reference` is the transformers model of the same weights, on the CPU."""
    theirs = make_model(family)
    shape = read_shape(theirs.config.to_dict())
    assert shape is not None
    device = torch.device(place.partition("-")[0])
    weights = place_weights(theirs.state_dict().__getitem__, shape, dtype, device)
    model = GpuModel(shape, weights, CONTEXT, str(dtype).removeprefix("torch."), cuda_capture(device))
    match place.partition("-")[2]:
        case "eager":
            model.steps._capture = None
        case "recorded":
            model.steps._capture = Recorder()
        case "compiled":
            assert fuse(model.passes, Path(tempfile.gettempdir()) / "midfill-compiled")
    if device.type == "cuda" and not place.endswith("eager"):
        assert isinstance(model.steps._capture, CudaCapture)
    object.__setattr__(model, "reference", theirs)
    return model


def watch(model: GpuModel, cache: TokenCache) -> None:
    """Let the stand-in notice when the buffers of `cache` move."""
    if isinstance(model.steps._capture, Recorder):
        model.steps._capture.watch = lambda: [tensor.data_ptr() for tensor in buffers(cache)]


def buffers(cache: TokenCache) -> list[torch.Tensor]:
    past: Any = cache.past
    return [*past.keys, *past.values]


def assert_in_step(model: GpuModel, cache: TokenCache) -> None:
    """The cache holds what a fresh pass of transformers over its tokens computes."""
    past: Any = cache.past
    assert past.get_seq_length() == len(cache.tokens)
    if not cache.tokens:
        return
    fresh = DynamicCache()
    with torch.inference_mode():
        reference(model)(input_ids=torch.tensor([cache.tokens]), past_key_values=fresh)
    for keys, values, theirs in zip(past.keys, past.values, fresh.layers, strict=True):
        held = [tensor[:, : past.length].cpu() for tensor in (keys, values)]
        torch.testing.assert_close(held[0], theirs.keys[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(held[1], theirs.values[0], rtol=1e-4, atol=1e-4)
