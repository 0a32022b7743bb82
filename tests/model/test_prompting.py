"""What typing costs: how much of a prompt is computed again at each key, on a tiny model with a genuine
vocabulary. What a cut keeps is in tests/unit/test_steady.py."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from midfill.model.api import FimRequest, Finish, Usage
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.config import ModelConfig
from midfill.model.prompting import CPU_SUFFIX_TOKENS, MIN_COLD_TOKENS
from tests.model.backends import loaded
from tests.model.evaluation_data import shared_rows
from tests.model.tiny import make_model
from tests.model.vocabularies import code_tokenizer

CONTEXT_TOKENS = 2048
SEAM_TOKENS = 32
"""What a key may change at the end of the prefix, and the markers."""
FEW_TOKENS = 8
"""The same where nothing stands behind the prefix: the word that grows, and its neighbour."""
LINE = "    average = sum(values) / max(1, len(values))"[:40]
QUICK, SLOW = 1e6, 1.0
"""Tokens a second: a machine that prefills anything while somebody waits, and one that does not."""


@pytest.fixture(scope="module")
def code() -> str:
    return "\n".join(row["prompt"] + row["canonical_solution"] for row in shared_rows("HumanEval"))


@pytest.fixture
def backend_of(save_model: Callable[..., Path]) -> Callable[..., TransformersBackend]:
    """Makes a tiny model's backend with a family's vocabulary, on a machine as quick as asked."""

    def make(name: str, vocabulary: str, prefill_per_s: float = QUICK) -> TransformersBackend:
        words = code_tokenizer(vocabulary)
        model = make_model("llama")
        model.resize_token_embeddings(words.size, mean_resizing=False)
        model.config.max_position_embeddings = CONTEXT_TOKENS
        config = ModelConfig(device="cpu", dtype="float32", threads=1)
        backend, info = loaded(save_model(model, words._tokenizer, name), name, config)
        assert info.context_tokens == CONTEXT_TOKENS
        backend._ready()[2].prefill_per_s = prefill_per_s
        return backend

    return make


def usage(backend: TransformersBackend, request: FimRequest) -> Usage:
    finish = list(backend.stream(request))[-1]
    assert isinstance(finish, Finish)
    return finish.usage


def typing(code: str, chars_before: int) -> Iterator[FimRequest]:
    """Forty characters typed on one line, in a file of about `chars_before` characters before it."""
    at = code.index("\n", chars_before) + 1
    for typed in range(len(LINE) + 1):
        yield FimRequest(code[:at] + LINE[:typed], "\n" + code[at:], path="a.py", max_new_tokens=3)


def anew(used: Usage) -> int:
    return used.prompt_tokens - used.reused_tokens


@pytest.mark.parametrize("chars", [5000, 30_000])
def test_with_psm_a_key_costs_the_suffix_and_the_seam(
    backend_of: Callable[..., TransformersBackend], code: str, chars: int
) -> None:
    backend = backend_of("qwen2.5-coder-tiny", "qwen2.5-coder")
    used = [usage(backend, request) for request in typing(code, chars)]
    assert all(1300 < u.prompt_tokens < CONTEXT_TOKENS for u in used)
    assert [anew(u) for u in used[1:] if anew(u) > CPU_SUFFIX_TOKENS + SEAM_TOKENS] == []


@pytest.mark.parametrize(
    ("name", "vocabulary"),
    [
        ("CodeLlama-7b-hf", "codellama-reconstructed"),
        ("Codestral-22B-v0.1", "codestral"),
        ("qwen2.5-0.5b", "qwen2.5-coder"),  # does not fill: left to right
    ],
)
def test_where_the_prompt_grows_at_its_end_a_key_costs_a_few_tokens(
    backend_of: Callable[..., TransformersBackend], code: str, name: str, vocabulary: str
) -> None:
    backend = backend_of(name, vocabulary)
    used = [usage(backend, request) for request in typing(code, 30_000)]
    assert all(u.prompt_tokens > 1300 for u in used)
    assert [anew(u) for u in used[1:] if anew(u) > FEW_TOKENS] == []


def test_an_edit_far_below_costs_nothing_where_the_suffix_stands_first(
    backend_of: Callable[..., TransformersBackend], code: str
) -> None:
    backend = backend_of("CodeLlama-7b-hf", "codellama-reconstructed")
    first = FimRequest(code[:9000], code[9000:], max_new_tokens=3)
    window = backend._ready()[2]._cuts[0].fitted.suffix if usage(backend, first) else ""
    at = 9000 + window.rindex("\n", 0, -1) - 1
    edited = replace(first, suffix=code[9000:at] + "!" + code[at + 1 :])
    assert edited.suffix != first.suffix
    assert anew(usage(backend, edited)) <= FEW_TOKENS


def test_another_length_of_answer_leaves_the_cut(
    backend_of: Callable[..., TransformersBackend], code: str
) -> None:
    backend = backend_of("CodeLlama-7b-hf", "codellama-reconstructed")
    first = FimRequest(code[:9000], code[9000:], max_new_tokens=3)
    usage(backend, first)
    assert anew(usage(backend, replace(first, max_new_tokens=40))) <= FEW_TOKENS


# A slow machine.


def test_a_shortened_prompt_stays_short_while_somebody_types(
    backend_of: Callable[..., TransformersBackend], code: str
) -> None:
    backend = backend_of("qwen2.5-coder-tiny", "qwen2.5-coder", SLOW)
    used = [usage(backend, request) for request in typing(code, 30_000)]
    assert anew(used[0]) <= MIN_COLD_TOKENS + SEAM_TOKENS
    assert [anew(u) for u in used[1:] if anew(u) > CPU_SUFFIX_TOKENS + SEAM_TOKENS] == []
    lengths = [u.prompt_tokens for u in used]
    assert max(b - a for a, b in pairwise(lengths)) <= SEAM_TOKENS


def test_a_rest_widens_a_shortened_prompt_and_typing_keeps_it_wide(
    backend_of: Callable[..., TransformersBackend], code: str
) -> None:
    backend = backend_of("qwen2.5-coder-tiny", "qwen2.5-coder", SLOW)
    keys = list(typing(code, 30_000))
    short = [usage(backend, request) for request in keys[:10]]
    usage(backend, replace(keys[9], prefill_only=True))
    wide = [usage(backend, request) for request in keys[9:]]
    assert max(u.prompt_tokens for u in short) < 400
    assert min(u.prompt_tokens for u in wide) > 1300
    assert anew(wide[0]) == 1
    assert [anew(u) for u in wide if anew(u) > CPU_SUFFIX_TOKENS + SEAM_TOKENS] == []


def test_after_a_rest_that_was_cut_short_nobody_waits_for_the_wide_prompt(
    backend_of: Callable[..., TransformersBackend], code: str
) -> None:
    backend = backend_of("qwen2.5-coder-tiny", "qwen2.5-coder", SLOW)
    keys = list(typing(code, 30_000))
    for request in keys[:10]:
        usage(backend, request)
    ahead = backend.stream(replace(keys[9], prefill_only=True))
    next(ahead)
    ahead.close()
    after = [usage(backend, request) for request in keys[10:]]
    assert max(u.prompt_tokens for u in after) < 400
    assert anew(after[0]) <= MIN_COLD_TOKENS + SEAM_TOKENS
    assert [anew(u) for u in after[1:] if anew(u) > CPU_SUFFIX_TOKENS + SEAM_TOKENS] == []


def test_a_file_beside_it_leaves_a_documents_cut_alone(
    backend_of: Callable[..., TransformersBackend], code: str
) -> None:
    backend = backend_of("qwen2.5-coder-tiny", "qwen2.5-coder")
    here = FimRequest(code[:9000], code[9000:], path="here.py")
    there = FimRequest(code[20_000:31_000], "", path="there.py")
    first = backend.fim_prompt(here).ids
    elsewhere = backend.fim_prompt(there).ids
    typed = backend.fim_prompt(replace(here, prefix=here.prefix + "x")).ids
    assert typed[:1000] == first[:1000] != elsewhere[:1000]
