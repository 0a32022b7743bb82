"""How many tokens of prompt and answer a model gets: by setting, by device, never more than it can use."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from midfill.model.config import ModelConfig
from midfill.model.dialects import plain_names
from midfill.model.errors import BadConfig, UnsupportedModel

CPU_CONTEXT_TOKENS = 2048
GPU_CONTEXT_TOKENS = 16384
CODELLAMA_CONTEXT_TOKENS = 100_000
"""Code Llama's config says 16,384, on which it was fine-tuned. Its rotary base of 1e6 carries it to 100,000
(arXiv 2308.12950 §2.4 and Fig. 4; MODEL_CARD, which leaves out 70B Python and 70B Instruct)."""
LEAST_CONTEXT_TOKENS = 64
"""A trial at load (see `canary`) takes up to 35 of Qwen's."""
CODELLAMA_THETA = 1e6
"""Llama 2's is 1e4: a derived model that went back to it has Llama 2's reach."""


def choose_context(config: ModelConfig, device_type: str, model_limit: int) -> tuple[int, str]:
    """(tokens of prompt and answer together, a note where that is less than was set).

    As set, else by device (`cpu`, `cuda`, …), never more than `model_limit`. Raises BadConfig and
    UnsupportedModel where that is too few to fill anything in.
    """
    if config.context_tokens != 0 and config.context_tokens < LEAST_CONTEXT_TOKENS:
        raise BadConfig(
            f"contextTokens is {config.context_tokens}: it must be {LEAST_CONTEXT_TOKENS} or more, or 0 "
            "(choose for me)"
        )
    if model_limit < LEAST_CONTEXT_TOKENS:
        raise UnsupportedModel(f"this model reads {model_limit} tokens at a time: too few for code")
    wanted = config.context_tokens or (CPU_CONTEXT_TOKENS if device_type == "cpu" else GPU_CONTEXT_TOKENS)
    if config.context_tokens > model_limit:
        return (
            model_limit,
            f"contextTokens is {wanted}, but this model reaches no further than {model_limit}",
        )
    return min(wanted, model_limit), ""


def context_limit(settings: Mapping[str, Any], stated: int, names: Sequence[str]) -> int:
    """The longest context of the model named `names`, whose config.json, `settings`, has `stated`."""
    return max(stated, CODELLAMA_CONTEXT_TOKENS) if _reaches_far(settings, names) else stated


def _reaches_far(settings: Mapping[str, Any], names: Sequence[str]) -> bool:
    rope = dict(settings.get("rope_scaling") or {}) | dict(settings.get("rope_parameters") or {})
    theta = rope.get("rope_theta") or settings.get("rope_theta")
    scaled = str(rope.get("rope_type") or rope.get("type") or "default") != "default"
    if settings.get("model_type") != "llama" or theta != CODELLAMA_THETA or scaled:
        return False
    plain = plain_names(names)
    named = any(re.search(r"code-?llama", name) for name in plain)
    left_out = any(re.search(r"70b.*(python|instruct)", name) for name in plain)
    return named and not left_out
