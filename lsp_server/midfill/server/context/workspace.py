"""Which files may be read at all: inside the workspace, not ignored, not secret, not too large.

Reads ignore files and text. Worker thread only: the event loop never waits for a disk.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from midfill.server.context.ignores import Ignores
from midfill.server.globs import excluded
from midfill.server.secret_files import is_secret
from midfill.server.uris import SCHEMES, to_path, to_uri

MAX_FILE_BYTES = 200_000
"""Larger ones are data or generated (a guess; Copilot reads 10,000 characters of a similar file)."""
MAX_MEAN_LINE = 200
MAX_LINE = 5_000
"""Characters. Minified text has longer lines than anybody writes."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The client's folders and the user's `midfill.exclude`, as one gathering sees them."""

    folders: tuple[str, ...] = ()
    """Absolute paths."""
    exclude: tuple[str, ...] = ()
    _ignores: Ignores = field(default_factory=Ignores, compare=False)

    def root_of(self, path: str) -> str | None:
        """The innermost folder that holds `path`, symbolic links followed; None outside of all."""
        return max(self._around(os.path.realpath(path)), key=len, default=None)

    def allows(self, path: str) -> bool:
        """Whether the file may be read: by its name, and by the name that its links lead to."""
        real = os.path.realpath(path)
        if not self._around(real):
            return False
        return not any(self._forbidden(name) for name in {path, real}) and not self._ignored(real)

    def allows_open(self, uri: str) -> bool:
        """Whether an open document may be shown beside another: where there are folders, only what lies
        in them. What was never saved has a name, and no place. What is no document, such as another
        revision of a file, a pane or a cell, may not: neither ignore files nor `exclude` tell of it."""
        path = to_path(uri)
        if path is not None and self.folders:
            return self.allows(path)
        if not uri.startswith(SCHEMES) or is_secret(uri) or excluded(uri, self.exclude):
            return False
        return path is None or not self._ignored(os.path.realpath(path))

    def shown(self, path: str) -> str:
        """The path as a model is told it: from its folder on."""
        root = self.root_of(path)
        name = os.path.relpath(os.path.realpath(path), root) if root else os.path.basename(path)
        return name.replace(os.sep, "/")

    def _around(self, real: str) -> list[str]:
        """The folders that hold it."""
        return [root for root in map(os.path.realpath, self.folders) if _is_inside(real, root)]

    def _forbidden(self, path: str) -> bool:
        uri = to_uri(path)
        if is_secret(uri) or not self.exclude:
            return is_secret(uri)
        return excluded(uri, self.exclude, (*self.folders, *map(os.path.realpath, self.folders)))

    def _ignored(self, real: str) -> bool:
        return self._ignores.hides(real, min(self._around(real), key=len, default=None))


def workspace_of(path: str) -> str:
    """Where no editor says: the nearest folder above `path` with a repository or a project file."""
    for folder in Path(path).parents:
        if any((folder / name).exists() for name in (".git", "pyproject.toml")):
            return str(folder)
    return os.getcwd()


@dataclass(slots=True)
class Reader:
    """Texts of files, each read once until it changes. Open documents stand for their files."""

    workspace: Workspace
    opened: dict[str, str]
    """Path → text of the documents that the editor has open."""
    kept: dict[str, tuple[tuple[int, int], str]]
    """Path → (modification time in ns, size) and text: lives longer than this reader."""

    def text(self, path: str) -> str | None:
        """The file's text; None where there is none, or it may not be read."""
        if not self.workspace.allows(path):
            return None
        if path in self.opened:
            text = self.opened[path]
            return text if is_readable(text) else None
        try:
            stat = os.stat(path)
            if stat.st_size > MAX_FILE_BYTES or not os.path.isfile(path):
                return None
            stamp = (stat.st_mtime_ns, stat.st_size)
            known = self.kept.get(path)
            if known is None or known[0] != stamp:
                with open(path, encoding="utf-8", newline=None) as file:
                    known = (stamp, file.read())
                self.kept[path] = known
        except (OSError, UnicodeDecodeError):
            return None
        return known[1] if is_readable(known[1]) else None

    def exists(self, path: str) -> bool:
        return path in self.opened or os.path.isfile(path)

    def listing(self, folder: str) -> Sequence[str]:
        """Names in a folder, in order; none where it lies outside."""
        if self.workspace.root_of(folder) is None:
            return ()
        try:
            return sorted(os.listdir(folder))
        except OSError:
            return ()


def is_readable(text: str) -> bool:
    """Whether people wrote it: neither huge nor minified."""
    if len(text) > MAX_FILE_BYTES:
        return False
    lines = text.split("\n")
    return len(text) <= MAX_MEAN_LINE * len(lines) + MAX_LINE and max(map(len, lines)) <= MAX_LINE


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
