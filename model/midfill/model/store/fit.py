"""Whether a model of some size fits this machine: a rough, honest guess. Never imports torch."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from midfill.model.store.files import human_size

CPU_BYTES_PER_WEIGHT = 4
"""fp32, as the transformers backend runs on a CPU without quantisation."""
GPU_BYTES_PER_WEIGHT = 2
"""bfloat16 or float16."""
OVERHEAD = 1.1
"""KV cache and activations at the default context: a guess."""
RUNTIME_BYTES = 700_000_000
"""Python, torch and the tokenizer themselves: a guess."""

NVIDIA_SMI_TIMEOUT_S = 5.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory in bytes. `gpu_bytes` is that of the largest NVIDIA GPU, 0 where there is none to be seen."""

    ram_bytes: int
    free_ram_bytes: int
    gpu_bytes: int = 0


def this_machine() -> Machine:
    """What is here. Asks `nvidia-smi` when it is on PATH; other makers' GPUs are not seen."""
    memory = psutil.virtual_memory()
    return Machine(memory.total, memory.available, _gpu_bytes())


def verdict(parameters: int, machine: Machine) -> str:
    """`yes, GPU`, `yes`, `tight` (if other programs make room), `no, needs …`; empty when not known."""
    if not parameters:
        return ""
    on_gpu = memory_needed(parameters, GPU_BYTES_PER_WEIGHT)
    on_cpu = memory_needed(parameters, CPU_BYTES_PER_WEIGHT)
    if on_gpu <= machine.gpu_bytes:
        return "yes, GPU"
    if on_cpu <= machine.free_ram_bytes:
        return "yes"
    if on_cpu <= machine.ram_bytes:
        return "tight"
    return f"no, needs {human_size(on_cpu)}"


def memory_needed(parameters: int, bytes_per_weight: int) -> int:
    """Bytes that a model with so many weights needs while it runs."""
    return int(parameters * bytes_per_weight * OVERHEAD) + RUNTIME_BYTES


def _gpu_bytes() -> int:
    program = shutil.which("nvidia-smi")
    # Windows looks into the working folder first, which may be anybody's checkout.
    if program is None or Path(program).resolve().parent == Path.cwd():
        return 0
    command = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=NVIDIA_SMI_TIMEOUT_S,
            check=True,
        )
        return max(int(line) for line in done.stdout.split()) * _MIB
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0  # no driver, or one that does not answer: then torch finds no GPU either
