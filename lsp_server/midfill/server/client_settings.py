"""Settings as a client sent them, checked value by value. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from midfill.server.option import Option
from midfill.server.settings import ATTRIBUTES, OPTIONS, SECTION, Settings


@dataclass(frozen=True, slots=True)
class Parsed:
    """Settings, and what was wrong with their source."""

    settings: Settings
    problems: tuple[str, ...] = ()
    """One sentence for each value that could not be used: for the user."""
    unknown: tuple[str, ...] = ()
    """Keys that are no settings of the server: for the log (editors keep their own keys here)."""


def parse(raw: object) -> Parsed:
    """Settings from what a client sent: the section bare, or wrapped as `{"midfill": {…}}`.

    None means defaults. A bad value falls back to its default and takes no good one down with it.
    """
    if isinstance(raw, Mapping) and SECTION in raw:
        raw = raw[SECTION]
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        return Parsed(
            Settings(), (f"{SECTION}: expected an object, got {_shown(raw)}; using the defaults",)
        )
    values: dict[str, Any] = {}
    problems: list[str] = []
    unknown: list[str] = []
    for name, value in raw.items():
        known = OPTIONS.get(name)
        if known is None:
            unknown.append(str(name))
        elif value is None:
            continue
        elif complaint := _complaint(known, value):
            default = _default(name)
            problems.append(f"{SECTION}.{name}: {complaint}, got {_shown(value)}; using {default!r}")
        else:
            values[ATTRIBUTES[name]] = tuple(value) if isinstance(value, list) else value
            problems += _doubts(known, value)
    return Parsed(Settings(**values), tuple(problems), tuple(unknown))


def _doubts(known: Option, value: object) -> list[str]:
    """One sentence for each string of a list that means less than it seems to."""
    if not isinstance(value, list) or known.doubt is None:
        return []
    doubts = ((item, known.doubt(item)) for item in value)
    kept = "; using it as it is"
    return [f"{SECTION}.{known.name}: {why}, got {_shown(item)}{kept}" for item, why in doubts if why]


def _default(name: str) -> Any:
    return getattr(Settings(), ATTRIBUTES[name])


def _complaint(known: Option, value: object) -> str | None:
    """What is wrong with `value`, as the end of "expected …"; None when nothing is."""
    kinds = known.kind if isinstance(known.kind, tuple) else (known.kind,)
    if isinstance(value, bool) or not isinstance(value, kinds):
        named = [kind for kind in kinds if kind is not int or float not in kinds]
        return "expected " + " or ".join(_KIND_NAMES[kind] for kind in named)
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return "expected a list of strings"
    if isinstance(value, str) and known.choices and value not in known.choices:
        return "expected one of " + ", ".join(repr(choice) for choice in known.choices)
    if isinstance(value, float) and not math.isfinite(value):
        return "expected a finite number"
    if isinstance(value, (int, float)) and known.minimum is not None and value < known.minimum:
        return f"expected at least {known.minimum}"
    if isinstance(value, (int, float)) and known.maximum is not None and value > known.maximum:
        return f"expected at most {known.maximum}"
    return None


_KIND_NAMES = {str: "a string", int: "a whole number", float: "a number", list: "a list of strings"}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
