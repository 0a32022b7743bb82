"""Where nothing is suggested, each silence with its reason. Pure."""

import re
from collections.abc import Sequence
from fnmatch import fnmatch

from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot
from midfill.server.uris import is_windows, to_path

SCHEMES = ("file:", "untitled:", "vscode-remote:", "vscode-vfs:")
"""Documents that people edit; not output panes, chat boxes and diffs (opencode issue 153)."""


def silence(snapshot: DocumentSnapshot, settings: Settings) -> str:
    """Why this document gets no suggestions, as a code; empty when it gets them."""
    if not snapshot.uri.startswith(SCHEMES):
        return "not-a-file"
    if settings.languages and snapshot.language not in settings.languages:
        return "language-off"
    path = to_path(snapshot.uri)
    if path is not None and any(_matches(path, pattern) for pattern in settings.exclude):
        return "file-excluded"
    return ""


def _matches(path: str, pattern: str) -> bool:
    """Whether `pattern` matches the path's end, or all of it. `**` stands for any number of folders,
    none included. (Until Python 3.13 `PurePath.match` takes `**` for one folder.)"""
    parts = re.split(r"[/\\]", path) if is_windows() else path.split("/")
    return _match_parts(parts, ["**", *pattern.split("/")])


def _match_parts(parts: Sequence[str], globs: Sequence[str]) -> bool:
    if not globs:
        return not parts
    if globs[0] == "**":
        return any(_match_parts(parts[i:], globs[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatch(parts[0], globs[0]) and _match_parts(parts[1:], globs[1:])
