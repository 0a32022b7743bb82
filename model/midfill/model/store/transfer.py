"""Models from and to files on this machine: import, and export for closed networks. No network here.

An export is a folder or a plain tar of a model's files with its manifest; an import checks every digest
in it. Files that come without a manifest are taken as they are, and their digests computed.
"""

import os
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.errors import DamagedModel, ModelError, UnknownModel, UnsafeWeights
from midfill.model.store import catalogue, licences
from midfill.model.store.files import disk_full_named, require_room, sha256_of
from midfill.model.store.gather import gather, unpack, wanted
from midfill.model.store.local import LocalModel, expanded, format_of
from midfill.model.store.manifest import (
    MANIFEST,
    FileRecord,
    Manifest,
    is_safe_name,
    name_from,
    read_exported,
)
from midfill.model.store.meter import Meter, ignore
from midfill.model.store.store import Store
from midfill.model.store.weights import inspect_weights

IMPORTED = "imported"


def import_model(store: Store, path: Path, name: str | None = None, report: Report = ignore) -> LocalModel:
    """Take in a GGUF file, a safetensors folder, or an export (folder or .tar); `path` is left as it is.

    Without `name` a file whose digest the catalogue knows gets the catalogue's name, an export its own,
    anything else the file's. Importing the same bytes twice is no error.
    Raises UnknownModel, UnsafeWeights, DamagedModel, UnsupportedModel, DownloadError (disk full).
    """
    path = expanded(path).absolute()
    if name is not None and not is_safe_name(name := name.strip().lower()):
        raise UnknownModel(f"{name!r} cannot be a model's name: use letters, digits and . _ + - only.")
    with _scratch(store) as folder:
        if path.is_file() and path.suffix.lower() == ".tar":
            promised: Manifest | None = unpack(path, folder)
        else:
            weights = inspect_weights(path)
            promised = read_exported(path)
            report(LoadProgress("verify", f"Copying {path.name}"))
            gather(path, folder, wanted(path, weights, promised, name), ours=store.root / "partial")
        records = _digests(folder, Meter(report, path.name))
        if promised and set(records) != set(promised.files):
            raise DamagedModel(
                f"{path} is not what was exported: its digests differ from those in its manifest."
            )
        found = _manifest(path, name, records, promised)
        with store.lock(found.name):
            return _already_there(store, found) or store.adopt(folder, found)


def export_model(store: Store, name: str, target: Path, report: Report = ignore) -> Path:
    """Write the installed model `name` to `target`: a tar when it ends in `.tar`, else a folder.

    Digests are checked first. An existing folder gets the export inside, under the model's name.
    Raises UnknownModel, DamagedModel, ModelError when there is something at the target already.
    """
    name = name.strip().lower()
    found = store.manifest(name)
    source = store.folder(name)
    target = expanded(target).absolute()
    if target.is_dir():
        target = target / name
    if target.exists():
        raise ModelError(f"{target} is there already: name a file or folder that is not.")
    store.installed(name)
    if set(_digests(source, Meter(report, name), [record.path for record in found.files])) != set(
        found.files
    ):
        raise DamagedModel(
            f"{name} is damaged: its digests are not those it came with. Remove it and get it again."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    require_room(target.parent, found.size_bytes)
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with disk_full_named(scratch, found.size_bytes, lambda: _delete(scratch)):
            _write_tar(source, scratch) if target.suffix == ".tar" else shutil.copytree(source, scratch)
        os.replace(scratch, target)
    finally:
        _delete(scratch)
    return target


@contextmanager
def _scratch(store: Store) -> Iterator[Path]:
    """A folder on the store's own disk that is gone afterwards, unless it was renamed into place."""
    folder = store.scratch()
    try:
        yield folder
    finally:
        _delete(folder)


def _digests(folder: Path, meter: Meter, names: list[str] | None = None) -> list[FileRecord]:
    """Size and digest of the files in `folder`, or of those called `names`."""
    files = [folder / name for name in names] if names else sorted(folder.iterdir())
    meter.total = sum(file.stat().st_size for file in files)
    records = []
    for file in files:
        size = file.stat().st_size
        records.append(FileRecord(file.name, size, sha256_of(file, partial(meter.show, "verify"))))
        meter.before += size
    return records


def _manifest(
    path: Path, name: str | None, records: list[FileRecord], promised: Manifest | None
) -> Manifest:
    ggufs = [record for record in records if record.path.lower().endswith(".gguf")]
    shards = [record for record in records if record.path.lower().endswith(".safetensors")]
    if not ggufs and not shards:
        raise UnsafeWeights(f"{path} holds no weights that Midfill may load.")
    known = catalogue.by_digest(ggufs[0].sha256) if len(ggufs) == 1 and not shards else None
    if name is None:
        name = (
            known.name
            if known
            else promised.name
            if promised
            else name_from(path.stem if path.is_file() else path.name)
        )
    claimed = catalogue.by_name(name)
    if claimed and claimed.sha256 and claimed is not known:
        raise DamagedModel(
            f"{path} is not {name}: its digest differs from the one {claimed.repo} publishes. "
            "It is damaged, or another model: then give it another name with --name."
        )
    if promised:
        return replace(promised, name=name)
    return Manifest(
        name=name,
        format=format_of(record.path for record in records),
        files=tuple(records),
        licence=known.licence if known else licences.UNKNOWN,
        source=known.origin if known else IMPORTED,
        repo=known.repo if known else "",
    )


def _already_there(store: Store, found: Manifest) -> LocalModel | None:
    """The installed model with exactly these bytes. Raises ModelError when other bytes have the name."""
    try:
        installed = store.installed(found.name)
    except DamagedModel:
        return None  # adopting replaces it
    if installed and set(store.manifest(found.name).files) != set(found.files):
        raise ModelError(
            f"Another model is installed as {found.name}: name this one with --name, or remove that one."
        )
    return installed


def _write_tar(source: Path, target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        for file in sorted(source.iterdir(), key=lambda entry: (entry.name != MANIFEST, entry.name)):
            tar.add(file, arcname=file.name, recursive=False)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
