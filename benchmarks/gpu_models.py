"""Models of published sizes with random weights, made on the device: the GPU's figures need no files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from midfill.model.backends.lean.gpu.load import place_weights
from midfill.model.backends.lean.gpu.model import GpuModel, cuda_capture, held_bytes
from midfill.model.backends.lean.gpu.serve import COMPILED
from midfill.model.backends.lean.gpu.weight_only import quantiser
from midfill.model.backends.lean.shape import Rope, Shape, read_shape
from midfill.model.store.local import cache_root

SPREAD = 0.02
"""Standard deviation of the weights, as training begins with: larger ones overflow in 16 bits."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a config.json says of a model."""

    kind: str
    """`llama` or `qwen2`."""
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool = False

    def config(self, positions: int) -> Any:
        """As transformers has it."""
        from transformers import LlamaConfig, Qwen2Config

        return (Qwen2Config if self.kind == "qwen2" else LlamaConfig)(
            vocab_size=self.vocabulary,
            hidden_size=self.hidden,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            max_position_embeddings=positions,
            tie_word_embeddings=self.tied,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=None,
        )

    @property
    def shape(self) -> Shape:
        """As the lean pass has it."""
        return Shape(
            self.vocabulary, self.hidden, self.layers, self.heads, self.kv_heads, self.hidden // self.heads,
            1e-6, self.kind == "qwen2", self.tied, Rope(1e6),
        )  # fmt: skip

    @property
    def linear_weights(self) -> int:
        """Of the layers' linears and the head: what a token is multiplied with."""
        kv = self.kv_heads * self.hidden // self.heads
        layer = 2 * self.hidden * (self.hidden + kv) + 3 * self.hidden * self.inner
        return self.layers * layer + self.hidden * self.vocabulary


SHAPES = {
    "tiny": Sizes("qwen2", 64, 128, 2, 4, 2, 512),
    "codellama-7b": Sizes("llama", 4096, 11008, 32, 32, 32, 32016),
    "codellama-13b": Sizes("llama", 5120, 13824, 40, 40, 40, 32016),
    "qwen2.5-coder-1.5b": Sizes("qwen2", 1536, 8960, 28, 12, 2, 151936, tied=True),
    "qwen2.5-coder-7b": Sizes("qwen2", 3584, 18944, 28, 28, 4, 152064),
}
"""From the models' own config.json; `tiny` is nobody's."""


def make_ours(
    sizes: Sizes, bits: str, dtype: torch.dtype, device: torch.device, context: int, how: str
) -> GpuModel:
    """Our model with random weights; `how` is one of the paths (`lean/gpu/choice.py`)."""
    random = torch.Generator(device).manual_seed(0)
    makes = _tensor_makers(sizes, dtype, device, random)
    quantise = None if bits == "none" else quantiser(bits)
    weights = place_weights(makes, sizes.shape, dtype, device, quantise)
    capture = None if how == "eager" else cuda_capture(device)
    fusing = cache_root() / COMPILED if how == "compiled" else None
    return GpuModel(sizes.shape, weights, context, bits, capture, fusing).eval()


def make_theirs(sizes: Sizes, dtype: torch.dtype, device: torch.device, context: int) -> Any:
    """transformers' model of the same sizes, with random weights."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    with device:
        model = AutoModelForCausalLM.from_config(
            sizes.config(context), dtype=dtype, attn_implementation="sdpa"
        )
    assert read_shape(model.config.to_dict()) is not None
    return model.to(device).eval()


def read_bytes(model: GpuModel) -> int:
    """What one token's linears read, as held."""
    weights = model.passes.weights
    layers = [tensor for layer in weights.layers for tensor in layer if tensor is not None]
    return sum(held_bytes(tensor) for tensor in (*layers, weights.head, weights.norm))


def _tensor_makers(
    sizes: Sizes, dtype: torch.dtype, device: torch.device, random: torch.Generator
) -> Callable[[str], torch.Tensor]:
    hidden, inner = sizes.hidden, sizes.inner
    kv = sizes.kv_heads * hidden // sizes.heads
    known = {
        "embed_tokens": (sizes.vocabulary, hidden),
        "lm_head": (sizes.vocabulary, hidden),
        "q_proj": (hidden, hidden),
        "k_proj": (kv, hidden),
        "v_proj": (kv, hidden),
        "o_proj": (hidden, hidden),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }

    def make(name: str) -> torch.Tensor:
        part, _, kind = name.removesuffix(".weight").rpartition(".")
        if kind == "bias":
            return torch.zeros(known[part.rpartition(".")[2]][0], device=device)
        if kind.endswith("norm"):
            return torch.ones(hidden, device=device)
        return torch.randn(known[kind], generator=random, device=device, dtype=dtype) * SPREAD

    return make
