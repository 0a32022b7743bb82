"""The same cut again: edges of a prompt stay where they were while the text around them allows it.

A prompt whose beginning moves with every key costs the whole KV cache (inference.md §4.1). Pure: says what
of the new text belongs where the old one was. Knows no cache, and remembers nothing: see `prompting.py`.
"""

from collections import Counter
from dataclasses import replace

from midfill.model.budget import WINDOW_CHARS_PER_TOKEN, Encoder, Fitted, fit_suffix

ANCHOR_CHARS = 256
"""A place in a text is known again by so many characters behind it."""
SEARCHED_CHARS = 4096
"""How far typing and pasting may have moved that place before it is looked for no more."""
LEAST_SHARE = 0.5
"""A cursor that went up so far that less than this of the prefix is left gets a new cut."""
HEAD_TOKENS = 16
"""What the model reads right behind the cursor is always true: about two lines."""
STALE_LINES_SHARE = 0.1
"""Further away, so many lines may be old, and always one (Copilot: 10 % of the first 50 tokens)."""


def fit_again(
    tokenizer: Encoder,
    known: Fitted,
    prefix: str,
    suffix: str,
    budget_tokens: int,
    suffix_tokens_max: int,
    *,
    freeze_suffix: bool,
    continued: bool = False,
) -> Fitted | None:
    """`known` for a text that was edited since: its left edge, what stands there now. None where the edge
    is gone, or leaves too much or too little. See `fit` for the budgets.

    `freeze_suffix`: the suffix stands before what is typed, so a new one costs the cache too: a window
    that is a little out of date, and not near the cursor, stays as it was.
    """
    start = _same_place(known, prefix)
    if start is None:
        return None
    suffix_max = max(0, min(suffix_tokens_max, budget_tokens))
    fitted = _suffix_again(tokenizer, known, suffix, suffix_max, freeze_suffix)
    budget = budget_tokens - len(fitted.suffix_ids)
    text = prefix[start:]
    if len(text) > budget * WINDOW_CHARS_PER_TOKEN:
        return None
    ids = tokenizer.encode_continuation(text) if continued else tokenizer.encode(text)
    if len(ids) > budget or (start > 0 and len(ids) < known.cut_tokens * LEAST_SHARE):
        return None
    return replace(fitted, prefix=text, prefix_ids=tuple(ids), prefix_start=start)


def _same_place(known: Fitted, prefix: str) -> int | None:
    """Where in `prefix` the text of `known` begins now."""
    anchor, start = known.prefix[:ANCHOR_CHARS], known.prefix_start
    here = prefix[start : start + len(anchor)]
    if here == anchor or (here and anchor.startswith(here)):
        return start
    if len(anchor) < ANCHOR_CHARS:
        return None
    around = max(0, len(prefix) - len(known.prefix) - SEARCHED_CHARS)
    found = prefix.find(anchor, around)
    return found if found >= 0 else None


def _suffix_again(tokenizer: Encoder, known: Fitted, suffix: str, budget: int, freeze: bool) -> Fitted:
    """`known` with its own suffix where that is still true, or nearly so, else with the new one."""
    fits = 0 < len(known.suffix_ids) <= budget
    as_long = known.suffix_cut == (len(suffix) > len(known.suffix))
    if fits and as_long and suffix.startswith(known.suffix):
        return known
    end, ids = fit_suffix(tokenizer, suffix, budget)
    new = replace(known, suffix=suffix[:end], suffix_ids=tuple(ids), suffix_cut=end < len(suffix))
    return known if fits and freeze and _nearly_equal(known, new) else new


def _nearly_equal(old: Fitted, new: Fitted) -> bool:
    """Whether the suffix of `old` may stand for that of `new`. Lines that an edit above them pushed out of
    the window, or in, are none that changed.
    """
    if old.suffix_ids[:HEAD_TOKENS] != new.suffix_ids[:HEAD_TOKENS]:
        return False
    before, after = Counter(old.suffix.split("\n")), Counter(new.suffix.split("\n"))
    counted = min if old.suffix_cut and new.suffix_cut else max
    changed = counted(before.total(), after.total()) - (before & after).total()
    return changed <= max(1, before.total() * STALE_LINES_SHARE)
