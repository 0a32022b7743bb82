"""Fixtures of the model tests: what they are made of is in `tiny.py` and `evaluation_data.py`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from midfill.model.backends.hf.folder import as_folder
from midfill.model.store.store import Store
from tests.model.tiny import make_model, make_tokenizer


@pytest.fixture(scope="session", params=["qwen2", "llama", "mistral", "lean-qwen2", "lean-llama"])
def model(request: pytest.FixtureRequest) -> Any:
    return make_model(request.param)


@pytest.fixture(scope="session")
def qwen2() -> Any:
    return make_model("qwen2")


@pytest.fixture(scope="session")
def default_folder(default_model: str) -> Path:
    """The default model's weights as safetensors, unpacked if they never were (a minute, 3 GB)."""
    return as_folder(Store().find(default_model), lambda _: None)


@pytest.fixture
def save_model(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tiny model's folder, as a hub would have it."""

    def save(model: Any = None, tokenizer: Tokenizer | None = None, name: str = "tiny") -> Path:
        folder = tmp_path / name
        model = model or make_model("qwen2")
        tokenizer = tokenizer or make_tokenizer()
        model.config.eos_token_id = tokenizer.token_to_id("<|im_end|>")
        model.generation_config.eos_token_id = tokenizer.token_to_id("<|endoftext|>")
        model.save_pretrained(folder)
        tokenizer.save(str(folder / "tokenizer.json"))
        return folder

    return save
