"""What a docstring says, before any style: plain values."""

from collections.abc import Callable
from dataclasses import dataclass

from midfill.server.actions.docstrings.examples import Example
from midfill.server.actions.signature import Parameter


@dataclass(frozen=True, slots=True)
class Content:
    summary: str
    """One sentence, as all texts here: no line end in it, a full stop at its end."""
    parameters: tuple[tuple[Parameter, str], ...] = ()
    result: str = ""
    """What comes back or is yielded; empty: nothing does."""
    result_type: str = ""
    yields: bool = False
    raises: tuple[tuple[str, str], ...] = ()
    """(name of the error, when)."""
    details: str = ""
    """A second sentence: how, and under which conditions; empty where the model had nothing to add."""
    examples: tuple[Example, ...] = ()
    """That were run."""
    own_words: int = 0
    """How many of these texts are ours, from names and types, because the model had none."""


Frame = Callable[[Content], list[str]]
"""Writes it in the file's style: lines without indentation."""
