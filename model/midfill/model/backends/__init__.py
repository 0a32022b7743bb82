"""The backends by name. Importing this package imports none of them."""

from collections.abc import Callable
from importlib import import_module

from midfill.model.backends.base import Backend
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig

BACKENDS = {
    "transformers": "midfill.model.backends.hf.backend:TransformersBackend",
    "scripted": "midfill.model.backends.scripted:ScriptedBackend",
}


def make_backend(config: ModelConfig) -> Backend:
    """The backend that `config` names, not loaded yet. Raises BadConfig for an unknown name."""
    try:
        module, _, name = BACKENDS[config.backend].partition(":")
    except KeyError:
        known = ", ".join(sorted(BACKENDS))
        raise BadConfig(f"unknown backend {config.backend!r}: known are {known}") from None
    factory: Callable[[ModelConfig], Backend] = getattr(import_module(module), name)
    return factory(config)
