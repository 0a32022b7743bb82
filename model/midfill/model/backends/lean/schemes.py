"""Which kernel serves which part of a model: a table, by measurement (`make bench-worker`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from midfill.model.backends.lean.kernels import INT4, INT8, Kernel, works
from midfill.model.backends.lean.native.pack import NATIVE4, NATIVE8


@dataclass(frozen=True, slots=True)
class Scheme:
    """A value of the `quantization` setting."""

    name: str
    title: str
    """As the model's status calls it."""
    kernels: Mapping[str, Kernel]
    """Part of a layer, or `head` → what multiplies it for few rows; parts left out stay as stored."""
    blocks: Kernel | None = None
    """What multiplies a layer's parts for many rows; None: as stored."""

    @property
    def native(self) -> bool:
        """Whether whole layers are the compiled kernels'."""
        return self.blocks is not None

    @property
    def key(self) -> str:
        """Names the folder of its weights."""
        return f"{self.name}-native" if self.native else self.name

    def works(self) -> bool:
        """Whether this machine has all of it."""
        kernels = [*self.kernels.values(), *([self.blocks] if self.blocks else [])]
        return all(works(kernel) for kernel in {k.name: k for k in kernels}.values())


PARTS = ("qkv", "o", "gate_up", "down", "head")
SCHEMES = {
    "int4": Scheme(
        "int4",
        "int4 (bf16 scales; int8 attention)",
        # What rounding each part to int4 adds to the NLL per gold token (default model, 70 short rows of
        # HumanEval-SingleLineInfilling): qkv 0.038, gate_up 0.012, o 0.009, down 0.004, head 0.003.
        # Attention is a tenth of the time.
        {"qkv": INT8, "o": INT8, "gate_up": INT4, "down": INT4, "head": INT4},
    ),
    "int8": Scheme("int8", "int8 (bf16 scales)", dict.fromkeys(PARTS, INT8)),
}
"""With torch's own kernels: wherever torch runs."""
NATIVE = {
    "int4": Scheme(
        "int4",
        "int4 (int8 attention and prompts; native)",
        {"qkv": NATIVE8, "o": NATIVE8, "gate_up": NATIVE4, "down": NATIVE4, "head": NATIVE4},
        blocks=NATIVE8,
    ),
    "int8": Scheme("int8", "int8 (native)", dict.fromkeys(PARTS, NATIVE8), blocks=NATIVE8),
}
"""With the compiled kernels: taken before those above where there are any."""
