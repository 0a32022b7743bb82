"""Models that transformers computes: their settings and their weights. Imported for them alone, because
transformers takes seconds to import.

Never runs code from a model's folder, never reads pickle, never asks a network.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM
from transformers import __version__ as transformers_version

from midfill.model.backends.hf.memory import is_out_of_memory, load_arguments
from midfill.model.backends.hf.model_settings import ModelSettings, eos_ids, read_json
from midfill.model.backends.hf.placement import Placement
from midfill.model.backends.hf.quiet import keep_quiet
from midfill.model.errors import DamagedModel, OutOfMemory, UnsafeWeights, UnsupportedModel

ATTENTION = "sdpa"
PLAIN_LAYERS = {"full_attention", "sliding_attention"}
"""Layers whose cache is keys and values by position; `past.py` holds no other state."""


def check_settings(folder: Path) -> ModelSettings:
    """What transformers makes of the settings in `folder`. Raises UnsupportedModel and DamagedModel."""
    keep_quiet()
    kind = _kind(folder)
    try:
        settings = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        ends = eos_ids(folder, settings.eos_token_id)
    except Exception as error:  # OSError, ValueError, its own validation's: all seen for odd configs
        raise UnsupportedModel(
            f"{folder.name}: its config.json is none that transformers {transformers_version} takes for a "
            f"model of type {kind!r} ({_first_line(error)})"
        ) from error
    kinds = settings.architectures or []
    if kinds and not any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise UnsupportedModel(f"{folder.name}: {kinds[0]} is no model that writes text from left to right")
    layers = set(getattr(settings, "layer_types", None) or PLAIN_LAYERS)
    if not layers <= PLAIN_LAYERS or not hasattr(settings, "max_position_embeddings"):
        raise UnsupportedModel(f"{folder.name}: models of type {settings.model_type!r} are not supported")
    name = str(getattr(settings, "_model_name_or_path", ""))
    return ModelSettings(ends, settings.bos_token_id, settings.max_position_embeddings, name)


def _kind(folder: Path) -> str:
    """The model type that config.json names. Raises what is wrong where transformers has no such type."""
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    if not config:
        raise DamagedModel(f"{folder.name}: its config.json cannot be read: get the model again")
    if not isinstance(kind, str) or not kind:
        raise UnsupportedModel(f"{folder.name}: its config.json does not say what type of model it is")
    if kind in CONFIG_MAPPING:
        return kind
    if "auto_map" in config:
        raise UnsafeWeights(
            f"{folder.name}: models of type {kind!r} run only with Python code that comes with them, which "
            "Midfill never runs: choose another model"
        )
    raise UnsupportedModel(
        f"{folder.name}: models of type {kind!r} are not known to transformers {transformers_version}: "
        "choose another model, or update transformers if this one is newer"
    )


def read_weights(folder: Path, dtype: torch.dtype, device: torch.device, placed: Placement) -> Any:
    """The causal language model in `folder`. Raises OutOfMemory, DamagedModel and UnsupportedModel."""
    how = load_arguments(placed, device)
    keep_quiet()
    try:
        model, about = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation=ATTENTION,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **how,
        )
        model = (model if "device_map" in how else model.to(device)).eval()
    except (SafetensorError, OSError) as error:
        raise DamagedModel(f"{folder.name}: its weights cannot be read ({_first_line(error)})") from error
    except (ValueError, RuntimeError, ImportError, TypeError, ArithmeticError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(f"{folder.name} does not fit into the memory of {device}") from error
        raise UnsupportedModel(f"{folder.name} cannot be loaded: {_first_line(error)}") from error
    missing = [*about["missing_keys"], *about["mismatched_keys"]]
    if missing:
        raise DamagedModel(
            f"{folder.name}: {len(missing)} of its tensors are missing or of the wrong shape"
        )
    return model


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
