"""Glob patterns over paths, as settings have them. Pure."""

import re
from collections.abc import Sequence
from fnmatch import fnmatch

from midfill.server.uris import is_windows


def matches(path: str, pattern: str) -> bool:
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
