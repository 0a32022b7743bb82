"""The same cut again: where the left edge stays, where it moves, which suffix is kept."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.model.budget import SPARE_SHARE, Fitted, fit
from midfill.model.dialects import QWEN
from midfill.model.steady import HEAD_TOKENS, fit_again
from midfill.model.tokens import CodeTokenizer
from tests.model.evaluation_data import shared_rows, shared_tokenizer
from tests.unit.test_budget import CODE_LIKE

BUDGET, SUFFIX_MAX = 400, 100


@pytest.fixture(scope="module")
def qwen() -> CodeTokenizer:
    return CodeTokenizer(shared_tokenizer("qwen2.5-coder"), QWEN.markers)


@pytest.fixture(scope="module")
def code() -> str:
    return "\n".join(row["prompt"] + row["canonical_solution"] for row in shared_rows("HumanEval"))


class Place:
    """One place in a document, fitted key after key."""

    def __init__(self, tokenizer: CodeTokenizer, freeze: bool = False, budget: int = BUDGET) -> None:
        self._tokenizer, self._freeze, self._budget = tokenizer, freeze, budget
        self.fitted: Fitted | None = None

    def at(self, prefix: str, suffix: str = "") -> Fitted:
        again = self.fitted and fit_again(
            self._tokenizer,
            self.fitted,
            prefix,
            suffix,
            self._budget,
            SUFFIX_MAX,
            freeze_suffix=self._freeze,
        )
        self.fitted = again or fit(self._tokenizer, prefix, suffix, self._budget, SUFFIX_MAX)
        return self.fitted


# The left edge.


@settings(max_examples=8, deadline=None)
@given(st.integers(4000, 40_000), st.integers(120, 900))
def test_two_thousand_typed_characters_move_the_edge_a_few_times(
    qwen: CodeTokenizer, code: str, at: int, budget: int
) -> None:
    place, typed = Place(qwen, budget=budget), code[at : at + 2000]
    fits = [place.at(code[: at + i]) for i in range(0, 2001, 7)]
    moves = [b for a, b in pairwise(fits) if a.prefix_start != b.prefix_start]
    assert len(moves) <= math.ceil(len(qwen.encode(typed)) / int(budget * SPARE_SHARE))
    assert all(len(f.prefix_ids) <= budget for f in fits)
    assert all(f.prefix == code[f.prefix_start : at + 7 * i] for i, f in enumerate(fits))
    assert all(code[f.prefix_start - 1] == "\n" for f in moves)


def test_deleting_and_going_up_a_little_leaves_the_edge(qwen: CodeTokenizer, code: str) -> None:
    place = Place(qwen)
    start = place.at(code[:9000]).prefix_start
    assert start > 0
    assert [place.at(code[: 9000 - back]).prefix_start for back in (1, 40, 300)] == [start] * 3


def test_jumping_elsewhere_cuts_anew(qwen: CodeTokenizer, code: str) -> None:
    for elsewhere in (20_000, 9000 - 800, 3000):
        place = Place(qwen)
        start = place.at(code[:9000]).prefix_start
        jumped = place.at(code[:elsewhere])
        assert jumped.prefix_start != start
        assert jumped == fit(qwen, code[:elsewhere], "", BUDGET, SUFFIX_MAX)


def test_text_that_moved_is_found_again(qwen: CodeTokenizer, code: str) -> None:
    place = Place(qwen)
    first = place.at(code[:9000])
    above = place.at("import re\n" + code[:9000])
    assert (above.prefix_ids, above.prefix_start) == (first.prefix_ids, first.prefix_start + 10)
    shorter = place.at(code[3000:9001])  # the server sends less of what is far above
    assert (shorter.prefix, shorter.prefix_start) == (first.prefix + code[9000], first.prefix_start - 3000)


def test_another_text_at_the_same_place_is_cut_anew(qwen: CodeTokenizer, code: str) -> None:
    place = Place(qwen)
    place.at(code[:9000])
    other = code[500:9500]
    assert place.at(other) == fit(qwen, other, "", BUDGET, SUFFIX_MAX)


@settings(max_examples=60, deadline=None)
@given(CODE_LIKE, CODE_LIKE, CODE_LIKE, st.integers(0, 300), st.booleans())
def test_whatever_is_edited_the_cut_is_within_budget_and_ends_at_the_cursor(
    qwen: CodeTokenizer, before: str, after: str, suffix: str, budget: int, freeze: bool
) -> None:
    place = Place(qwen, freeze, budget)
    for prefix, rest in (
        (before, suffix),
        (before + after, suffix),
        (after, before),
        (before[:-3], suffix),
    ):
        fitted = place.at(prefix, rest)
        assert prefix.endswith(fitted.prefix)
        assert fitted.prefix == prefix[fitted.prefix_start :]
        assert len(fitted.prefix_ids) + len(fitted.suffix_ids) <= budget
        assert list(fitted.prefix_ids) == qwen.encode(fitted.prefix)
        assert list(fitted.suffix_ids) == qwen.encode_continuation(fitted.suffix)
        fresh = fit(qwen, prefix, rest, budget, SUFFIX_MAX)
        head = fitted.suffix_ids[:HEAD_TOKENS]
        assert rest.startswith(fitted.suffix) or head == fresh.suffix_ids[:HEAD_TOKENS]


# The suffix, as pictures: what stands behind the cursor (‸) at one key and at the next.

BELOW = """‸)
    return total


def spread(values):
    low, high = min(values), max(values)
    return high - low


def mean(values):
    return sum(values) / len(values)


def main():
    print(spread([1, 2]))
"""
FAR_EDIT = BELOW.replace("print(spread([1, 2]))", "print(mean([1, 2]))")
NEAR_EDIT = BELOW.replace("return total", "return totals")
MANY_EDITS = BELOW.replace("values", "numbers")
NEXT_LINE = BELOW.replace("‸)\n    return", "‸    return")
TYPED_OVER = BELOW.replace("‸)", "‸")
CUT_OFF = BELOW[: BELOW.index("def main")]
APPENDED = BELOW + "\n\nmain()\n" * 5


@pytest.mark.parametrize(
    ("then", "freeze", "kept"),
    [
        (BELOW, True, "the old"),
        (FAR_EDIT, True, "the old"),
        (FAR_EDIT, False, "the new"),
        (NEAR_EDIT, True, "the new"),
        (MANY_EDITS, True, "the new"),
        (NEXT_LINE, True, "the new"),
        (TYPED_OVER, True, "the new"),
        (APPENDED, True, "the new"),
        (CUT_OFF, True, "the new"),
        ("‸", True, "the new"),
    ],
    ids=[
        "same",
        "far",
        "far-psm",
        "near",
        "many",
        "next-line",
        "typed-over",
        "appended",
        "cut-off",
        "gone",
    ],
)
def test_a_suffix_that_is_nearly_true_is_kept(
    qwen: CodeTokenizer, then: str, freeze: bool, kept: str
) -> None:
    place = Place(qwen, freeze)
    old, new = BELOW.removeprefix("‸"), then.removeprefix("‸")
    assert place.at("total = sum(values", old).suffix == old
    assert place.at("total = sum(values[", new).suffix == (old if kept == "the old" else new)


@pytest.mark.parametrize("freeze", [True, False])
def test_a_cut_suffix_ends_where_it_did_when_the_room_changes_a_little(
    qwen: CodeTokenizer, code: str, freeze: bool
) -> None:
    first = fit(qwen, "x", code, BUDGET, 100)
    for most in (100, 103, 140):
        again = fit_again(qwen, first, "xy", code, BUDGET, most, freeze_suffix=freeze)
        assert again is not None
        assert again.suffix_ids == first.suffix_ids
    less = fit_again(qwen, first, "xy", code, BUDGET, 50, freeze_suffix=freeze)
    assert less is not None
    assert len(less.suffix_ids) <= 50
