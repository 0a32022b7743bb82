"""What this machine offers: device, number format, threads. Decides from settings and a measurement."""

import os
from collections.abc import Callable
from time import perf_counter

import psutil
import torch

from midfill.model.errors import BadConfig

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
MEMORY_SHARE = 0.8
"""Of the free memory that float32 weights may take; beyond it, half of their size wins over speed."""
PROBE_SIZE = 2048
"""Side of the probe's matrices: 16 MB in float32, so six of them lie outside every cache we know."""
PROBE_MATRICES = 6
"""For one row. A block is bound by arithmetic, and one will do."""
PROBE_BLOCK_TOKENS = 128
PROBE_STEPS, PROBE_BLOCKS = 20, 5
"""A typical answer: 20 decode steps after 5 prefill blocks."""
PROBE_ROUNDS = 2
KV_SHARE = 0.1
"""Of the memory that is free once the model is loaded, for the KV caches of all documents, and as much for
those of all chats."""
KV_BYTES = 256 * 2**20
"""The most of it where editors need memory too: five full prompts of the default model, 24 KiB a token."""
CHATS_BYTES = 768 * 2**20
"""The most that chats may take, of which little stays when they end: three of a 7B with grouped heads."""
HALF_MARGIN = 1.2
"""bfloat16 may be this much slower and still be taken: it halves the memory, and the probe is noisy."""


def choose_device(name: str) -> torch.device:
    """The device that the setting names. Raises BadConfig where there is no such thing here."""
    if name == "auto":
        name = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BadConfig(f"unknown device {name!r}: known are auto, cpu, cuda, cuda:N and mps") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BadConfig(
            f"device {name!r} is not there: this machine has {torch.cuda.device_count()} CUDA devices"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise BadConfig("device 'mps' is not there: it needs an Apple GPU")
    if device.type not in ("cpu", "cuda", "mps"):
        raise BadConfig(f"device {name!r} is not supported: known are auto, cpu, cuda, cuda:N and mps")
    return device


def choose_dtype(
    name: str,
    device: torch.device,
    parameters: int,
    measure: Callable[[torch.dtype], float] | None = None,
) -> torch.dtype:
    """The number format: as set, else bfloat16 on GPUs that have it, else what `measure` finds faster.

    `parameters` is the model's size: float32 that does not fit in free memory is not tried.
    """
    if name != "auto":
        if name not in DTYPES:
            raise BadConfig(f"unknown dtype {name!r}: known are auto, {', '.join(DTYPES)}")
        return DTYPES[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.float16
    if parameters * 4 > psutil.virtual_memory().available * MEMORY_SHARE:
        return torch.bfloat16
    measure = measure or measure_cpu
    half, whole = float("inf"), float("inf")
    for _ in range(PROBE_ROUNDS):  # in turn, so that another program's burst does not hit one of them
        half, whole = min(half, measure(torch.bfloat16)), min(whole, measure(torch.float32))
    return torch.bfloat16 if half < whole * HALF_MARGIN else torch.float32


def measure_cpu(dtype: torch.dtype, steps: int = PROBE_STEPS) -> float:
    """Seconds that a typical answer's matrix products take here in `dtype`: about 0.04 s to find out for a
    block, 0.05 s for the steps (one thread, 90 GFLOP/s).

    Decoding (one row) is bound by memory, prefill (a block) by arithmetic: bfloat16 halves the first
    everywhere, and on a CPU without bfloat16 instructions makes the second many times slower.
    """
    count = PROBE_MATRICES if steps else 1
    weights = [torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype) for _ in range(count)]
    one = torch.ones(1, PROBE_SIZE, dtype=dtype)
    block = torch.ones(PROBE_BLOCK_TOKENS, PROBE_SIZE, dtype=dtype)
    seconds = PROBE_BLOCKS * PROBE_MATRICES * _seconds(block, weights[:1])
    return seconds + (steps * _seconds(one, weights) if steps else 0.0)


def _seconds(rows: torch.Tensor, weights: list[torch.Tensor]) -> float:
    """The best of three passes of `rows` [n, size] through `weights`; a first one warms up."""
    times = []
    with torch.inference_mode():
        for _ in range(4):
            began = perf_counter()
            for weight in weights:
                torch.nn.functional.linear(rows, weight)
            times.append(perf_counter() - began)
    return min(times[1:])


def choose_kv_bytes(device: torch.device, most: int = KV_BYTES) -> int:
    """How much all documents' KV caches may take together, the model being loaded; on a CPU `most`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * KV_SHARE)
    return int(min(most, psutil.virtual_memory().available * KV_SHARE))


def use_threads(threads: int) -> int:
    """Let torch compute on `threads` cores (0: one less than there are, at least one). Process-wide."""
    if threads < 0:
        raise BadConfig(f"threads is {threads}: it must be 0 (choose for me) or more")
    wanted = min(threads, _cores()) or max(1, _cores() - 1)  # more threads than cores only get in the way
    torch.set_num_threads(wanted)
    return wanted


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only: a container may be given fewer
    return len(affinity(0)) if affinity else os.cpu_count() or 1
