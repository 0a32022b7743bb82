"""What files a workspace has, by their names, and the text of a few. Alone here in reading the disk.

Nothing outside the workspace is listed, and nothing that a tool put there.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from midfill.server.secret_files import is_secret

MOST_FILES = 20_000
"""0.2 s on a disk that is awake (measured); a larger workspace is known in part."""
MOST_CHARS = 200_000
SKIPPED = frozenset(
    {"node_modules", "target", "dist", "build", "venv", "__pycache__", "site-packages", "vendor", "out"}
)


@dataclass(frozen=True)
class Survey:
    """A workspace's files, listed when first asked for."""

    root: Path

    @cached_property
    def files(self) -> frozenset[str]:
        """Paths relative to the root, with `/`. Hidden folders and what tools build are left out."""
        found: set[str] = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in SKIPPED)
            within = Path(folder).relative_to(self.root)
            found.update((within / name).as_posix() for name in names)
            if len(found) > MOST_FILES:
                break
        return frozenset(found)

    def read(self, path: str) -> str:
        """The text of a file, cut at MOST_CHARS; empty where it cannot be read, or holds secrets."""
        if is_secret((self.root / path).as_uri()):
            return ""
        try:
            with open(self.root / path, encoding="utf-8", newline="") as file:
                return file.read(MOST_CHARS)
        except (OSError, UnicodeDecodeError):
            return ""
