"""Which part of the text around the cursor goes into the prompt. Pure: text in, text and token ids out.

The text nearest the cursor is kept on both sides. The prefix is cut on a coarse grid, so that typing does
not slide its left edge: an edge that moves with every key costs the whole KV cache (inference.md §4.1).
Snippets from other files are not used yet. Knows no markers: the caller subtracts them from the budget.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

WINDOW_CHARS_PER_TOKEN = 8
"""How much text is looked at for a token of budget. Code has 3–4 (measured: this repository, Qwen);
deep indentation more. What lies further away is never encoded: 5 MB cost what a screenful costs."""
LEAST_USED_SHARE = 0.5
"""A cut that leaves less of the budget used than this is tried again on a finer grid."""


class Encoder(Protocol):
    """What fitting needs of a tokenizer."""

    def encode(self, text: str) -> list[int]: ...

    def encode_continuation(self, text: str) -> list[int]: ...

    def starts(self, text: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of both goes into the prompt: `prefix[prefix_start:]`, `suffix[:suffix_end]`."""

    prefix_ids: tuple[int, ...]
    suffix_ids: tuple[int, ...]
    prefix_start: int
    suffix_end: int


def fit(tokenizer: Encoder, prefix: str, suffix: str, budget_tokens: int, suffix_tokens_max: int) -> Fitted:
    """Cut both to `budget_tokens` in all, the suffix to `suffix_tokens_max` of them at most.

    The prefix gets what the suffix leaves. Cuts fall at line ends where there are any near, and never
    inside a character.
    """
    suffix_end, suffix_ids = _fit_suffix(tokenizer, suffix, max(0, min(suffix_tokens_max, budget_tokens)))
    prefix_start, prefix_ids = _fit_prefix(tokenizer, prefix, max(0, budget_tokens - len(suffix_ids)))
    return Fitted(tuple(prefix_ids), tuple(suffix_ids), prefix_start, suffix_end)


def room_tokens(context_tokens: int, max_new_tokens: int, overhead_tokens: int) -> tuple[int, int]:
    """(tokens for the user's text, tokens for the answer): together with the overhead they fill the
    context, and the answer never gets more than half of it.
    """
    answer = min(max_new_tokens, context_tokens // 2)
    return max(0, context_tokens - answer - overhead_tokens), answer


def _fit_suffix(tokenizer: Encoder, suffix: str, budget: int) -> tuple[int, list[int]]:
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


def _fit_prefix(tokenizer: Encoder, prefix: str, budget: int) -> tuple[int, list[int]]:
    if len(prefix) <= budget * WINDOW_CHARS_PER_TOKEN:
        ids = tokenizer.encode(prefix)
        if len(ids) <= budget:
            return 0, ids
    grid = max(1, 1 << max(0, (budget // 2).bit_length() - 1))
    window = max(0, len(prefix) - budget * WINDOW_CHARS_PER_TOKEN) // grid * grid
    starts = tokenizer.starts(prefix[window:])
    while True:
        edges = _edges(prefix, window, grid)
        start, ids = _first_that_fits(tokenizer, prefix, edges, window, starts, budget)
        if grid == 1 or len(ids) >= budget * LEAST_USED_SHARE:
            return start, ids
        grid //= 2


def _first_that_fits(
    tokenizer: Encoder, prefix: str, edges: Sequence[int], window: int, starts: Sequence[int], budget: int
) -> tuple[int, list[int]]:
    """The leftmost edge whose text is within `budget`. `starts` (the window's tokens) tells about where."""
    for edge in edges:
        if len(starts) - bisect_left(starts, edge - window) > budget:
            continue
        ids = tokenizer.encode(prefix[edge:])
        if len(ids) <= budget:
            return edge, ids
    return len(prefix), []


def _edges(prefix: str, window: int, grid: int) -> list[int]:
    """Where the prefix may begin: at the first line start in each grid cell, or at the cell's own start.

    They depend on the text left of them alone, so typing at the end adds edges and moves none.
    """
    edges = []
    for cell in range(window, len(prefix), grid):
        line_end = prefix.find("\n", max(0, cell - 1), cell + grid - 1)
        at_text_start = cell == 0 or line_end < 0
        edges.append(cell if at_text_start else line_end + 1)
    return edges
