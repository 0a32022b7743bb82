"""Which model the user chose with `midfill model use`: one small file under the root."""

import json
from pathlib import Path

from midfill.model.errors import DamagedModel
from midfill.model.store.files import write_json

_FILE = "in-use.json"


def chosen(root: Path) -> str:
    """A name or an absolute path; empty when none was ever chosen. Raises DamagedModel."""
    path = root / _FILE
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["model"])
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedModel(
            f"{path} cannot be read: choose a model with `midfill model use NAME`."
        ) from error


def choose(root: Path, model: str) -> None:
    """Choose `model`; empty for none."""
    if model:
        write_json(root / _FILE, {"model": model})
    else:
        (root / _FILE).unlink(missing_ok=True)
