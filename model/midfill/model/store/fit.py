"""Whether a model fits this machine, and what near it does. Compares; the arithmetic is in `estimate.py`.

Never imports torch: free memory of GPUs is passed in, or asked of `nvidia-smi`.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from midfill.model.errors import ModelError, TooBig
from midfill.model.store.catalogue import CATALOGUE, by_name
from midfill.model.store.estimate import BYTES, UNPACKING, Serving, Sizes, needed, read_sizes
from midfill.model.store.files import human_size
from midfill.model.store.gguf_header import check_gguf
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.store.shapes import sizes_of

RUNTIME_BYTES = 300_000_000
"""Python, torch and transformers, imported (measured: 256 MB)."""
ON_CPU = Serving("cpu", "int4", 2048)
ON_GPU = Serving("cuda", "bfloat16", 16_384)
"""How `auto` serves: the defaults of the settings."""
LEAST_CONTEXT_TOKENS = 1024
"""A smaller context is not worth offering: half of it would be the text around the cursor."""

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


def verdict(sizes: Sizes, machine: Machine, unpacked: bool = False) -> str:
    """`yes, GPU`, `yes`, `tight` (if other programs make room), `no, needs …`; empty when not known.

    `unpacked`: the weights come as GGUF, whose conversion takes more than serving does.
    """
    if not sizes.parameters:
        return ""
    unpacking = int(sizes.parameters * UNPACKING) if unpacked else 0
    on_cpu = needed(sizes, ON_CPU)
    least = max(on_cpu.total, unpacking) + RUNTIME_BYTES
    if fitting_context(sizes, ON_GPU, machine.gpu_bytes) and unpacking <= machine.ram_bytes:
        return "yes, GPU"
    if max(least, on_cpu.total + on_cpu.mapped) <= machine.free_ram_bytes:
        return "yes"
    if least <= machine.ram_bytes:
        return "tight"
    return f"no, needs {human_size(least)}"


def resident_bytes(sizes: Sizes) -> int:
    """What the process takes on a CPU, served as `auto` does. Weights that are mapped from disk come beside
    it, and go where memory is short."""
    return needed(sizes, ON_CPU).total + RUNTIME_BYTES


def refusal(
    name: str, sizes: Sizes, serving: Serving, free: int, formats: Sequence[str] = (), free_ram: int = 0
) -> str:
    """Why the model cannot be loaded so, and what near it can; empty when nothing speaks against it.

    `free` bytes are there on the serving's device, `free_ram` on the CPU beside it. `formats`: the
    quantised ones that could run on that device.
    """
    need = needed(sizes, serving).total
    if need <= free:
        return ""
    where = "of memory are free" if serving.device == "cpu" else f"of {serving.device} memory are free"
    nearest = [
        f"{what} ({human_size(size)})" for what, size in _nearest(sizes, serving, formats, name, free)
    ]
    on_cpu = needed(sizes, ON_CPU).total
    if serving.device != "cpu" and on_cpu <= free_ram:
        nearest.append(f"`device` cpu ({human_size(on_cpu)})")
    hint = (
        f"These would fit: {', '.join(nearest)}."
        if nearest
        else "Choose a smaller one from `midfill model list`."
    )
    return f"{name} does not fit: it needs {human_size(need)}, {human_size(max(free, 0))} {where}. {hint}"


def fitting_context(sizes: Sizes, serving: Serving, free: int) -> int:
    """The context that fits: as asked for, else the largest half, quarter … of it; 0 for none worth it."""
    context = serving.context_tokens
    while needed(sizes, replace(serving, context_tokens=context)).total > free:
        context //= 2
        if context < LEAST_CONTEXT_TOKENS:
            return 0
    return context


def context_that_fits(
    name: str,
    sizes: Sizes,
    serving: Serving,
    free: int,
    asked: bool,
    formats: Sequence[str] = (),
    free_ram: int = 0,
) -> int:
    """The context to serve with: the serving's own where the user `asked` for it, else what fits of it.

    Raises TooBig with the refusal's sentence where nothing does.
    """
    context = 0 if asked else fitting_context(sizes, serving, free)
    if context:
        return context
    if sentence := refusal(name, sizes, serving, free, formats, free_ram):
        raise TooBig(sentence)
    return serving.context_tokens


def unpacking_refusal(name: str, weights: int, free: int) -> str:
    """Why a GGUF file of so many weights cannot be converted in `free` bytes; empty when it can."""
    need = int(weights * UNPACKING)
    if need <= free:
        return ""
    return (
        f"{name} cannot be unpacked: that needs {human_size(need)} of memory once, {human_size(free)} are "
        "free. Close other programs, get a smaller model, or this one as safetensors."
    )


def local_sizes(model: LocalModel) -> tuple[Sizes, bool]:
    """The sizes of a model that is here, from its headers, and whether it must be unpacked first."""
    try:
        if model.format is WeightFormat.GGUF:
            known = by_name(model.name)
            return (sizes_of(known) if known else Sizes(check_gguf(model.path))), True
        config = json.loads((model.path / "config.json").read_text(encoding="utf-8"))
        return read_sizes(config, stored_bytes(model.path)), False
    except (ModelError, OSError, ValueError, TypeError, AttributeError):
        return Sizes(0), False  # loading says what is wrong with it


def stored_bytes(folder: Path) -> int:
    """The weights of the safetensors files in `folder`."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def _nearest(
    sizes: Sizes, serving: Serving, formats: Sequence[str], name: str, free: int
) -> list[tuple[str, int]]:
    """What would fit on the same device, with what it needs: the nearest change of each kind."""
    found: list[tuple[str, Serving]] = []
    if serving.format in BYTES:
        found += [
            (f"`quantization` {f}", replace(serving, format=f)) for f in ("int8", "int4") if f in formats
        ]
    context = fitting_context(sizes, serving, free)
    if context:
        found.append((f"`contextTokens` {context}", replace(serving, context_tokens=context)))
    options = [(what, needed(sizes, how).total) for what, how in found]
    options += _sibling(name, serving, free)
    return [(what, size) for what, size in options if size <= free]


def _sibling(name: str, serving: Serving, free: int) -> list[tuple[str, int]]:
    """The largest model of the same family and kind that fits."""
    entry = by_name(name)
    if entry is None:
        return []
    fitting = [
        (other.parameters, other.name, size)
        for other in CATALOGUE
        if other.family == entry.family
        and _kind(other.name) == _kind(name)
        and other.parameters < entry.parameters
        and (size := needed(sizes_of(other), serving).total) <= free
    ]
    return [max(fitting)[1:]] if fitting else []


def _kind(name: str) -> str:
    """`instruct`, `python` or nothing: what follows the size in the catalogue's names."""
    last = name.lower().rpartition("-")[2]
    return last if last in ("instruct", "python") else ""


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
