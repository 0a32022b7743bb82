"""An action's infilling: completions and chats come between its tokens, and neither notices the other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.model.api import ChatRequest, FimRequest, Finish
from tests.model.backends import QUESTION, REQUEST, loaded, text

APART = replace(REQUEST, prefix=REQUEST.prefix + '\n    """ ', apart=True, max_new_tokens=12)


@pytest.mark.parametrize("other", [REQUEST, QUESTION])
def test_what_comes_between_changes_nothing(
    save_model: Callable[..., Path], other: FimRequest | ChatRequest
) -> None:
    backend, _ = loaded(save_model())
    alone, others = text([*backend.stream(APART)]), text([*backend.stream(other)])
    assert alone
    backend.close()
    backend, _ = loaded(save_model())
    stream = backend.stream(APART)
    events = [next(stream), next(stream), next(stream)]
    assert text([*backend.stream(other)]) == others
    assert text([*events, *stream]) == alone


def test_it_leaves_the_documents_prompt_and_cache_as_they_were(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    list(backend.stream(REQUEST))
    before = backend.fim_prompt(REQUEST).ids
    *_, first = backend.stream(APART)
    *_, again = backend.stream(APART)
    assert isinstance(first, Finish)
    assert isinstance(again, Finish)
    assert (first.usage.reused_tokens, again.usage.reused_tokens > 0) == (0, True)
    assert backend.fim_prompt(REQUEST).ids == before
    *_, finish = backend.stream(REQUEST)
    assert isinstance(finish, Finish)
    assert finish.usage.reused_tokens >= len(before) - 1
