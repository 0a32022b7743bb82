"""What the lean forward pass must know of a model, read from its `config.json`.

Pure: knows no tensors but the rotation's frequencies. What it does not recognise, transformers serves.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

BIASED = {"qwen2": True, "llama": False}
"""Model type → whether q, k and v have a bias."""
DEFAULT_THETA = 10000.0
"""Llama 2's; what a config without one means."""


@dataclass(frozen=True, slots=True)
class Rope:
    """How positions turn queries and keys (RoFormer, arXiv 2104.09864; llama3: Llama 3.1's stretching)."""

    theta: float
    kind: str = "default"
    factor: float = 1.0
    low: float = 1.0
    high: float = 4.0
    trained_tokens: int = 8192

    def frequencies(self, head_dim: int) -> torch.Tensor:
        """Radians per position, [head_dim / 2], float32."""
        exponents = torch.arange(0, head_dim, 2, dtype=torch.int64).float() / head_dim
        turns = 1.0 / (self.theta**exponents)
        if self.kind == "linear":
            return turns / self.factor
        if self.kind == "llama3":
            return self._stretched(turns)
        return turns

    def _stretched(self, turns: torch.Tensor) -> torch.Tensor:
        """Slow turns slowed by `factor`, fast ones kept, a ramp between (llama-models, `apply_scaling`)."""
        wave = 2 * math.pi / turns
        ramp = (self.trained_tokens / wave - self.low) / (self.high - self.low)
        between = (1 - ramp) * turns / self.factor + ramp * turns
        slow, fast = wave > self.trained_tokens / self.low, wave < self.trained_tokens / self.high
        return torch.where(slow, turns / self.factor, torch.where(fast, turns, between))


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Llama- or Qwen2-class model."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    epsilon: float
    biased: bool
    tied: bool
    rope: Rope


def read_shape(config: Mapping[str, Any]) -> Shape | None:
    """The shape of the model that `config` (a parsed config.json) describes; None: not one of ours, or with
    values that make no sense, which transformers refuses.
    """
    try:
        return _read_shape(config)
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _read_shape(config: Mapping[str, Any]) -> Shape | None:
    kind = str(config.get("model_type", ""))
    rope = _read_rope(config)
    if kind not in BIASED or rope is None or not _is_plain(config):
        return None
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    return Shape(
        vocabulary=int(config["vocab_size"]),
        hidden=hidden,
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_dim=int(config.get("head_dim") or hidden // heads),
        epsilon=float(config["rms_norm_eps"]),
        biased=BIASED[kind],
        tied=bool(config.get("tie_word_embeddings", False)),
        rope=rope,
    )


def _is_plain(config: Mapping[str, Any]) -> bool:
    """Whether nothing is asked for that the pass does not compute."""
    kinds = config.get("architectures") or []
    return (
        all(kind in ("Qwen2ForCausalLM", "LlamaForCausalLM") for kind in kinds)
        and config.get("hidden_act", "silu") == "silu"
        and not any(config.get(key) for key in ("attention_bias", "mlp_bias", "quantization_config"))
        and not config.get("use_sliding_window")
        and set(config.get("layer_types") or ["full_attention"]) == {"full_attention"}
        and float(config.get("partial_rotary_factor") or 1.0) == 1.0
        and all(key in config for key in ("vocab_size", "hidden_size", "rms_norm_eps"))
    )


def _read_rope(config: Mapping[str, Any]) -> Rope | None:
    """Both spellings: `rope_parameters` (transformers 5), `rope_theta` with `rope_scaling` (before)."""
    values = dict(config.get("rope_scaling") or {}) | dict(config.get("rope_parameters") or {})
    theta = float(values.get("rope_theta") or config.get("rope_theta") or DEFAULT_THETA)
    kind = str(values.get("rope_type") or values.get("type") or "default")
    if float(values.get("partial_rotary_factor") or 1.0) != 1.0:
        return None
    try:
        match kind:
            case "default":
                return Rope(theta)
            case "linear":
                return Rope(theta, kind, float(values["factor"]))
            case "llama3":
                return Rope(
                    theta,
                    kind,
                    float(values["factor"]),
                    float(values["low_freq_factor"]),
                    float(values["high_freq_factor"]),
                    int(values["original_max_position_embeddings"]),
                )
    except KeyError:
        return None
    return None
