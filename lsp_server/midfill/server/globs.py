"""Glob patterns over paths, as `midfill.exclude` has them: like those of `.gitignore` and VS Code. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatch
from functools import lru_cache
from itertools import pairwise

from midfill.server.uris import is_windows, place_of

MAX_ALTERNATIVES = 100
MAX_BRACES = 20
"""Of one pattern; people write ten and two."""


def excluded(uri: str, patterns: Collection[str], folders: Iterable[str] = ()) -> bool:
    """Whether one of `patterns` matches the file that a document of any scheme stands for."""
    place = place_of(uri) if patterns else None
    return place is not None and any(matches(place, pattern, folders) for pattern in patterns)


def matches(path: str, pattern: str, folders: Iterable[str] = ()) -> bool:
    """Whether `pattern` matches the path's end, all of it, or a folder that it lies in: one inside of the
    workspace's `folders`, where it lies in one of these (`build` says nothing of a workspace in `/build`).

    `**` stands for any number of folders, none included. (Until Python 3.13 `PurePath.match` takes it for
    one folder.) A slash at the end asks for a folder. One at the start: all of the path, or of what
    follows one of `folders`.
    """
    parts = _split(path)
    below = list(_below(parts, folders))
    deepest = max(map(len, below), default=len(parts))
    for globs in _alternatives(pattern):
        anywhere = globs if globs[0] == "**" else ("**", *globs)
        whole = globs[0] == ""
        if _match_parts(parts, anywhere, len(parts) if whole else deepest):
            return True
        if whole and any(_match_parts(rest, globs[1:], len(rest)) for rest in below):
            return True
    return False


def unreadable(pattern: str) -> str:
    """Why `pattern` does not mean what it seems to mean; empty where all is well."""
    if pattern.startswith("!"):
        return "a pattern cannot take others back"
    try:
        _expanded(pattern)
    except ValueError as error:
        return str(error)
    return ""


@lru_cache(maxsize=256)  # asked for every document at every request
def _alternatives(pattern: str) -> tuple[tuple[str, ...], ...]:
    """What stands between slashes, for the pattern as it is written and for each of its alternatives."""
    try:
        written = dict.fromkeys((pattern, *_expanded(pattern)))
    except ValueError:
        written = {pattern: None}
    return tuple(_globs(each) for each in written if each.strip("/"))


def _globs(pattern: str) -> tuple[str, ...]:
    """A slash at the end becomes an empty glob. Two `**` in a row say no more than one, and cost more."""
    globs = tuple(_split(pattern))
    return tuple(glob for at, glob in enumerate(globs) if globs[at - 1 : at + 1] != ("**", "**"))


def _expanded(pattern: str) -> list[str]:
    """`a{b,c}` as `ab` and `ac`; `{a}` stays, as in a shell. ValueError where a brace is open, or for too
    many."""
    if pattern.count("{") > MAX_BRACES:
        raise ValueError("more braces than can be tried")
    depth, cuts = 0, list[int]()
    for at, mark in enumerate(pattern):
        if mark == "{":
            depth += 1
        if (mark == "{" and depth == 1) or (mark == "," and depth == 1):
            cuts = [at] if mark == "{" else [*cuts, at]
        elif mark == "}" and depth:
            depth -= 1
            if depth == 0 and len(cuts) > 1:
                choices = [pattern[low + 1 : high] for low, high in pairwise([*cuts, at])]
                heads = [each for choice in choices for each in _expanded(pattern[: cuts[0]] + choice)]
                tails = _expanded(pattern[at + 1 :])
                if len(heads) * len(tails) > MAX_ALTERNATIVES:
                    raise ValueError("more alternatives than can be tried")
                return [head + tail for head in heads for tail in tails]
    if depth:
        raise ValueError("a `{` that nothing closes")
    return [pattern]


def _below(parts: Sequence[str], folders: Iterable[str]) -> Iterable[Sequence[str]]:
    """What of a path follows each of `folders` that it lies in."""
    for folder in folders:
        above = _split(folder.rstrip("/\\"))
        here = parts[: len(above)]
        if here == above or (is_windows() and [*map(str.lower, here)] == [*map(str.lower, above)]):
            yield parts[len(above) :]


def _split(path: str) -> list[str]:
    return re.split(r"[/\\]", path) if is_windows() else path.split("/")


def _match_parts(parts: Sequence[str], globs: Sequence[str], inside: int) -> bool:
    """Whether `globs` match `parts` from their start, so that fewer than `inside` of them are left."""
    if not globs:
        return len(parts) < max(inside, 1)
    if globs[0] == "**":
        return any(_match_parts(parts[i:], globs[1:], inside) for i in range(len(parts) + 1))
    if not parts:
        return False
    if globs[0] == "" and len(globs) == 1:
        return len(parts) < inside
    return fnmatch(parts[0], globs[0]) and _match_parts(parts[1:], globs[1:], inside)
