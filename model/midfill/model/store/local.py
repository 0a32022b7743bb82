"""Where models lie on this machine, and what one is. Knows nothing of networks or tensors."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from midfill.model.errors import UnknownModel

CACHE_ENV = "MIDFILL_CACHE_DIR"
CONVERTED_FORMAT = 1
"""Part of a converted model's folder name: raised whenever the converter's output changes."""


MERGED_DIGITS = 8
"""Of a base model's `weights_key`, in the names of the folders of adapters that were merged into it."""
ADAPTER_WEIGHTS = "adapter_model.safetensors"
"""As PEFT calls them."""


def expanded(path: Path) -> Path:
    """`path` with `~` as somebody's home folder. Raises UnknownModel where it means none."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UnknownModel(
            f"{path} means nothing here: nobody has a home folder {path.parts[0]}."
        ) from error


class WeightFormat(StrEnum):
    GGUF = "gguf"
    SAFETENSORS = "safetensors"
    ADAPTER = "adapter"
    """A LoRA: changes to another model's weights, in safetensors."""


def format_of(names: Iterable[str]) -> WeightFormat:
    """What a model with files of these names is; they hold weights that may be loaded."""
    lower = {name.lower() for name in names}
    if ADAPTER_WEIGHTS in lower:
        return WeightFormat.ADAPTER
    safetensors = any(name.endswith(".safetensors") for name in lower)
    return WeightFormat.SAFETENSORS if safetensors else WeightFormat.GGUF


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Weights on disk: a `.gguf` file, a folder with `config.json` and safetensors, or an adapter's."""

    name: str
    path: Path
    format: WeightFormat
    sha256: str = ""
    """Of the GGUF file; empty for folders."""


def cache_root() -> Path:
    """The folder that all of Midfill's large files live under; `MIDFILL_CACHE_DIR` overrides it."""
    override = os.environ.get(CACHE_ENV)
    return Path(override) if override else platformdirs.user_cache_path("midfill", appauthor=False)


def converted_dir(sha256: str, root: Path | None = None) -> Path:
    """Where the safetensors made from the GGUF file with this digest lie (or will lie)."""
    return (root or cache_root()) / "converted" / f"{sha256[:16]}-v{CONVERTED_FORMAT}"


def weights_key(folder: Path) -> str:
    """Names the safetensors in `folder` for what is made from them; another once they are written anew."""
    stats = ((path.name, path.stat()) for path in folder.glob("*.safetensors"))
    files = sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    return hashlib.sha256(f"{folder.resolve()} {files}".encode()).hexdigest()
