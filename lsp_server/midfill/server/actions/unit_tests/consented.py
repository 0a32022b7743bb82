"""In which workspaces generated tests may be run: a small file in the user's state folder. Off until asked.

Knows no editor. Whoever asks the question is elsewhere; this only keeps the answer.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import platformdirs

NAME = "run-tests.json"


def state_folder() -> Path:
    """`MIDFILL_STATE_DIR`, else the user's state folder."""
    chosen = os.environ.get("MIDFILL_STATE_DIR")
    return Path(chosen) if chosen else Path(platformdirs.user_state_dir("midfill", appauthor=False))


class Consents:
    """Read anew each time: several windows share the file, and what one withdraws none may go on using."""

    def __init__(self, folder: Path | None = None) -> None:
        self._path = (folder or state_folder()) / NAME

    def given(self, workspace: Path) -> bool:
        """Whether tests may be run there. False where the file is missing or damaged."""
        return _key(workspace) in self._read()

    def give(self, workspace: Path) -> None:
        """Raises OSError where it cannot be kept."""
        self._write(self._read() | {_key(workspace)})

    def withdraw(self, workspace: Path) -> None:
        """Raises OSError where it cannot be kept."""
        self._write(self._read() - {_key(workspace)})

    def _read(self) -> set[str]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return set()
        return {path for path in found if isinstance(path, str)} if isinstance(found, list) else set()

    def _write(self, workspaces: set[str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._path.parent)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(sorted(workspaces), file, indent=1)
            os.replace(name, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


def _key(workspace: Path) -> str:
    """The folder itself, not one of its names: a link must not carry consent elsewhere."""
    return str(workspace.resolve())
