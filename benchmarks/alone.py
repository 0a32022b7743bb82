"""The loaded model without server and pipeline, and the inner parts of its backend that benchmarks call.

Nothing of the model side is imported before a model is wanted: most benchmarks can report without one.
"""

from dataclasses import dataclass
from typing import Any

from midfill.model.store.catalogue import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Alone:
    """A backend with its model in memory."""

    backend: Any
    """The `TransformersBackend`."""
    info: Any
    """Its `ModelInfo`."""
    loaded: Any
    """Its `Loaded`: model, tokenizer, dialect."""
    loop: Any
    """Its `DecodeLoop`."""
    prompts: Any
    """Its `Prompts`."""

    def new_cache(self) -> Any:
        """An empty KV cache (`TokenCache`)."""
        from midfill.model.backends.hf.kv import TokenCache

        return TokenCache(self.loaded.make_past)


def load_alone(model: str = DEFAULT_MODEL, **settings: Any) -> Alone:
    """`model` as it is served, but for `settings` of its `ModelConfig`. Raises ModelError."""
    from midfill.model.backends.hf.backend import TransformersBackend
    from midfill.model.config import ModelConfig

    backend = TransformersBackend(ModelConfig(model=model, **settings))
    info = backend.load(lambda _: None)
    loaded, loop, prompts = backend._ready()
    return Alone(backend, info, loaded, loop, prompts)
