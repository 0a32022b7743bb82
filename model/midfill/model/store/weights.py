"""Says whether a file or a folder holds weights that may be loaded. Reads headers, never a tensor."""

import json
from pathlib import Path

from midfill.model.errors import DamagedModel, UnknownModel, UnsafeWeights
from midfill.model.store.adapter import CONFIG as ADAPTER_CONFIG
from midfill.model.store.adapter import read_adapter
from midfill.model.store.gguf_header import check_gguf
from midfill.model.store.local import ADAPTER_WEIGHTS, LocalModel, WeightFormat

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
CONFIG = "config.json"
INDEX = "model.safetensors.index.json"


def inspect_weights(path: Path) -> LocalModel:
    """What `path` holds, its name being the file's or folder's; no digest is computed.

    Raises UnknownModel (nothing there), UnsafeWeights (pickle), DamagedModel, UnsupportedModel.
    """
    if not path.exists():
        raise UnknownModel(f"There is no file or folder {path}.")
    if path.is_dir():
        return _inspect_folder(path)
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise UnsafeWeights(_pickle_reason(path))
    if path.suffix.lower() == ".safetensors":
        raise UnknownModel(
            f"{path} is one file of a model: name the folder that holds it, its {CONFIG} and its tokenizer."
        )
    check_gguf(path)
    return LocalModel(path.stem, path, WeightFormat.GGUF)


def _inspect_folder(folder: Path) -> LocalModel:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    shards = [name for name in names if name.lower().endswith(".safetensors")]
    if ADAPTER_CONFIG in names and shards == [ADAPTER_WEIGHTS]:
        read_adapter(folder)
        check_safetensors(folder / ADAPTER_WEIGHTS)
        return LocalModel(folder.name, folder, WeightFormat.ADAPTER)
    ggufs = [name for name in names if name.lower().endswith(".gguf")]
    if shards:
        _check_folder(folder, shards)
        return LocalModel(folder.name, folder, WeightFormat.SAFETENSORS)
    if len(ggufs) == 1:
        check_gguf(folder / ggufs[0])
        return LocalModel(folder.name, folder / ggufs[0], WeightFormat.GGUF)
    if ggufs:
        raise UnknownModel(f"{folder} holds several GGUF files: name one of {', '.join(ggufs)}.")
    if any(name.lower().endswith(PICKLE_SUFFIXES) for name in names):
        raise UnsafeWeights(_pickle_reason(folder))
    raise UnknownModel(f"{folder} holds no weights: no .safetensors and no .gguf file.")


def _check_folder(folder: Path, shards: list[str]) -> None:
    if not (folder / CONFIG).is_file():
        raise DamagedModel(f"{folder} has weights but no {CONFIG}, which says what model they are.")
    if (folder / INDEX).is_file():
        try:
            listed = set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedModel(f"{folder / INDEX} cannot be read.") from error
        missing = sorted(listed - set(shards))
        if missing:
            raise DamagedModel(
                f"{folder} is not whole: {len(missing)} of its weight files are missing ({missing[0]})."
            )
    for shard in shards:
        check_safetensors(folder / shard)


def check_safetensors(path: Path) -> None:
    """Raises DamagedModel when header and length of a safetensors file disagree."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"):
            pass
    except SafetensorError as error:
        raise DamagedModel(f"{path} is cut short or damaged: {error}.") from error


def _pickle_reason(path: Path) -> str:
    return (
        f"{path} has only pickle weights ({', '.join(PICKLE_SUFFIXES[:3])}), and loading those can run any "
        "code that is in them: Midfill loads safetensors and GGUF only."
    )
