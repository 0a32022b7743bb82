"""Where a transformers model's weights go, and in which format: decided before anything is read.

Pure: free memory and whether bitsandbytes is installed are passed in (`memory.py` looks). One device when
it fits; then several; then quantised; then some of it in the CPU's memory, which is slow and said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig
from midfill.model.store.estimate import BYTES, Serving, Sizes, needed
from midfill.model.store.fit import context_that_fits, fitting_context

QUANTISED = ("int8", "int4")
SLOW = "partly in the CPU's memory"
INSTALL = "it needs the package bitsandbytes: `pip install bitsandbytes`, or use auto or none"


@dataclass(frozen=True, slots=True)
class Memory:
    """Free bytes. `gpus` by index; one entry for `mps`."""

    ram: int
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """`format` is a key of `BYTES`, `int8` or `int4` (bitsandbytes)."""

    format: str
    context_tokens: int
    max_memory: Mapping[int | str, int] = field(default_factory=dict)
    """Bytes of weights for each device, for accelerate to spread them; empty: one device."""

    @property
    def title(self) -> str:
        """What decoding multiplies, for the status."""
        name = {"int8": "int8 (bitsandbytes)", "int4": "nf4 (bitsandbytes)"}.get(self.format, self.format)
        if "cpu" in self.max_memory:
            return f"{name}, {SLOW}"
        return f"{name}, on {len(self.max_memory)} devices" if self.max_memory else name


def place(
    name: str,
    sizes: Sizes,
    serving: Serving,
    config: ModelConfig,
    index: int | None,
    memory: Memory,
    has_bitsandbytes: bool,
) -> Placement:
    """How to load the model called `name` on device `index` (None: any of its kind).

    `serving` names the format of weights that are not quantised. Raises BadConfig for a quantisation that
    cannot be had, TooBig where nothing fits.
    """
    asked = config.context_tokens > 0
    if serving.device == "cpu":
        return Placement(
            serving.format, context_that_fits(name, sizes, serving, memory.ram, asked, (), memory.ram)
        )
    formats = _formats(config.quantization, serving, has_bitsandbytes)
    free = memory.gpus[index or 0] if memory.gpus else 0
    context = partial(_context, sizes, asked)
    if fitting := context(served := replace(serving, format=formats[0]), free):
        return Placement(served.format, fitting)
    spread = formats[0] in BYTES and serving.device == "cuda"
    devices: dict[int | str, int] = dict(enumerate(memory.gpus)) if index is None else {index: free}
    if spread and len(devices) > 1 and (fitting := context(served, sum(devices.values()))):
        return _spread(sizes, replace(served, context_tokens=fitting), devices)
    for smaller in formats[1:]:
        if fitting := context(replace(serving, format=smaller), free):
            return Placement(smaller, fitting)
    devices["cpu"] = memory.ram
    if spread and (fitting := context(served, sum(devices.values()))):
        return _spread(sizes, replace(served, context_tokens=fitting), devices)
    usable = QUANTISED if serving.device == "cuda" and has_bitsandbytes else ()
    fitting = context_that_fits(name, sizes, served, free, asked, usable, memory.ram)
    return Placement(served.format, fitting)


def _context(sizes: Sizes, asked: bool, served: Serving, room: int) -> int:
    """How much of the context fits into `room` bytes: what was `asked` for, or nothing. 0 for none."""
    if asked:
        return served.context_tokens if needed(sizes, served).total <= room else 0
    return fitting_context(sizes, served, room)


def _formats(wanted: str, serving: Serving, has_bitsandbytes: bool) -> tuple[str, ...]:
    """The formats to try, in order."""
    if wanted not in ("auto", "none", *QUANTISED):
        raise BadConfig(
            f"unknown quantization {wanted!r}: known are auto, none, {', '.join(reversed(QUANTISED))}"
        )
    if wanted in QUANTISED:
        if serving.device != "cuda":
            raise BadConfig(
                f"quantization {wanted!r} cannot be had here: it is there for CPUs and NVIDIA GPUs alone; "
                "use auto or none"
            )
        if not has_bitsandbytes:
            raise BadConfig(f"quantization {wanted!r} cannot be had here: {INSTALL}")
        return (wanted,)
    quantised = QUANTISED if wanted == "auto" and has_bitsandbytes and serving.device == "cuda" else ()
    return (serving.format, *quantised)


def _spread(sizes: Sizes, serving: Serving, devices: Mapping[int | str, int]) -> Placement:
    """Weights by device in proportion: keys and values lie beside their layers."""
    need = needed(sizes, serving)
    shares = {device: free * need.weights // need.total for device, free in devices.items()}
    return Placement(serving.format, serving.context_tokens, shares)
