"""Signatures and outlines of what the names near the cursor mean, in the files that it imports."""

import os
from collections.abc import Callable, Iterator, Mapping

from midfill.server.context.candidate import Candidate, Source
from midfill.server.context.imports import ALL, WHOLE, Import, imports
from midfill.server.context.outline import Symbol
from midfill.server.context.resolve import Here, Probe, targets

UNUSED = 0.05
"""What is imported by its name and not used near the cursor is worth so much."""
MEMBER_SHARE = 0.25
"""A class counts by its members' names too, which others may have as well."""
HOPS = 2
"""A package's `__init__` or `index` hands on what lies in another file."""
MAX_FILES = 60
"""Looked into for one cursor."""

Outlines = Callable[[str], tuple[Symbol, ...]]
"""What the file at a path defines; nothing where it may not be read."""


def definitions(
    language: str, here: Here, near: Mapping[str, float], probe: Probe, outlines: Outlines
) -> list[Candidate]:
    """Every definition that could be shown, once, scored by how near its name is used."""
    found: dict[str, Candidate] = {}
    read: set[str] = set()
    for one in imports(language, here.text):
        for piece in _of_import(language, one, here, near, probe, outlines, read, HOPS):
            known = found.get(piece.key)
            if known is None or known.score < piece.score:
                found[piece.key] = piece
    return list(found.values())


def _of_import(
    language: str,
    one: Import,
    here: Here,
    near: Mapping[str, float],
    probe: Probe,
    outlines: Outlines,
    read: set[str],
    hops: int,
) -> Iterator[Candidate]:
    for path, names in targets(language, one, here, probe, frozenset(near)):
        read.add(path)
        if len(read) > MAX_FILES:
            return
        defined = outlines(path)
        shown = os.path.relpath(path, here.root).replace(os.sep, "/")
        for symbol in defined:
            if score := _score(symbol, names, near):
                key = f"{shown}:{symbol.line:06d}"
                why = f"`{symbol.name}` is " + ("used near the cursor" if score > UNUSED else "imported")
                yield Candidate(Source.DEFINITIONS, key, shown, symbol.text, score, why)
        missing = {local: name for local, name in names.items() if not _defines(defined, name)}
        if missing and hops > 1:
            yield from _handed_on(language, path, here, missing, near, probe, outlines, read, hops - 1)


def _handed_on(
    language: str,
    path: str,
    here: Here,
    names: Mapping[str, str],
    near: Mapping[str, float],
    probe: Probe,
    outlines: Outlines,
    read: set[str],
    hops: int,
) -> Iterator[Candidate]:
    """What the file at `path` imports itself under `names`."""
    inner = Here(path, here.root, probe.text(path) or "")
    for one in imports(language, inner.text):
        taken = {
            local: there
            for local, name in names.items()
            for there in (one.names.get(name), ALL if ALL in one.names else None)
            if there is not None
        }
        if taken:
            renamed = {local: name if name != ALL else names[local] for local, name in taken.items()}
            found = Import(one.module, renamed)
            yield from _of_import(language, found, inner, near, probe, outlines, read, hops)


def _defines(defined: tuple[Symbol, ...], name: str) -> bool:
    return name in (WHOLE, ALL) or any(symbol.name == name for symbol in defined)


def _score(symbol: Symbol, names: Mapping[str, str], near: Mapping[str, float]) -> float:
    """0: it has nothing to do with the cursor."""
    of_members = MEMBER_SHARE * max((near.get(name, 0.0) for name in symbol.members), default=0.0)
    by_name = [local for local, name in names.items() if name == symbol.name]
    if by_name:
        return max(UNUSED, max(near.get(local, 0.0) for local in by_name)) + of_members
    if WHOLE in names.values() or ALL in names.values():
        used = near.get(symbol.name, 0.0)
        return used + of_members if used else 0.0
    owners = [local for local, name in names.items() if name in symbol.members]
    if owners and symbol.name in near:  # a method that is defined outside of its type
        return near[symbol.name]
    return 0.0
