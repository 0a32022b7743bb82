"""Chats that are under way at once: whose KV cache each gets, and that nobody notices the others."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from midfill.model.api import ChatMessage, ChatRequest, Finish, FinishReason, Lane
from midfill.model.backends.base import most_chats_of
from midfill.model.backends.filtered import FilteredBackend
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.hf.conversations import (
    CONVERSATION_TOKENS,
    MOST_CHATS,
    Conversations,
    most_chats,
)
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.lean.past import GrowingLayer
from midfill.model.backends.pair import PairBackend
from midfill.model.cancel import CancelReason, CancelToken
from midfill.model.errors import GenerationError
from midfill.model.worker import Worker
from tests.model.backends import CONFIG, REQUEST, as_local, ignore, loaded, text
from tests.model.looping import assert_in_step, expected, in_turns, job, make_loop, random_ids, tokens
from tests.model.tiny import make_model
from tests.unit.fakes import TIMEOUT_S, Inbox, Loaded

HEAD = random_ids(40, 9)
SHORT = 12


@pytest.fixture(scope="module")
def lean() -> Any:
    return make_model("lean-qwen2")


def conversations(lean: Any, most: int = MOST_CHATS) -> tuple[Conversations, list[TokenCache]]:
    made: list[TokenCache] = []
    chats = Conversations(lean.make_past)
    chats.most = most
    take = chats._take

    def seen(prompt: Any) -> TokenCache:
        made.append(take(prompt))
        return made[-1]

    chats._take = seen  # type: ignore[method-assign]
    return chats, made


def test_what_questions_begin_with_is_computed_once(lean: Any) -> None:
    (chats, caches), loop = conversations(lean), make_loop(lean, 64)
    prompts = [HEAD + random_ids(6, seed) for seed in range(3)]
    found = in_turns([chats.stream(loop, job(prompt, new=SHORT)) for prompt in prompts])
    assert [tokens(events) for events in found] == [expected(lean, p, SHORT) for p in prompts]
    reused = [events[-1].usage.reused_tokens for events in found if isinstance(events[-1], Finish)]
    assert reused == [0, len(HEAD), len(HEAD)]
    assert len({id(cache) for cache in caches}) == 3
    for cache in caches:
        assert_in_step(lean, cache)


def test_a_chat_goes_on_where_it_was_and_makes_no_cache(lean: Any) -> None:
    (chats, caches), loop = conversations(lean), make_loop(lean, 64)
    first = list(chats.stream(loop, job(HEAD, new=SHORT)))
    longer = [*HEAD, *tokens(first), *random_ids(5, 2)]
    again = list(chats.stream(loop, job(longer, new=SHORT)))
    assert tokens(again) == expected(lean, longer, SHORT)
    assert caches[0] is caches[1]
    assert isinstance(again[-1], Finish)
    assert again[-1].usage.reused_tokens == len(HEAD) + SHORT - 1  # its last token was never fed


def test_a_free_cache_that_shares_less_becomes_a_copy_when_there_may_be_no_more(lean: Any) -> None:
    (chats, caches), loop = conversations(lean, most=2), make_loop(lean, 64)
    other = random_ids(20, 5)
    streams = [chats.stream(loop, job(prompt, new=SHORT)) for prompt in (HEAD, other)]
    next(streams[0])
    list(streams[1])
    last = HEAD[:30] + random_ids(3, 6)
    found = in_turns([streams[0], chats.stream(loop, job(last, new=SHORT))])
    assert caches[2] is caches[1]
    assert tokens(found[1]) == expected(lean, last, SHORT)
    assert tokens(found[0]) == expected(lean, HEAD, SHORT)[1:]


def test_of_two_free_caches_the_one_that_shares_more_is_left(lean: Any) -> None:
    (chats, caches), loop = conversations(lean, most=3), make_loop(lean, 64)
    prompts = [HEAD, HEAD[:9] + random_ids(9, 5), random_ids(20, 6)]
    streams = [chats.stream(loop, job(prompt, new=SHORT)) for prompt in prompts]
    for stream in streams:
        next(stream)
    list(streams[1])
    list(streams[2])
    last = HEAD[:30] + random_ids(3, 7)
    assert tokens(list(chats.stream(loop, job(last, new=SHORT)))) == expected(lean, last, SHORT)
    assert caches[3] is caches[2]


def test_one_chat_more_than_there_may_be_ends_another(lean: Any) -> None:
    (chats, caches), loop = conversations(lean, most=1), make_loop(lean, 64)
    first, second = (chats.stream(loop, job(prompt, new=SHORT)) for prompt in (HEAD, HEAD[:20]))
    next(first)
    assert tokens(list(second)) == expected(lean, HEAD[:20], SHORT)
    assert caches[0] is caches[1]
    with pytest.raises(Exception, match="taken this one's cache over"):
        next(first)


def test_a_cache_that_was_taken_over_is_free_when_both_have_ended(lean: Any) -> None:
    (chats, caches), loop = conversations(lean, most=1), make_loop(lean, 64)
    first, second = (chats.stream(loop, job(prompt, new=SHORT)) for prompt in (HEAD, HEAD[:20]))
    next(first)
    begun = [next(second)]
    with pytest.raises(GenerationError):
        next(first)
    assert not chats._free
    assert tokens([*begun, *second]) == expected(lean, HEAD[:20], SHORT)
    assert chats._free == [caches[0]]


def test_where_no_memory_is_left_for_a_copy_the_prompt_is_computed(
    lean: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (chats, caches), loop = conversations(lean), make_loop(lean, 64)
    streams = [chats.stream(loop, job(HEAD, new=SHORT))]
    next(streams[0])
    monkeypatch.setattr(GrowingLayer, "take_from", Mock(side_effect=MemoryError))
    second = list(chats.stream(loop, job(HEAD[:30], new=SHORT)))
    assert tokens(second) == expected(lean, HEAD[:30], SHORT)
    assert isinstance(second[-1], Finish)
    assert second[-1].usage.reused_tokens == 0
    monkeypatch.setattr(GrowingLayer, "take_from", Mock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        next(chats.stream(loop, job([*HEAD, 1], new=SHORT)))
    assert_in_step(lean, caches[1])


def test_as_many_chats_as_their_keys_and_values_have_memory_for(lean: Any, qwen2: Any) -> None:
    each = CONVERSATION_TOKENS * lean.kv_bytes_per_token
    budgets = (0, each, 3 * each - 1, 3 * each, 99 * each)
    assert [most_chats(lean, 9999, budget) for budget in budgets] == [1, 1, 2, 3, MOST_CHATS]
    assert most_chats(lean, CONVERSATION_TOKENS // 2, 2 * each) == 4
    assert most_chats(qwen2, 9999, 99 * each) == 1  # transformers' pass is for one
    past = lean.make_past()
    past.layers[0].extend(1, lean.model.shape.kv_heads, lean.model.shape.head_dim)
    held = past.layers[0]
    per_token = past.memory_bytes() // held.keys.shape[2] * len(past.layers)
    assert lean.kv_bytes_per_token == per_token


QUESTIONS = [
    ChatRequest((ChatMessage("user", f"def f(a, b):\n    return a {sign} b\n\nWhat is {sign}?"),), 24)
    for sign in ("+", "-", "*")
]


def test_a_worker_answers_three_questions_at_once_as_it_answers_each_alone(
    save_model: Callable[..., Path],
) -> None:
    backend, _ = loaded(save_model())
    assert backend.most_chats == MOST_CHATS == most_chats_of(backend)
    alone = [text(list(backend.stream(each))) for each in QUESTIONS]
    assert len({*alone}) > 1
    hole = text(list(backend.stream(REQUEST)))
    backend._chat.drop()
    backend._documents.drop()
    start = Loaded(Worker(lambda: backend))
    backend.load = lambda report: None  # it is loaded
    start.load()
    start.wait()
    chats = [Inbox() for _ in QUESTIONS]
    for request, inbox in zip(QUESTIONS, chats, strict=True):
        start.worker.submit(request, CancelToken(), inbox.deliver, Lane.CHAT)
    fim = Inbox()
    start.worker.submit(REQUEST, CancelToken(), fim.deliver, Lane.FIM)
    assert [inbox.wait().reason for inbox in (*chats, fim)].count(FinishReason.ERROR) == 0
    assert [inbox.text for inbox in chats] == alone
    assert fim.text == hole
    assert len(backend._chat._free) == 1  # the others' memory was given back
    assert start.worker.close(TIMEOUT_S)


def test_one_that_is_cancelled_takes_nothing_from_the_others(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    alone = [text(list(backend.stream(each))) for each in QUESTIONS]
    start = Loaded(Worker(lambda: backend))
    backend.load = lambda report: None
    start.load()
    start.wait()
    chats, tokens_ = [Inbox() for _ in QUESTIONS], [CancelToken() for _ in QUESTIONS]
    for request, inbox, token in zip(QUESTIONS, chats, tokens_, strict=True):
        start.worker.submit(request, token, inbox.deliver, Lane.CHAT)
    until = time.monotonic() + TIMEOUT_S
    while not chats[1].text and not chats[1].finishes and time.monotonic() < until:
        time.sleep(0.0005)
    tokens_[1].cancel(CancelReason.CLIENT)
    for inbox in chats:
        inbox.wait()
    assert (chats[0].text, chats[2].text) == (alone[0], alone[2])
    assert alone[1].startswith(chats[1].text)
    assert not backend._loop._sharing
    assert start.worker.close(TIMEOUT_S)


def test_a_filter_that_is_not_loaded_yet_may_take_one_question_at_a_time(
    save_model: Callable[..., Path],
) -> None:
    folder = save_model()
    backend, _ = loaded(folder)
    both = FilteredBackend(backend, lambda: loaded(folder)[0], "guard")
    assert both.most_chats == 1
    question = replace(QUESTIONS[0], to_filter=True, max_new_tokens=2)
    list(both.stream(question))
    assert both.most_chats == MOST_CHATS
    both.close()


def test_of_two_models_the_second_counts_once_it_is_loaded(save_model: Callable[..., Path]) -> None:
    folder = save_model()

    def make() -> TransformersBackend:
        return TransformersBackend(CONFIG, as_local(folder))

    pair = PairBackend(make, make, "second")
    pair.load(ignore)
    assert pair.most_chats == 1
    list(pair.stream(QUESTIONS[0]))
    assert pair.most_chats == MOST_CHATS
    pair.close()


def test_prefilling_ahead_is_background_and_a_completion_is_not(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    _, ahead = backend._fim_job(backend._loaded, replace(REQUEST, prefill_only=True))
    _, asked = backend._fim_job(backend._loaded, REQUEST)
    assert (ahead.background, asked.background) == (True, False)
