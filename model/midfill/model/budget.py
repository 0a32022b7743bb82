"""Which part of the text around the cursor goes into the prompt. Pure: text in, text and token ids out.

The text nearest the cursor is kept on both sides. What a prompt kept before is not known here: `steady.py`
holds the edges still while somebody types. Knows no markers: the caller subtracts them from the budget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

WINDOW_CHARS_PER_TOKEN = 8
"""How much text is looked at for a token of budget. Code has 3–4 (measured: this repository, Qwen);
deep indentation more. What lies further away is never encoded: 5 MB cost what a screenful costs."""
SPARE_SHARE = 0.25
"""Of the prefix's budget that a cut leaves free, so that the next cut is hundreds of characters away."""
LINE_LOSS_SHARE = 0.5
"""A cut moves on to the next line start, unless that drops more than this of the text that would fit."""


class Encoder(Protocol):
    """What fitting needs of a tokenizer."""

    def encode(self, text: str) -> list[int]: ...

    def encode_continuation(self, text: str) -> list[int]: ...

    def starts(self, text: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of a text goes into the prompt: `prefix` is its end, from `prefix_start` on, `suffix` its
    beginning after the cursor.
    """

    prefix: str
    suffix: str
    prefix_ids: tuple[int, ...]
    suffix_ids: tuple[int, ...]
    prefix_start: int
    cut_tokens: int
    """How many tokens of prefix there were when `prefix_start` was chosen."""
    suffix_cut: bool
    """Whether there was more suffix than this."""


def fit(
    tokenizer: Encoder,
    prefix: str,
    suffix: str,
    budget_tokens: int,
    suffix_tokens_max: int,
    *,
    continued: bool = False,
) -> Fitted:
    """Cut both to `budget_tokens` in all, the suffix to `suffix_tokens_max` of them at most.

    The prefix gets what the suffix leaves; if it must be cut, it leaves some free for what is typed next.
    Cuts fall at line ends where there are any near, and never inside a character. `continued`: something
    stands before the prefix in the prompt (SentencePiece then implies no space).
    """
    suffix_end, suffix_ids = fit_suffix(tokenizer, suffix, max(0, min(suffix_tokens_max, budget_tokens)))
    encode = tokenizer.encode_continuation if continued else tokenizer.encode
    start, prefix_ids = _fit_prefix(tokenizer, encode, prefix, max(0, budget_tokens - len(suffix_ids)))
    return Fitted(
        prefix=prefix[start:],
        suffix=suffix[:suffix_end],
        prefix_ids=tuple(prefix_ids),
        suffix_ids=tuple(suffix_ids),
        prefix_start=start,
        cut_tokens=len(prefix_ids),
        suffix_cut=suffix_end < len(suffix),
    )


def room_tokens(context_tokens: int, max_new_tokens: int, overhead_tokens: int) -> tuple[int, int]:
    """(tokens for the user's text, tokens for the answer): together with the overhead they fill the
    context, and the answer never gets more than half of it.
    """
    answer = min(max_new_tokens, context_tokens // 2)
    return max(0, context_tokens - answer - overhead_tokens), answer


def fit_suffix(tokenizer: Encoder, suffix: str, budget: int) -> tuple[int, list[int]]:
    """How many characters of `suffix` fit `budget` tokens, and their ids."""
    end = min(len(suffix), budget * WINDOW_CHARS_PER_TOKEN)
    end = end if end == len(suffix) else _line_end_before(suffix, end)
    ids = tokenizer.encode_continuation(suffix[:end])
    while len(ids) > budget:
        starts = tokenizer.starts(suffix[:end])
        end = _line_end_before(suffix, min(end - 1, starts[min(budget, len(starts) - 1)]))
        ids = tokenizer.encode_continuation(suffix[:end])
    return end, ids


def _line_end_before(text: str, end: int) -> int:
    """Just behind the last line end up to `end`; `end` itself where that would drop more than half."""
    at = text.rfind("\n", 0, end) + 1
    return at if at > end // 2 else end


def _fit_prefix(
    tokenizer: Encoder, encode: Callable[[str], list[int]], prefix: str, budget: int
) -> tuple[int, list[int]]:
    """Where in `prefix` to begin, and the ids from there on: all of it, or `budget` less the spare part."""
    if len(prefix) <= budget * WINDOW_CHARS_PER_TOKEN:
        ids = encode(prefix)
        if len(ids) <= budget:
            return 0, ids
    budget -= int(budget * SPARE_SHARE)
    window = max(0, len(prefix) - budget * WINDOW_CHARS_PER_TOKEN)
    starts = [window + start for start in tokenizer.starts(prefix[window:])]
    first = max(0, len(starts) - budget)
    while first < len(starts):
        start = _line_start_after(prefix, starts[first])
        ids = encode(prefix[start:])
        if len(ids) <= budget:
            return start, ids
        # A marker in the text is more tokens than `starts` says; a cut may part a token in two.
        first += max(1, len(ids) - budget)
    return len(prefix), []


def _line_start_after(text: str, start: int) -> int:
    """The first line start from `start` on, or `start` where that would drop too much."""
    at = text.find("\n", max(0, start - 1)) + 1
    return at if start <= at <= start + (len(text) - start) * LINE_LOSS_SHARE else start
