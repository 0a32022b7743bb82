"""Folders that are not models: yet, or any more. Knows nothing of what is in them."""

import os
import shutil
import time
import uuid
from pathlib import Path

from midfill.model.errors import ModelError

STALE_S = 24 * 3600
"""Not touched for so long, it was left by a killed process. A guess: no import takes a day."""


def new_scratch(place: Path) -> Path:
    """A new empty folder in `place`; what killed processes left there goes first."""
    place.mkdir(parents=True, exist_ok=True)
    for old in (*place.glob("import-*"), *place.glob("removed-*")):
        if time.time() - old.stat().st_mtime > STALE_S:
            shutil.rmtree(old)
    folder = place / f"import-{uuid.uuid4().hex}"
    folder.mkdir()
    return folder


def discard(folder: Path, place: Path) -> None:
    """Take `folder` away in one step, by a rename into `place` on the same disk, then delete it.

    Raises ModelError, with all of it still there, when a running program holds its files (Windows).
    """
    place.mkdir(parents=True, exist_ok=True)
    gone = place / f"removed-{uuid.uuid4().hex}"
    try:
        os.replace(folder, gone)
    except PermissionError as error:
        raise ModelError(
            f"{folder.name} cannot be removed while a program uses its files: close your editors first."
        ) from error
    shutil.rmtree(gone)
