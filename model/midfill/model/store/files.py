"""What the store asks of a file system, on every platform: atomic writes, digests, room on the disk.

Knows nothing of models or networks.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from midfill.model.errors import DownloadError

BLOCK_BYTES = 1 << 20
SPARE_BYTES = 64 << 20
"""Room left on a disk after the largest write: a guess, so that other programs can still save."""

_FICLONE = 0x40049409
"""_IOW(0x94, 9, int) in Linux's linux/fs.h; Python's `fcntl` has no name for it before 3.14."""
_RUST_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows knows no quota errno


def write_text(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader sees the old file or the whole new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with scratch.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """`write_text` of `value` as JSON that a human can read."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256_of(path: Path, advance: Callable[[int], None] | None = None) -> str:
    """The file's digest. `advance` is told the bytes read so far, and may raise to abandon."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            if advance:
                advance(done)
    return digest.hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """The same bytes at `target`: a hard link where both lie on a disk that can, else a copy.

    Whoever writes into one of them then changes both: not for what an installed model is made of.
    """
    source = source.resolve()  # a hub cache holds symbolic links
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def copy_files(files: Mapping[Path, Path]) -> None:
    """Copy each source to its target, at no cost in room or time where the file system shares blocks.

    Raises DownloadError, before anything is copied, when there is no room for what must be.
    """
    left = {source: target for source, target in files.items() if not _cloned(source, target)}
    sizes = {source: source.stat().st_size for source in left}
    for target in list(left.values())[:1]:
        require_room(target.parent, sum(sizes.values()))
    for source, target in left.items():
        with disk_full_named(target, sizes[source], partial(target.unlink, missing_ok=True)):
            shutil.copyfile(source, target)


def _cloned(source: Path, target: Path) -> bool:
    """Whether `target` now has the blocks of `source`, each to be copied when it is written to (Linux)."""
    if sys.platform != "linux":
        return False
    import fcntl  # here: Windows has none

    with source.open("rb") as read, target.open("wb") as written:
        try:
            fcntl.ioctl(written.fileno(), _FICLONE, read.fileno())
        except OSError:  # another disk, or a file system that cannot
            return False
    return True


def require_room(folder: Path, needed: int) -> None:
    """Raises DownloadError when the disk under `folder` has not `needed` bytes and some to spare."""
    folder = _that_exists(folder)
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise DownloadError(_no_room(folder, needed, free))


def os_error(error: BaseException) -> OSError | None:
    """`error` as the OSError that it is or tells of; None for another kind. Rust's libraries (safetensors,
    tokenizers) raise classes of their own and put the number into the text: `… (os error 28)`.
    """
    if isinstance(error, OSError):
        return error
    told = _RUST_OS_ERROR.search(str(error))
    return OSError(int(told[1]), os.strerror(int(told[1]))) if told else None


@contextmanager
def disk_full_named(path: Path, needed: int, clean_up: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Turn "no space left" into a DownloadError that says what is needed, free and where.

    `clean_up` runs first: a full disk is everybody's trouble, so what we filled it with goes.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        clean_up()
        folder = _that_exists(path.parent)
        raise DownloadError(_no_room(folder, needed, shutil.disk_usage(folder).free)) from error


def _that_exists(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _no_room(folder: Path, needed: int, free: int) -> str:
    return (
        f"The disk is too full: {human_size(needed)} are needed, {human_size(free)} are free in {folder}. "
        "Free some space, or set MIDFILL_CACHE_DIR to a folder on a bigger disk, and try again."
    )


def human_size(size: int) -> str:
    """`491 MB`, `1.1 GB`: decimal units, as disks and hubs count."""
    if size < 1_000_000:
        return f"{max(size, 0) / 1_000:.0f} kB" if size >= 1_000 else f"{size} bytes"
    if size < 1_000_000_000:
        return f"{size / 1_000_000:.0f} MB"
    return f"{size / 1_000_000_000:.1f} GB"
