"""What files a workspace has, by their names, and the text of a few. Alone here in reading the disk.

Nothing outside the workspace is listed, and nothing that a tool put there.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from midfill.server.actions.unit_tests.place import NoTests
from midfill.server.secret_files import is_secret

MOST_FILES = 20_000
"""0.2 s on a disk that is awake (measured); a larger workspace is known in part."""
MOST_CHARS = 200_000
SKIPPED = frozenset({"node_modules", "venv", "__pycache__", "site-packages"})
BUILT = frozenset({"target", "dist", "build", "vendor", "out"})
"""Skipped too, unless they are Python packages: those are somebody's code."""


@dataclass(frozen=True)
class Survey:
    """A workspace's files, listed when first asked for."""

    root: Path

    @cached_property
    def files(self) -> frozenset[str]:
        """Paths relative to the root, with `/`. Hidden folders and what tools build are left out."""
        found: set[str] = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(n for n in folders if not n.startswith(".") and not _is_skipped(folder, n))
            within = Path(folder).relative_to(self.root)
            found.update((within / name).as_posix() for name in names)
            if len(found) > MOST_FILES:
                break
        return frozenset(found)

    def around(self, path: str) -> frozenset[str]:
        """`files`, and whatever lies beside `path` and above it: a large workspace is known in part."""
        folders = [PurePosixPath(path).parent, *PurePosixPath(path).parent.parents]
        names = ((folder, name) for folder in folders for name in _names(self.root / folder))
        return self.files | {(folder / name).as_posix() for folder, name in names}

    def has(self, path: str) -> bool:
        """Whether the file is there, wherever it lies."""
        return (self.root / path).is_file()

    def read(self, path: str) -> str:
        """The text of a file, cut at MOST_CHARS; empty where it cannot be read, holds secrets, or is a link
        that leads out of the workspace."""
        real = (self.root / path).resolve()
        if is_secret((self.root / path).as_uri()) or not real.is_relative_to(self.root.resolve()):
            return ""
        try:
            with open(real, encoding="utf-8", newline="") as file:
                return file.read(MOST_CHARS)
        except (OSError, UnicodeDecodeError):
            return ""


def text_on_disk(path: Path) -> str:
    """All of a file that tests go into, without its byte order mark: editors leave it out of positions.
    Raises NoTests."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NoTests(f"{path.name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise NoTests(f"{path.name} cannot be read: it is not UTF-8 text") from error


def _is_skipped(folder: str, name: str) -> bool:
    return name in SKIPPED or (
        name in BUILT and not os.path.exists(os.path.join(folder, name, "__init__.py"))
    )


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
