"""Fitting a prompt (evaluation.md P1): within budget, nearest text kept, no character cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.model.budget import fit, room_tokens
from midfill.model.dialects import CODELLAMA_PSM, CODELLAMA_SPM, QWEN, FimDialect, overhead_tokens, render
from midfill.model.tokens import CodeTokenizer
from tests.model.evaluation_data import shared_rows, shared_tokenizer

SLOW_EXAMPLES = 40


@pytest.fixture(scope="module")
def qwen() -> CodeTokenizer:
    return CodeTokenizer(shared_tokenizer("qwen2.5-coder"), QWEN.markers)


@pytest.fixture(scope="module")
def code() -> str:
    return "\n".join(row["prompt"] + row["canonical_solution"] for row in shared_rows("HumanEval"))


CODE_LIKE = st.lists(
    st.one_of(
        st.sampled_from(["def f(x):\n", "    return x\n", "\n", "\t\tif (a) {\n", "<|fim_middle|>"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(["日本語", "é", "😀👩‍👩‍👧", "\u0301", " " * 200, "a" * 300]),
    ),
    max_size=60,
).map("".join)


@settings(max_examples=SLOW_EXAMPLES, deadline=None)
@given(CODE_LIKE, CODE_LIKE, st.integers(0, 600), st.integers(0, 128))
def test_what_is_kept_is_within_budget_and_nearest_the_cursor(
    qwen: CodeTokenizer, prefix: str, suffix: str, budget: int, suffix_max: int
) -> None:
    fitted = fit(qwen, prefix, suffix, budget, suffix_max)
    assert len(fitted.prefix_ids) + len(fitted.suffix_ids) <= budget
    assert len(fitted.suffix_ids) <= suffix_max
    kept_prefix, kept_suffix = prefix[fitted.prefix_start :], suffix[: len(fitted.suffix)]
    assert (fitted.prefix, fitted.suffix) == (kept_prefix, kept_suffix)
    assert fitted.suffix_cut == (kept_suffix != suffix)
    assert list(fitted.prefix_ids) == qwen.encode(kept_prefix)
    assert list(fitted.suffix_ids) == qwen.encode_continuation(kept_suffix)
    assert qwen.decode(fitted.prefix_ids).count("\ufffd") == kept_prefix.count("\ufffd")
    assert qwen.decode(fitted.suffix_ids).count("\ufffd") == kept_suffix.count("\ufffd")


@pytest.mark.parametrize("budget", [64, 100, 257, 1000, 1800])
def test_a_long_file_uses_at_least_half_of_the_budget_from_a_line_start(
    qwen: CodeTokenizer, code: str, budget: int
) -> None:
    at = code.index("\n", len(code) // 2) + 5
    fitted = fit(qwen, code[:at], code[at:], budget, budget // 5)
    assert len(fitted.prefix_ids) + len(fitted.suffix_ids) >= budget * 0.5
    assert code[fitted.prefix_start - 1] == "\n"
    assert budget < 100 or code[at + len(fitted.suffix) - 1] == "\n"


@pytest.mark.parametrize("family", [QWEN, CODELLAMA_PSM, CODELLAMA_SPM], ids=lambda d: d.name)
@pytest.mark.parametrize("budget", [64, 300, 1000])
def test_a_cut_prompt_has_every_marker_once(family: FimDialect, code: str, budget: int) -> None:
    vocabulary = "qwen2.5-coder" if family is QWEN else "codellama-reconstructed"
    tokenizer = CodeTokenizer(shared_tokenizer(vocabulary), family.markers)
    ids = {marker: i for marker in family.markers if (i := tokenizer.marker_id(marker)) is not None}
    fitted = fit(tokenizer, code, code, budget - overhead_tokens(family), budget // 5)
    prompt = render(family, ids, fitted.prefix_ids, fitted.suffix_ids, bos_id=1)
    assert len(prompt) <= budget
    assert [prompt.count(i) for i in ids.values()] == [1, 1, 1]


def test_a_short_file_is_kept_whole_and_the_suffixs_room_goes_to_the_prefix(qwen: CodeTokenizer) -> None:
    fitted = fit(qwen, "a b c " * 30, "x\n", 100, 50)
    assert (fitted.prefix_start, fitted.suffix) == (0, "x\n")
    assert len(fitted.prefix_ids) > 50


class Counting:
    """A tokenizer that says how many characters it was given."""

    def __init__(self, inner: CodeTokenizer) -> None:
        self.inner, self.chars = inner, 0

    def encode(self, text: str) -> list[int]:
        self.chars += len(text)
        return self.inner.encode(text)

    def encode_continuation(self, text: str) -> list[int]:
        self.chars += len(text)
        return self.inner.encode_continuation(text)

    def starts(self, text: str) -> list[int]:
        self.chars += len(text)
        return self.inner.starts(text)


@pytest.mark.parametrize("unit", ["x", "x = 1\n", "日", "\n", " "])
def test_five_megabytes_or_one_huge_line_are_hardly_looked_at(qwen: CodeTokenizer, unit: str) -> None:
    text = unit * (5_000_000 // len(unit))
    counting = Counting(qwen)
    fitted = fit(counting, text, text, 500, 100)
    assert 0 < len(fitted.prefix_ids) + len(fitted.suffix_ids) <= 500
    assert counting.chars < 60_000


def test_the_answer_always_finds_room_in_the_context() -> None:
    assert room_tokens(2048, 64, 3) == (1981, 64)
    assert room_tokens(2048, 5000, 3) == (1021, 1024)
    assert room_tokens(4, 64, 3) == (0, 2)


def test_no_budget_keeps_nothing(qwen: CodeTokenizer) -> None:
    fitted = fit(qwen, "abc", "def", 0, 10)
    assert (fitted.prefix_ids, fitted.suffix_ids) == ((), ())
