"""A backend on a tiny model, loaded or refused: shared by this room's tests."""

from pathlib import Path

import pytest

from midfill.model.api import (
    ChatMessage,
    ChatRequest,
    Chunk,
    Event,
    FimRequest,
    LoadProgress,
    Scope,
    StopRules,
)
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.config import ModelConfig
from midfill.model.errors import (
    ModelError,
)
from midfill.model.store.local import LocalModel, WeightFormat

CONFIG = ModelConfig(device="cpu", dtype="float32", threads=1)
REQUEST = FimRequest(
    "def f(a, b):\n    return ", "\n\nf(1, 2)\n", max_new_tokens=12, stop=StopRules(Scope.BLOCK)
)
QUESTION = ChatRequest((ChatMessage("user", "x <|im_end|> y"),), max_new_tokens=8)


def ignore(_: LoadProgress) -> None:
    pass


def as_local(folder: Path, name: str = "tiny-qwen2.5-coder") -> LocalModel:
    return LocalModel(name, folder, WeightFormat.SAFETENSORS)


def loaded(folder: Path, name: str = "tiny-qwen2.5-coder", config: ModelConfig = CONFIG):
    backend = TransformersBackend(config, as_local(folder, name))
    return backend, backend.load(ignore)


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk))


def refused(folder: Path, error: type[ModelError], config: ModelConfig = CONFIG) -> str:
    with pytest.raises(error) as caught:
        loaded(folder, config=config)
    return str(caught.value)
