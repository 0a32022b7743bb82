"""Free memory of this machine, whether bitsandbytes is there, how it says that there is no more, and
`from_pretrained`'s arguments for a placement.
"""

from importlib.util import find_spec
from typing import Any

import psutil
import torch

from midfill.model.backends.hf.placement import QUANTISED, Memory, Placement

NO_MEMORY = ("out of memory", "DefaultCPUAllocator", "ALLOC_FAILED")
"""In the text of a RuntimeError: MPS's allocator and CUDA's driver; torch's on a CPU
(c10/core/impl/alloc_cpu.cpp); cuBLAS and cuDNN."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out. Only CUDA's own allocator has a class for that."""
    said = isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)
    return said or isinstance(error, MemoryError | torch.OutOfMemoryError)


def free_memory() -> Memory:
    """What is free now on the CPU and on all GPUs, in bytes."""
    gpus: tuple[int, ...] = ()
    if torch.cuda.is_available():
        gpus = tuple(torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count()))
    elif torch.backends.mps.is_available():
        gpus = (torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory(),)
    return Memory(psutil.virtual_memory().available, gpus)


def has_bitsandbytes() -> bool:
    """Found, not imported: bitsandbytes looks for a GPU when it is imported."""
    return find_spec("bitsandbytes") is not None


def load_arguments(placed: Placement, device: torch.device) -> dict[str, Any]:
    """What `from_pretrained` must be told beside the usual; empty for one device and stored weights."""
    if placed.max_memory:
        return {"device_map": "auto", "max_memory": dict(placed.max_memory)}
    if placed.format not in QUANTISED:
        return {}
    from transformers import BitsAndBytesConfig

    if placed.format == "int8":
        how = BitsAndBytesConfig(load_in_8bit=True)
    else:
        how = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
    return {"quantization_config": how, "device_map": {"": device}}
