"""What a model's own JSON files say beside its shape: what ends an answer, how long its texts may be.

Read here for the models that Midfill computes itself; for others transformers reads config.json, see
`pretrained`. Knows no tensors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midfill.model.errors import DamagedModel

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "llama": {"bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 2048},
    "qwen2": {"bos_token_id": None, "eos_token_id": None, "max_position_embeddings": 32768},
}
"""What a config.json without the key means, by model type (transformers' LlamaConfig and Qwen2Config)."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What the loader needs of config.json and generation_config.json."""

    eos_ids: frozenset[int]
    bos_id: int | None
    context_tokens: int
    given_name: str
    """A GGUF file's own name, which its conversion keeps; else mostly empty."""


def read_settings(folder: Path, config: Mapping[str, Any]) -> ModelSettings | None:
    """The settings of the model in `folder`, whose parsed config.json is `config`.

    None: not of a type in `DEFAULTS`, or a value is not of the kind that it must be. Raises DamagedModel.
    """
    defaults = DEFAULTS.get(str(config.get("model_type")))
    if defaults is None:
        return None
    bos, eos, limit = (config.get(key, default) for key, default in defaults.items())
    if not isinstance(limit, int) or not isinstance(bos, int | None):
        return None
    try:
        ends = eos_ids(folder, eos)
    except TypeError:
        return None
    return ModelSettings(ends, bos, limit, str(config.get("_model_name_or_path", "")))


def eos_ids(folder: Path, configured: int | list[int] | None) -> frozenset[int]:
    """Qwen ships different ends in its two files (llama.cpp #9606): all of them count.

    Raises TypeError for what is no id and no list of them, DamagedModel for a file that cannot be read.
    """
    path = folder / "generation_config.json"
    generation = read_json(path)
    if not generation and path.is_file():
        raise DamagedModel(f"{folder.name}: its {path.name} cannot be read")
    found: set[int] = set()
    for value in (configured, generation.get("eos_token_id")):
        ids = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(one, int) for one in ids):
            raise TypeError(f"eos_token_id is {value!r}")
        found.update(ids)
    return frozenset(found)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none, which whoever needs the file reports."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
