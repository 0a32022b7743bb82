"""How long a context may be: by default, by setting, beyond a config's limit for Code Llama alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midfill.model.api import FimRequest, Finish
from midfill.model.backends.hf.context import LEAST_CONTEXT_TOKENS, choose_context, context_limit
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig, UnsupportedModel
from tests.model.backends import loaded
from tests.model.tiny import make_model

CODELLAMA = {"model_type": "llama", "max_position_embeddings": 16384, "rope_theta": 1e6}
TRANSFORMERS_5 = {"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}, "rope_theta": None}


@pytest.mark.parametrize(
    ("setting", "device", "limit", "tokens"),
    [
        (0, "cpu", 32768, 2048),
        (0, "cuda", 32768, 16384),
        (0, "mps", 32768, 16384),
        (0, "cuda", 8192, 8192),
        (5000, "cpu", 32768, 5000),
        (60_000, "cuda", 100_000, 60_000),
    ],
)
def test_a_context_is_as_set_or_as_the_device_can(
    setting: int, device: str, limit: int, tokens: int
) -> None:
    assert choose_context(ModelConfig(context_tokens=setting), device, limit) == (tokens, "")


def test_more_than_a_model_can_is_cut_and_said() -> None:
    tokens, note = choose_context(ModelConfig(context_tokens=60_000), "cuda", 32768)
    assert tokens == 32768
    assert "60000" in note
    assert "32768" in note


@pytest.mark.parametrize("setting", [-1, 1, LEAST_CONTEXT_TOKENS - 1])
def test_a_context_too_small_for_anything_is_refused(setting: int) -> None:
    with pytest.raises(BadConfig, match=rf"contextTokens is {setting}: it must be 64 or more, or 0"):
        choose_context(ModelConfig(context_tokens=setting), "cpu", 32768)


def test_a_model_that_reads_too_little_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="reads 4 tokens"):
        choose_context(ModelConfig(), "cpu", 4)


def test_the_least_context_serves(save_model: Callable[..., Path]) -> None:
    config = ModelConfig(device="cpu", dtype="float32", threads=1, context_tokens=LEAST_CONTEXT_TOKENS)
    backend, info = loaded(save_model(), config=config)
    assert info.context_tokens == LEAST_CONTEXT_TOKENS
    assert isinstance(list(backend.stream(LONG))[-1], Finish)


@pytest.mark.parametrize(
    ("name", "changed", "limit"),
    [
        ("CodeLlama-7b-hf", {}, 100_000),
        ("codellama-13b-instruct.Q4_K_M", {}, 100_000),
        ("CodeLlama-70b-hf", {}, 100_000),
        ("CodeLlama-7b-hf", TRANSFORMERS_5, 100_000),
        ("CodeLlama-70b-Python-hf", {}, 16384),
        ("CodeLlama-70b-Instruct-hf", {}, 16384),
        ("CodeLlama-7b-hf", {"rope_theta": 1e4}, 16384),
        ("CodeLlama-7b-hf", {"rope_scaling": {"type": "linear", "factor": 4.0}}, 16384),
        ("CodeLlama-7b-hf", {"model_type": "mistral"}, 16384),
        ("Llama-3-8b", {}, 16384),
        ("CodeLlama-7b-hf", {"max_position_embeddings": 131_072}, 131_072),
    ],
)
def test_only_code_llama_reaches_beyond_its_config(name: str, changed: dict[str, Any], limit: int) -> None:
    settings = {**CODELLAMA, **changed}
    assert context_limit(settings, settings["max_position_embeddings"], ["mine", name]) == limit


def codellama_like(theta: float) -> Any:
    model = make_model("llama")
    model.config.rope_parameters = {"rope_theta": theta, "rope_type": "default"}
    return model


LONG = FimRequest("x = 1\n" * 5000, "y\n" * 5000, max_new_tokens=4)
"""Longer than any context here."""


def test_a_prompt_beyond_the_config_runs_on_code_llama(save_model: Callable[..., Path]) -> None:
    config = ModelConfig(device="cpu", dtype="float32", threads=1, context_tokens=1500)
    backend, info = loaded(save_model(codellama_like(1e6)), "CodeLlama-7b-hf", config)
    assert (info.context_tokens, info.note) == (1500, "")
    backend._ready()[2].prefill_per_s = 1e6
    finish = list(backend.stream(LONG))[-1]
    assert isinstance(finish, Finish)
    assert 1024 < finish.usage.prompt_tokens <= 1500 - 4
    assert finish.usage.generated_tokens > 0


def test_the_same_setting_is_cut_and_said_on_another_model(save_model: Callable[..., Path]) -> None:
    config = ModelConfig(device="cpu", dtype="float32", threads=1, context_tokens=1500)
    backend, info = loaded(save_model(codellama_like(1e4)), "CodeLlama-7b-hf", config)
    assert info.context_tokens == 1024
    assert "contextTokens is 1500" in info.note
    finish = list(backend.stream(LONG))[-1]
    assert isinstance(finish, Finish)
    assert finish.usage.prompt_tokens <= 1024 - 4
