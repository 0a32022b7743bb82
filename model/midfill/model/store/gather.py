"""The files of a model that is imported, brought into a folder of the store's. Knows no digests.

They are copied: a model that was installed must not change with a file in somebody's downloads.
"""

import io
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from midfill.model.errors import DamagedModel, UnknownModel
from midfill.model.store.files import (
    BLOCK_BYTES,
    copy_files,
    disk_full_named,
    link_or_copy,
    require_room,
)
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.store.manifest import MANIFEST, Manifest, is_kept, name_from, parse

_MAX_MANIFEST_BYTES = 10 << 20


def gather(path: Path, folder: Path, names: Mapping[Path, str], ours: Path) -> None:
    """Copy the files of `names` (see `wanted`) from `path` into `folder`; what lies below `ours` is linked.

    Raises DamagedModel when a promised file is missing, DownloadError when the disk is full.
    """
    files = {file: folder / name for file, name in names.items()}
    for file in files:
        if not file.is_file():
            raise DamagedModel(f"{path} is not whole: {file.name} is missing.")
    if ours.resolve() not in path.resolve().parents:
        copy_files(files)
        return
    for file, target in files.items():  # nobody else knows of it, and it is gone in a moment
        with disk_full_named(target, file.stat().st_size, lambda: None):
            link_or_copy(file, target)


def wanted(path: Path, found: LocalModel, promised: Manifest | None, name: str | None) -> dict[Path, str]:
    """The files to take of what was `found` at `path`, each with its name in the store.

    A GGUF file with a name that the store cannot have gets the model's `name`, or one made from the path's.
    Raises UnknownModel when none can be.
    """
    if promised:
        return {path / record.path: record.path for record in promised.files}
    entries = [path] if path.is_file() else sorted(entry for entry in path.iterdir() if entry.is_file())
    names = {entry: entry.name for entry in entries if is_kept(entry.name)}
    if found.format is WeightFormat.GGUF and not names.get(found.path, "").lower().endswith(".gguf"):
        made = f"{name or name_from(path.stem if path.is_file() else path.name)}.gguf"
        names[found.path] = made if is_kept(made) else "model.gguf"  # `notice.gguf` would be a legal text
    return names


def unpack(path: Path, folder: Path) -> Manifest:
    """Take the files of an exported tar, and nothing else that may be in it; returns its manifest.

    Raises UnknownModel, DamagedModel, DownloadError (disk full).
    """
    try:
        with tarfile.open(path, "r:") as tar:
            members = {member.name.removeprefix("./"): member for member in tar if member.isfile()}
            if MANIFEST not in members:
                raise UnknownModel(f"{path} is not an export of Midfill's: it has no {MANIFEST}.")
            promised = parse(_contents(tar, members[MANIFEST]), f"{MANIFEST} in {path}")
            require_room(folder, promised.size_bytes)
            for record in promised.files:
                member = members.get(record.path)
                if member is None or member.size != record.size:
                    raise DamagedModel(f"{path} is not whole: {record.path} is missing or cut short.")
                _copy_out(tar, member, folder / record.path)
    except tarfile.TarError as error:
        raise DamagedModel(f"{path} is not a whole tar file: {error}.") from error
    return promised


def _contents(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream = tar.extractfile(member)
    if stream is None or member.size > _MAX_MANIFEST_BYTES:
        raise DamagedModel(f"{member.name} in the tar is not a manifest.")
    return stream.read().decode("utf-8", errors="replace")


def _copy_out(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    stream: IO[bytes] = tar.extractfile(member) or io.BytesIO()
    with (
        disk_full_named(target, member.size, lambda: target.unlink(missing_ok=True)),
        target.open("wb") as file,
    ):
        shutil.copyfileobj(stream, file, BLOCK_BYTES)
