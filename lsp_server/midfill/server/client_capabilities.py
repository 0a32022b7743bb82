"""What of a client's capabilities can be read. Pure.

Clients may send values of later versions of LSP, and of their own ("Capability: Implementation
Considerations"). lsprotocol refuses the whole request for one; here it alone is left out.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from cattrs.errors import AttributeValidationNote, IterableValidationNote

Path = tuple[str | int, ...]
"""Keys and indices from the capabilities to a part of them."""


def readable_part(
    capabilities: dict[str, Any], structure: Callable[[dict[str, Any]], object]
) -> tuple[dict[str, Any], list[str]]:
    """(the capabilities without what `structure` raises for, the names of what was left out).

    What cannot be told from the error stays, for `structure` to raise again.
    """
    left_out: list[str] = []
    while True:
        try:
            structure(capabilities)
        except Exception as error:  # cattrs raises groups of whatever went wrong
            bad = {_reached(capabilities, path) for path in _faults(error, ())} - {()}
            if not bad:
                return capabilities, left_out
            capabilities = _without(capabilities, bad)
            left_out += sorted(".".join(map(str, path)) for path in bad)
        else:
            return capabilities, left_out


def _faults(error: BaseException, above: Path) -> Iterator[Path]:
    """Where the errors lie that make up `error`, as cattrs notes it on each."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, IterableValidationNote):
            above = (*above, note.index)
        elif isinstance(note, AttributeValidationNote):
            above = (*above, re.sub(r"_([a-z])", lambda found: found[1].upper(), note.name))
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _faults(each, above)
    else:
        yield above


def _reached(value: Any, path: Path) -> Path:
    """As much of `path` as there is: where a key is missing, that which should have it."""
    for depth, key in enumerate(path):
        keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
        if key not in keys:
            return path[:depth]
        value = value[key]
    return path


def _without(value: Any, bad: set[Path]) -> Any:
    """A copy where something is missing; all else is the same object, however deep."""
    inside: dict[str | int, set[Path]] = {}
    for first, *rest in bad:
        inside.setdefault(first, set()).add(tuple(rest))
    items = value.items() if isinstance(value, dict) else enumerate(value)
    kept = {
        key: _without(each, inside[key]) if key in inside else each
        for key, each in items
        if () not in inside.get(key, ())
    }
    return kept if isinstance(value, dict) else list(kept.values())
