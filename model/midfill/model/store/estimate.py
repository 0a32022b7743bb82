"""How much memory a model needs, from its sizes and how it is served. Pure arithmetic: knows no machine.

Bytes throughout. Sizes come from a `config.json`, or from the catalogue's table in `shapes.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
"""Of one weight as stored."""
LEAN_INT8, LEAN_INT4 = 1.0, 0.625
"""int4: half a byte, and a bfloat16 scale and zero for every 32 weights. The default model's packed file
is 325.4 MB, and 325.2 MB by these."""
BNB_INT8, BNB_INT4 = 1.0, 0.5625
"""bitsandbytes. NF4: half a byte, and a float32 scale for every 64 weights (arXiv 2305.14314 §3)."""
UNPACKING = 4.4
"""Bytes a weight while a GGUF file is converted (measured: 3.01 GB at most for the default model's 630
million weights, 0.26 GB of it before it began)."""
CPU_BLOCK_TOKENS, GPU_BLOCK_TOKENS = 128, 512
"""Of a prefill block: what is computed at once."""
KV_BYTES_CPU, KV_BYTES_GPU = 4, 2
"""Of one number in the KV cache: float32 where the lean pass runs, else the weights' format."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the memory that a model takes depends on. Zeros where a part is not known."""

    parameters: int
    embedding: int = 0
    """Weights of the embedding table: as large as the head."""
    attention: int = 0
    """Weights of all layers' q, k, v and o."""
    kv_width: int = 0
    """Numbers that one token adds to the KV cache, over all layers."""
    row_width: int = 0
    """Numbers that one token of a block takes while a layer is computed."""
    tied: bool = False
    """Whether the head is the embedding table."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a model is served."""

    device: str
    """`cpu`, `cuda` or `mps`, without a number."""
    format: str
    """A key of BYTES, `int8` or `int4`."""
    context_tokens: int


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that must stay in memory for every token, and what they are for."""

    weights: int
    kv: int
    scratch: int
    mapped: int = 0
    """Beside it: weights mapped from disk, which come back by themselves where memory is short."""

    @property
    def total(self) -> int:
        return self.weights + self.kv + self.scratch


def needed(sizes: Sizes, serving: Serving) -> Need:
    """What `sizes` take when they are served so."""
    on_cpu = serving.device == "cpu"
    block = CPU_BLOCK_TOKENS if on_cpu else GPU_BLOCK_TOKENS
    kv_bytes = KV_BYTES_CPU if on_cpu else KV_BYTES_GPU
    quantised = serving.format not in BYTES
    return Need(
        weights=_weights(sizes, serving),
        kv=sizes.kv_width * kv_bytes * serving.context_tokens,
        scratch=sizes.row_width * 4 * block,
        mapped=sizes.parameters * 2 if on_cpu and quantised else 0,
    )


def _weights(sizes: Sizes, serving: Serving) -> int:
    if serving.format in BYTES:
        return int(sizes.parameters * BYTES[serving.format])
    if serving.device == "cpu":  # attention in int8 either way, the table of embeddings mapped
        linears = sizes.parameters - (0 if sizes.tied else sizes.embedding)
        each = LEAN_INT8 if serving.format == "int8" else LEAN_INT4
        return int(sizes.attention * LEAN_INT8 + (linears - sizes.attention) * each)
    ends = sizes.embedding * (1 if sizes.tied else 2)  # bitsandbytes leaves these as they are
    each = BNB_INT8 if serving.format == "int8" else BNB_INT4
    return int(ends * 2 + (sizes.parameters - ends) * each)


def read_sizes(config: Mapping[str, Any], stored_bytes: int = 0) -> Sizes:
    """The sizes of the model that `config` (a parsed config.json) describes.

    `stored_bytes`, of its weights on disk, say how many there are whatever the architecture; without them
    the count is that of a Llama- or Qwen2-class model. Keys that are missing make parts unknown (0).
    """
    hidden, layers = (
        _number(config, "hidden_size", "n_embd"),
        _number(config, "num_hidden_layers", "n_layer"),
    )
    heads = _number(config, "num_attention_heads", "n_head")
    kv_heads = 1 if config.get("multi_query") else _number(config, "num_key_value_heads") or heads
    head_dim = _number(config, "head_dim") or (hidden // heads if heads else 0)
    inner = _number(config, "intermediate_size", "n_inner") or 4 * hidden
    tied = bool(config.get("tie_word_embeddings", False))
    embedding = _number(config, "vocab_size") * hidden
    attention = 2 * layers * hidden * head_dim * (heads + kv_heads)
    biases = layers * head_dim * (heads + 2 * kv_heads) if config.get("model_type") == "qwen2" else 0
    norms = hidden * (2 * layers + 1)
    counted = embedding * (1 if tied else 2) + attention + layers * 3 * hidden * inner + biases + norms
    each = BYTES.get(str(config.get("dtype") or config.get("torch_dtype")), 2.0)
    return Sizes(
        parameters=int(stored_bytes / each) or counted,
        embedding=embedding,
        attention=attention,
        kv_width=2 * layers * kv_heads * head_dim,
        row_width=4 * hidden + 2 * inner,
        tied=tied,
    )


def _number(config: Mapping[str, Any], *names: str) -> int:
    """The first of `names` that holds a number; 0 for none."""
    return next((int(config[n]) for n in names if isinstance(config.get(n), int | float)), 0)
