"""Which files ignore files hide, as in git: rules from the repository's root down, the deeper ones decide.

Reads ignore files, and what of `.git` says where `info/exclude` lies. Worker thread only.
"""

import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".ignore", ".midfillignore")
"""git's, ripgrep's, and one of our own; the later decides."""
GIT_FILE = "gitdir: "
"""How a `.git` begins that is a file: a worktree's or a submodule's (gitrepository-layout(5))."""


@dataclass(slots=True)
class Ignores:
    """What was read for one gathering: the next one sees the files as they are then."""

    _specs: dict[str, list[GitIgnoreSpec]] = field(default_factory=dict)
    _hidden: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(Where the rules begin, a folder) → whether it is ignored with all that is in it."""
    _repositories: dict[str, str | None] = field(default_factory=dict)

    def hides(self, real: str, folder: str | None) -> bool:
        """Whether the file is ignored. `real`: without links; `folder`: the workspace's that holds it.

        The rules of its repository count, also from above the folder; those of a folder around the
        repository count too. A repository around the file's own says nothing of it.
        """
        repository = self._repository(os.path.dirname(real))
        top = min((place for place in (repository, folder) if place is not None), key=len, default=None)
        if top is None:
            return False
        parts = Path(real).relative_to(top).parts
        if ".git" in parts:
            return True
        # git's rule: what is in an ignored folder cannot be had back by a rule inside it
        folders = (parts[:depth] for depth in range(1, len(parts)))
        return any(self._is_hidden(top, each) for each in folders) or self._verdict(top, parts, "")

    def _is_hidden(self, top: str, parts: tuple[str, ...]) -> bool:
        key = (top, os.path.join(top, *parts))
        if key not in self._hidden:
            self._hidden[key] = self._verdict(top, parts, "/")
        return self._hidden[key]

    def _verdict(self, top: str, parts: tuple[str, ...], tail: str) -> bool:
        """What the innermost ignore file says that says anything of `parts` itself."""
        for above in reversed(range(len(parts))):
            name = "/".join(parts[above:]) + tail
            specs = self._rules(os.path.join(top, *parts[:above]))
            said = [found for spec in specs if (found := spec.check_file(name).include) is not None]
            if said:
                return said[-1]
        return False

    def _rules(self, folder: str) -> list[GitIgnoreSpec]:
        if folder not in self._specs:
            files = [os.path.join(folder, name) for name in IGNORE_FILES]
            if common := _common_dir(folder):
                files.insert(0, os.path.join(common, "info", "exclude"))  # any .gitignore overrules it
            self._specs[folder] = [_compiled(text) for text in map(_text, files) if text]
        return self._specs[folder]

    def _repository(self, folder: str) -> str | None:
        """The nearest folder from `folder` upwards that holds `.git`; None outside of all."""
        if folder not in self._repositories:
            above = os.path.dirname(folder)
            if os.path.exists(os.path.join(folder, ".git")):
                self._repositories[folder] = folder
            else:
                self._repositories[folder] = None if above == folder else self._repository(above)
        return self._repositories[folder]


@lru_cache(maxsize=256)  # reading is cheap, compiling is not: 500 lines take 20 ms
def _compiled(text: str) -> GitIgnoreSpec:
    lines = text.splitlines()
    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):  # one that git passes over as well: `!` alone, a backslash at the end
        return GitIgnoreSpec.from_lines(filter(_can_be_read, lines))


def _can_be_read(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _common_dir(folder: str) -> str | None:
    """What the worktrees of `folder`'s repository share; None where it holds no `.git`."""
    place = os.path.join(folder, ".git")
    if os.path.isdir(place):
        return place
    said = _text(place, "surrogateescape").rstrip("\n")
    if not said.startswith(GIT_FILE):
        return None
    place = os.path.join(folder, said.removeprefix(GIT_FILE))
    return os.path.join(place, _text(os.path.join(place, "commondir"), "surrogateescape").rstrip("\n"))


def _text(path: str, errors: str = "replace") -> str:
    """A plain file's text; empty where there is none. Nobody waits for a pipe."""
    if not os.path.isfile(path):
        return ""
    try:
        with open(path, encoding="utf-8-sig", errors=errors) as file:  # git skips the mark too
            return file.read()
    except OSError:
        return ""
