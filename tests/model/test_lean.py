"""The lean forward pass: which models it takes, and that it computes what they do."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from midfill.model.backends.lean.forward import LeanModel
from midfill.model.backends.lean.load import load_lean, read_config
from midfill.model.backends.lean.shape import read_shape
from midfill.model.errors import DamagedModel
from tests.model.backends import loaded
from tests.model.looping import expected, make_cache, make_loop, random_ids, run
from tests.model.tiny import VOCABULARY, make_lean, make_model

CPU = torch.device("cpu")
ROPES = {
    "default": {"rope_type": "default", "rope_theta": 1e6},
    "linear": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 5e5,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
}


def settings(family: str = "qwen2", **change: Any) -> dict[str, Any]:
    return make_model(family).config.to_dict() | change


# What it takes, and that it computes the same.


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("rope", ROPES)
def test_llamas_of_every_rope_and_head_equal_generate(rope: str, tied: bool) -> None:
    torch.manual_seed(3)
    reference = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=48, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=1, head_dim=16, max_position_embeddings=512,
            rope_parameters=ROPES[rope], tie_word_embeddings=tied, initializer_range=0.5,
            bos_token_id=None, eos_token_id=None,
        )
    ).eval()  # fmt: skip
    lean, prompt = make_lean(reference), random_ids(100)
    got, _ = run(make_loop(lean, 16), make_cache(lean), prompt, 40)
    assert got == expected(reference, prompt, 40)


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "mistral"},
        {"architectures": ["Qwen2ForSequenceClassification"]},
        {"hidden_act": "gelu"},
        {"attention_bias": True},
        {"mlp_bias": True},
        {"use_sliding_window": True},
        {"layer_types": ["full_attention", "sliding_attention"]},
        {"quantization_config": {"bits": 4}},
        {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}},
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4}},
        {"partial_rotary_factor": 0.5},
    ],
)
def test_what_it_does_not_compute_it_leaves_to_transformers(change: dict[str, Any]) -> None:
    assert read_shape(settings()) is not None
    assert read_shape(settings(**change)) is None


def test_the_rope_of_older_configs_is_read() -> None:
    old = settings() | {"rope_parameters": None, "rope_theta": 5e5, "rope_scaling": None}
    shape = read_shape(old)
    assert shape is not None
    assert (shape.rope.theta, shape.rope.kind) == (5e5, "default")
    shape = read_shape(old | {"rope_scaling": {"type": "linear", "factor": 2.0}})
    assert shape is not None
    assert (shape.rope.kind, shape.rope.factor) == ("linear", 2.0)


def test_other_models_are_served_by_transformers(save_model: Callable[..., Path]) -> None:
    backend, info = loaded(save_model(make_model("mistral")))
    assert not isinstance(backend._ready()[0].model, LeanModel)
    assert info.dtype == "float32"


def test_weights_that_are_missing_or_of_another_size_are_refused(save_model: Callable[..., Path]) -> None:
    folder = save_model()
    config = read_config(folder)
    for change in ({"num_hidden_layers": 3}, {"num_key_value_heads": 1}, {"vocab_size": 100}):
        shape = read_shape(config | change)
        assert shape is not None
        with pytest.raises(DamagedModel):
            load_lean(folder, shape, None, torch.float32, keep=None)


def test_the_lean_room_needs_no_transformers() -> None:
    code = "import sys, midfill.model.backends.lean.load; print('transformers' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert seen.stdout.strip() == "False", seen.stderr
