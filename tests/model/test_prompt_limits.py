"""Whatever the text and however little room: a prompt with its markers, and room left for the answer."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from midfill.model.api import FimRequest, Snippet
from midfill.model.prompting import CPU_SUFFIX_TOKENS
from tests.model.test_fim_prompts import ROWS, tokenizer_of
from tests.model.test_surroundings import nothing, prompts_of
from tests.unit.test_budget import CODE_LIKE

LONG = {"<long line>": "x" * 30_000, "<no ASCII>": "日本😀" * 3000, "<line ends>": "\n" * 5000}
"""By names: hypothesis prints what it tries."""
ANY_TEXT = st.one_of(CODE_LIKE, st.sampled_from(list(LONG)))
BIG = "value = [1, 2, 3]\n" * 280_000
"""Five megabytes."""


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["qwen2.5-coder", "codellama", "codestral", "mellum"]),
    st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=3),
    st.lists(ANY_TEXT, max_size=2),
    st.sampled_from([8, 20, 64, 500, 2048]),
    st.sampled_from([1.0, 1e6]),
)
@example("mellum", [("\U00040000", "")], [], 20, 1.0)  # its first byte is no token of the stand-in's
def test_any_text_in_any_room_makes_a_prompt_that_leaves_room_for_the_answer(
    row: str, places: list[tuple[str, str]], files: list[str], context_tokens: int, per_s: float
) -> None:
    prompts, tokenizer = prompts_of(row, context_tokens), tokenizer_of(row)
    prompts.prefill_per_s = per_s
    markers = [tokenizer.marker_id(marker) for marker in ROWS[row].markers]
    snippets = tuple(Snippet(f"{i}.py", LONG.get(text, text)) for i, text in enumerate(files))
    for before, after in places:
        prefix, suffix = LONG.get(before, before), LONG.get(after, after)
        request = FimRequest(prefix, suffix, snippets=snippets, max_new_tokens=16)
        for asked in (request, replace(request, prefill_only=True), replace(request, prefix=prefix + "x")):
            prompt = prompts.make(asked, nothing).ids
            assert len(prompt) <= context_tokens - min(16, context_tokens // 2)
            assert [i for i in prompt if i in markers] == markers
            cut = prompts._cuts[0].fitted
            assert asked.prefix.endswith(cut.prefix)
            # Some vocabularies lack bytes that no character in use begins with.
            whole = tokenizer.decode(tokenizer.encode(cut.prefix))
            assert tokenizer.decode(cut.prefix_ids).count("\ufffd") == whole.count("\ufffd")


@pytest.mark.parametrize("context_tokens", [8, 2048])
@pytest.mark.parametrize("unit", [BIG, BIG.replace("\n", " ")], ids=["lines", "one-line"])
def test_five_megabytes_on_all_sides_are_fitted(unit: str, context_tokens: int) -> None:
    prompts = prompts_of("qwen2.5-coder", context_tokens)
    request = FimRequest(unit, unit, max_new_tokens=16)
    lengths = [len(prompts.make(replace(request, prefix=unit + "x" * i), nothing).ids) for i in range(3)]
    assert max(lengths) <= context_tokens - min(16, context_tokens // 2)
    assert max(lengths) - min(lengths) <= 2


def test_what_belongs_to_no_cursor_shows_more_of_the_suffix_than_a_key_may_cost() -> None:
    prompts, tokenizer = prompts_of("qwen2.5-coder", 2048), tokenizer_of("qwen2.5-coder")
    body = "".join(f"    a{i} = {i}\n" for i in range(90)) + "    return the_end\n"
    assert CPU_SUFFIX_TOKENS < len(tokenizer.encode(body)) < 1000
    request = FimRequest("def f():\n", body, max_new_tokens=16)
    assert body not in tokenizer.decode(prompts.make(request, nothing).ids)
    assert body in tokenizer.decode(prompts.apart(replace(request, apart=True)).ids)
    long = replace(request, prefix=BIG, suffix=BIG, apart=True)
    assert len(prompts.apart(long).ids) <= 2048 - 16
