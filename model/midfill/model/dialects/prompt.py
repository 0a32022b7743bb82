"""How one model family wants to be asked to fill a hole, as a value, and the prompt that it makes.

Knows marker strings and the order of a prompt's parts. Knows no tokenizer, no family and no text of the
user: ids are looked up in the model's own vocabulary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Hole(StrEnum):
    """A place in a prompt that the user's text goes to."""

    PREFIX = "prefix"
    SUFFIX = "suffix"


class Order(StrEnum):
    PSM = "psm"
    """Prefix, suffix, middle: each key typed re-computes the suffix."""
    SPM = "spm"
    """Suffix, prefix, middle: a key typed extends the prompt (arXiv 2207.14255 §3.1)."""


class Heals(StrEnum):
    """Where a prompt's last tokens go back to text, for the model to write them anew (`healing.py`)."""

    NEVER = "never"
    IN_WORDS = "in-words"
    """Behind a letter, a digit or a low line."""
    IN_LINES = "in-lines"
    """Everywhere but at a line's start: behind indentation and signs too."""


@dataclass(frozen=True, slots=True)
class FimDialect:
    """One family's fill-in-the-middle prompt. `layout` is the whole prompt: marker strings and holes."""

    name: str
    layout: tuple[Hole | str, ...]
    bos: bool = False
    """Whether the model's begin-of-text id comes first."""
    ends: tuple[str, ...] = ()
    """Tokens besides end-of-text and the layout's markers that end an answer."""
    signs: tuple[str, ...] = ()
    """Tokens that tell this family's vocabulary from another's with the same markers."""
    heals: Heals = Heals.IN_WORDS
    """Where a marker stands between prefix and middle, training cut tokens there: a prefix that ends in
    white space is none the worse for it. Where the middle follows upon the prefix, the two were one text
    before they became tokens (arXiv 2308.12950v3 §2.3). Measured: `make bench-layouts`."""
    by_name_only: bool = False
    """The vocabulary proves nothing: models that were never trained to fill have the same tokens."""
    needs_remote_code: bool = False
    """As published, the model runs only with Python code of its own, which is never run here."""

    @property
    def markers(self) -> tuple[str, ...]:
        """The marker strings of the layout, in order; each must be one id in the model's vocabulary."""
        return tuple(part for part in self.layout if not isinstance(part, Hole))

    @property
    def family(self) -> str:
        """The name without the order, where a family was taught both."""
        return self.name.removesuffix("-spm").removesuffix("-psm")

    @property
    def order(self) -> Order:
        return Order.PSM if self.layout.index(Hole.PREFIX) < self.layout.index(Hole.SUFFIX) else Order.SPM


def render(
    dialect: FimDialect,
    ids: Mapping[str, int],
    prefix_ids: Sequence[int],
    suffix_ids: Sequence[int],
    bos_id: int | None,
) -> list[int]:
    """The prompt's token ids: `ids` maps each marker to its id. Markers are spliced in, never encoded."""
    prompt = [bos_id] if dialect.bos and bos_id is not None else []
    for part in dialect.layout:
        match part:
            case Hole.PREFIX:
                prompt += prefix_ids
            case Hole.SUFFIX:
                prompt += suffix_ids
            case _:
                prompt.append(ids[part])
    return prompt


def overhead_tokens(dialect: FimDialect) -> int:
    """How many tokens of a prompt are not the user's."""
    return len(dialect.markers) + dialect.bos
