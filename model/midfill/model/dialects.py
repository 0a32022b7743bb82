"""How each model family wants to be asked to fill a hole: a table of values, and which row a model takes.

Knows marker strings and the order of a prompt's parts. Knows no tokenizer and no text of the user.
Sources: reference README of each family; ids are looked up in the model's own vocabulary.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class FimDialect:
    """One family's fill-in-the-middle prompt. `layout` is the whole prompt: marker strings and holes."""

    name: str
    layout: tuple[Hole | str, ...]
    bos: bool = False
    """Whether the model's begin-of-text id comes first."""
    ends: tuple[str, ...] = ()
    """Tokens besides end-of-text and the layout's markers that end an answer."""

    @property
    def markers(self) -> tuple[str, ...]:
        """The marker strings of the layout; each must be one id in the model's vocabulary."""
        return tuple(part for part in self.layout if not isinstance(part, Hole))

    @property
    def order(self) -> Order:
        return Order.PSM if self.layout.index(Hole.PREFIX) < self.layout.index(Hole.SUFFIX) else Order.SPM


QWEN = FimDialect(
    name="qwen2.5-coder",
    layout=("<|fim_prefix|>", Hole.PREFIX, "<|fim_suffix|>", Hole.SUFFIX, "<|fim_middle|>"),
    ends=("<|endoftext|>", "<|im_end|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
)
# Code Llama was trained on both orders, and on single lines scores 83.3 in SPM against 74.1 in PSM
# (arXiv 2308.12950v3 table 14, 7B): SPM stands first, so it is what detection takes.
CODELLAMA_SPM = FimDialect(
    name="codellama",
    layout=("▁<PRE>", "▁<SUF>", Hole.SUFFIX, "▁<MID>", Hole.PREFIX),
    bos=True,
    ends=("▁<EOT>",),
)
CODELLAMA_PSM = FimDialect(
    name="codellama-psm",
    layout=("▁<PRE>", Hole.PREFIX, "▁<SUF>", Hole.SUFFIX, "▁<MID>"),
    bos=True,
    ends=("▁<EOT>",),
)

DIALECTS: tuple[FimDialect, ...] = (QWEN, CODELLAMA_SPM, CODELLAMA_PSM)

# First match wins, on the lower-case name with blanks and underscores as hyphens. None: has the markers
# in its vocabulary, or is taken for one that has, and was never trained to fill (Code Llama README,
# MODEL_CARD; inference.md §1.2, §2 rule 1).
BY_NAME: tuple[tuple[str, FimDialect | None], ...] = (
    (r"code-?llama.*(34b|python)", None),
    (r"code-?llama", CODELLAMA_SPM),
    (r"qwen2\.5-coder|qwen3-coder|codeqwen2", QWEN),
    (r"qwen2\.5|qwen3", None),
)

TEXT_MARKERS: tuple[str, ...] = tuple(
    sorted({m for d in DIALECTS for m in (*d.markers, *d.ends) if m.startswith("<|")} | {"<|im_start|>"})
)
"""Markers that are plainly markers even when a model spells them out in ordinary tokens. Code Llama's
are left out: ` <PRE>` and `</s>` are HTML too, and as tokens they never become text."""


def detect_dialect(names: Iterable[str], is_marker: Callable[[str], bool]) -> FimDialect | None:
    """The dialect of a model that goes by `names`; `is_marker` says what its vocabulary has as one id.

    A known name decides; an unknown model is taken at its vocabulary's word. A row whose markers are
    not all there is never chosen.
    """
    plain = [re.sub(r"[\s_]+", "-", name.lower()) for name in names]
    for pattern, dialect in BY_NAME:
        if any(re.search(pattern, name) for name in plain):
            return dialect if dialect and _has_markers(dialect, is_marker) else None
    return next((dialect for dialect in DIALECTS if _has_markers(dialect, is_marker)), None)


def _has_markers(dialect: FimDialect, is_marker: Callable[[str], bool]) -> bool:
    return all(is_marker(marker) for marker in dialect.markers)


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
