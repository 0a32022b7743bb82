"""Writing into files that belong to the user: whole or not at all, with a copy of what was there."""

import os
import tempfile
from pathlib import Path

BACKUP = ".before-midfill"


def read(file: Path) -> str:
    """Its text with its line ends; empty where there is none. Raises OSError, UnicodeDecodeError."""
    return file.read_bytes().decode("utf-8") if file.exists() else ""


def backup_of(file: Path) -> Path:
    real = file.resolve()
    return real.with_name(real.name + BACKUP)


def write(file: Path, text: str, keep: bool) -> None:
    """Put `text` there in one step; behind a link, where it points to. `keep`: what was there stays
    beside it, under `backup_of`. Raises OSError."""
    real = file.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    if keep and real.exists():
        keep_copy(file)
    _replace(real, text.encode("utf-8"), real)


def keep_copy(file: Path) -> Path:
    """What is in `file` now stays beside it, under `backup_of`, which is returned. Raises OSError."""
    real, backup = file.resolve(), backup_of(file)
    _replace(backup, real.read_bytes(), real)
    return backup


def _replace(file: Path, content: bytes, like: Path) -> None:
    """`file` gets `content`, and the permissions of `like` if that is there."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        os.chmod(name, like.stat().st_mode & 0o777 if like.exists() else 0o644)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
