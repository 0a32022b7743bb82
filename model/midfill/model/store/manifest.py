"""What the store knows of one installed model: `manifest.json` in its folder, and the rules for names.

A manifest is written last, so a folder that has one is whole. One that comes from outside (an export
from another machine) is not trusted: every path and name in it is checked here.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from midfill.model.errors import DamagedModel, UnknownModel
from midfill.model.store.local import WeightFormat

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1

_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,99}")
_WINDOWS_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,199}")
_KEPT_SUFFIXES = {".gguf", ".safetensors", ".json", ".jinja"}
_KEPT_NAMES = {"merges.txt", "vocab.txt", "tokenizer.model"}
_LEGAL = re.compile(r"(licen[cs]e|notice|use_policy)[^/]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a model, `path` being its bare name."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One installed model."""

    name: str
    format: WeightFormat
    files: tuple[FileRecord, ...]
    licence: str
    source: str
    """Where the bytes came from: a hub repository, a URL without its query, or `imported`."""
    repo: str = ""
    commit: str = ""
    """The hub commit that `repo`'s files were taken from."""
    query: str = ""
    """`urls.query_digest` of the URL it came from."""

    @property
    def size_bytes(self) -> int:
        return sum(record.size for record in self.files)

    @property
    def weights(self) -> FileRecord | None:
        """The GGUF file, when that is what the model is."""
        if self.format is not WeightFormat.GGUF:
            return None
        return next(record for record in self.files if record.path.lower().endswith(".gguf"))

    def as_json(self) -> dict[str, Any]:
        return {"manifest": MANIFEST_FORMAT, **asdict(self)}


def is_safe_name(name: str) -> bool:
    """Whether `name` can be a model's name, and a folder's on every platform."""
    return bool(_NAME.fullmatch(name)) and name.split(".")[0] not in _WINDOWS_DEVICES and name[-1] != "."


def name_from(text: str) -> str:
    """A model name made from a file's, folder's or repository's. Raises UnknownModel if nothing is left."""
    name = re.sub(r"[^a-z0-9._+-]+", "-", text.lower()).strip("-._+")[:100].rstrip("-._+")
    if not is_safe_name(name):
        raise UnknownModel(f"No model name can be made from {text!r}: give one with --name.")
    return name


def is_legal_text(path: str) -> bool:
    """Whether this is a licence, a notice or a use policy: it stays beside the weights."""
    return bool(_LEGAL.fullmatch(path))


def is_kept(path: str) -> bool:
    """Whether a file of this name belongs in the store: weights, configuration, tokenizer, licence.

    Never pickles, never code (invariant 8), never anything in a sub-folder.
    """
    if (
        not _FILE.fullmatch(path)
        or path.lower() == MANIFEST
        or path.split(".")[0].lower() in _WINDOWS_DEVICES
    ):
        return False
    suffix = Path(path).suffix.lower()
    if is_legal_text(path):
        return suffix in {"", ".txt", ".md"}
    return suffix in _KEPT_SUFFIXES or path.lower() in _KEPT_NAMES


def parse(text: str, where: str) -> Manifest:
    """A manifest from its JSON. Raises DamagedModel when it is not one, or names what it must not."""
    try:
        raw = json.loads(text)
        if raw["manifest"] != MANIFEST_FORMAT:
            raise DamagedModel(f"{where} was written by another version of Midfill: pull the model again.")
        files = tuple(
            FileRecord(str(f["path"]), int(f["size"]), str(f["sha256"]).lower()) for f in raw["files"]
        )
        manifest = Manifest(
            name=str(raw["name"]),
            format=WeightFormat(raw["format"]),
            files=files,
            licence=str(raw["licence"]),
            source=str(raw["source"]),
            repo=str(raw.get("repo", "")),
            commit=str(raw.get("commit", "")),
            query=str(raw.get("query", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedModel(
            f"{where} is not a manifest of Midfill's: remove the model, pull it again."
        ) from error
    suffix = ".gguf" if manifest.format is WeightFormat.GGUF else ".safetensors"
    if not (
        is_safe_name(manifest.name)
        and all(is_kept(record.path) and _SHA256.fullmatch(record.sha256) for record in files)
        and any(record.path.lower().endswith(suffix) for record in files)
    ):
        raise DamagedModel(f"{where} names files or digests that no model of Midfill's has: it is refused.")
    return manifest


def read(folder: Path) -> Manifest:
    """The manifest in `folder`. Raises DamagedModel; FileNotFoundError when there is none."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DamagedModel(
            f"{path} is not a manifest of Midfill's: remove the model, pull it again."
        ) from error
    return parse(text, str(path))


def read_exported(folder: Path) -> Manifest | None:
    """The manifest of an export in `folder`; None when there is none, or another program's of that name.

    Raises DamagedModel for one of ours, and for what cannot be told from one that was cut short.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_bytes())
    except ValueError:
        return read(folder)
    ours = isinstance(raw, dict) and isinstance(raw.get("manifest"), int)
    return read(folder) if ours else None
