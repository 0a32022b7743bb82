"""The backends by name. Importing this package imports none of them."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from midfill.model.backends.base import Backend, TwoStep
from midfill.model.backends.filtered import FilteredBackend
from midfill.model.backends.pair import PairBackend
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig, ModelError

BACKENDS = {
    "transformers": "midfill.model.backends.hf.backend:TransformersBackend",
    "scripted": "midfill.model.backends.scripted:ScriptedBackend",
}


def make_backend(config: ModelConfig) -> Backend:
    """The backend that `config` names, not loaded yet: two models in one where it names two, a third beside
    them where there is a safety filter.

    Raises BadConfig for an unknown name.
    """
    if not config.safety_model:
        return _make_unfiltered(config)
    third = replace(config, model=config.safety_model)
    return FilteredBackend(
        _make_unfiltered(config),
        lambda: _make(third),
        config.safety_model,
        config.instruct_unload_after_s,
    )


def _make_unfiltered(config: ModelConfig) -> Backend:
    if not names_two(config):
        if not config.unload_after_s:
            return _make(config)
        return PairBackend(lambda: _make(config), unload_after_s=config.unload_after_s)
    second = replace(config, model=config.instruct_model)
    return PairBackend(
        lambda: _make(config),
        lambda: _make(second),
        config.instruct_model,
        config.unload_after_s,
        config.instruct_unload_after_s,
    )


def names_two(config: ModelConfig) -> bool:
    """Whether completions and chat want different weights. Looks the names up, in the store alone."""
    if not config.instruct_model or config.instruct_model.lower() == config.model.lower():
        return False
    if config.backend != "transformers":
        return True
    from midfill.model.store.store import Store

    store = Store()
    try:
        return store.find(config.model).path != store.find(config.instruct_model).path
    except ModelError:
        return True  # whichever is missing is named when it is wanted


def _make(config: ModelConfig) -> TwoStep:
    try:
        module, _, name = BACKENDS[config.backend].partition(":")
    except KeyError:
        known = ", ".join(sorted(BACKENDS))
        raise BadConfig(f"unknown backend {config.backend!r}: known are {known}") from None
    factory: Callable[[ModelConfig], TwoStep] = getattr(import_module(module), name)
    return factory(config)
