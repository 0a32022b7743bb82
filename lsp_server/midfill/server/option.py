"""What is known of one setting beside its Python type: the shape of `settings.py`'s table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one setting beside its Python type."""

    name: str
    doc: str
    kind: type | tuple[type, ...]
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    restarts_model: bool = False
    doubt: Callable[[str], str] | None = None
    """Says what is wrong with one string of a list, or nothing: it is kept, and reported."""
    hidden: bool = False
    """For tests: accepted, and left out of the documentation."""


def option(name: str, default: Any, doc: str, kind: type | tuple[type, ...], **more: Any) -> Any:
    """A dataclass field that carries its Option."""
    metadata = {"option": Option(name, doc, kind, **more)}
    return field(default=default, metadata=metadata)
