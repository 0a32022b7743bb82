"""Which KV cache a prompt gets: going from file to file and back costs no prefill, within a budget."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from midfill.model.api import FimRequest, Finish, Scope, StopRules
from midfill.model.backends.hf import device
from midfill.model.backends.hf.device import KV_BYTES, KV_SHARE
from midfill.model.backends.hf.documents import CACHES_EACH, SMALL_LOSS_TOKENS, Document, Documents
from tests.model.backends import CONFIG, loaded, text
from tests.model.looping import random_ids

BYTES_A_TOKEN = 10


class FakePast:
    """Keys and values that are only counted."""

    def __init__(self) -> None:
        self.length = 0

    def get_seq_length(self) -> int:
        return self.length

    def rewind(self, length: int) -> None:
        self.length = min(self.length, length)

    def memory_bytes(self) -> int:
        return self.length * BYTES_A_TOKEN


def documents(budget_tokens: int = 10_000) -> Documents:
    return Documents(FakePast, budget_tokens * BYTES_A_TOKEN)


def use(kept: Documents, prompt: list[int], path: str) -> Document:
    """As the loop does: take the cache, rewind it to what it shares, compute the rest."""
    document = kept.take(prompt, path)
    document.cache.reuse(prompt)
    document.cache.tokens += prompt[len(document.cache.tokens) :]
    past: Any = document.cache.past
    past.length = len(prompt)
    return document


A, B, C = (random_ids(1000, seed) for seed in (1, 2, 3))


def test_going_back_to_a_document_finds_all_of_its_prompt() -> None:
    kept = documents()
    first = use(kept, A, "a.py")
    use(kept, B, "b.py")
    assert (kept.held(A), kept.held(B)) == (1000, 1000)
    assert use(kept, [*A, 7], "a.py") is first


def test_a_document_that_is_renamed_keeps_its_cache() -> None:
    kept = documents()
    first = use(kept, A, "untitled:1")
    assert use(kept, [*A[:900], *B[:50]], "a.py") is first
    assert first.path == "a.py"


def test_of_two_that_share_as_much_the_one_of_the_same_path_is_taken() -> None:
    kept = documents()
    shared = A[:600]
    for path, rest in (("a.py", B), ("b.py", C)):
        kept._kept.append(Document(documents().take(shared, path).cache, path))
        kept._kept[-1].cache.tokens = [*shared, *rest[:100]]
    for path in ("a.py", "b.py"):
        assert kept.take([*shared, 5], path).path == path
        assert kept._kept[0].cache.tokens[600] == (B if path == "a.py" else C)[0]


def test_little_is_computed_again_rather_than_kept_twice() -> None:
    kept = documents()
    small = A[:10]
    first = use(kept, [*small, *B[:SMALL_LOSS_TOKENS]], "a.py")
    assert use(kept, [*small, 7, *B[:SMALL_LOSS_TOKENS]], "a.py") is first
    assert use(kept, C, "b.py") is not first


def test_a_jump_in_a_long_document_leaves_the_old_place_for_a_way_back() -> None:
    kept = documents()
    use(kept, A, "a.py")
    use(kept, B, "a.py")
    assert (kept.held(A), kept.held(B)) == (1000, 1000)
    use(kept, C, "a.py")
    assert len(kept._kept) == CACHES_EACH
    assert (kept.held(A), kept.held(B), kept.held(C)) == (0, 1000, 1000)


def test_the_longest_unused_goes_first_when_memory_is_short() -> None:
    kept = documents(budget_tokens=2500)
    use(kept, A, "a.py")
    use(kept, B, "b.py")
    use(kept, A, "a.py")
    use(kept, C, "c.py")
    assert (kept.held(A), kept.held(B), kept.held(C)) == (1000, 0, 1000)
    assert sum(document.cache.memory_bytes() for document in kept._kept) <= 2500 * BYTES_A_TOKEN


def test_one_document_is_kept_however_large() -> None:
    kept = documents(budget_tokens=10)
    use(kept, A, "a.py")
    assert kept.held(A) == 1000
    use(kept, B, "b.py")
    assert (kept.held(A), kept.held(B)) == (0, 1000)


def test_dropping_gives_everything_back() -> None:
    kept = documents()
    first = use(kept, A, "a.py")
    kept.drop()
    assert (kept.held(A), first.cache.memory_bytes()) == (0, 0)


@pytest.mark.parametrize("texts", [("x = 1\n" * 40, "y = 2\n" * 40)])
def test_switching_between_two_files_reuses_both_prompts(
    save_model: Callable[..., Path], texts: tuple[str, str]
) -> None:
    backend, _ = loaded(save_model())
    reused = []
    for content, path in [*zip(texts, "ab", strict=True)] * 3:
        request = FimRequest(content, "\n", path=path, max_new_tokens=4, stop=StopRules(Scope.BLOCK))
        finish = list(backend.stream(request))[-1]
        assert isinstance(finish, Finish)
        reused.append(finish.usage.prompt_tokens - finish.usage.reused_tokens)
    assert reused[2:] == [1, 1, 1, 1]
    assert min(reused[:2]) > 40


@pytest.mark.parametrize(
    ("free", "budget"), [(64 * 2**30, KV_BYTES), (2**30, int(2**30 * KV_SHARE)), (0, 0)]
)
def test_all_documents_together_take_a_share_of_what_is_free_and_never_much(
    monkeypatch: pytest.MonkeyPatch, free: int, budget: int
) -> None:
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: Mock(available=free))
    assert device.choose_kv_bytes(torch.device("cpu")) == budget


@pytest.mark.parametrize("speculation", ["auto", "off"])
def test_what_was_suggested_before_is_guessed_at_again(
    save_model: Callable[..., Path], speculation: str
) -> None:
    backend, _ = loaded(save_model(), config=replace(CONFIG, speculation=speculation))
    if backend._speculation:
        backend._speculation.costs = (1.0,) * 8  # as where a pass costs the same whatever is in it
    request = FimRequest("def f(a):\n    return ", "\n", max_new_tokens=24, stop=StopRules(Scope.BLOCK))
    prefilled = replace(request, prefill_only=True)  # which the last suggestion outlives
    first, _, again = (list(backend.stream(asked)) for asked in (request, prefilled, request))
    assert text(again) == text(first) != ""
    if speculation == "off":
        assert first[-1].usage.drafted_tokens == again[-1].usage.drafted_tokens == 0
    else:
        assert again[-1].usage.accepted_tokens > first[-1].usage.accepted_tokens
