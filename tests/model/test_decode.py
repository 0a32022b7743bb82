"""The loop computes what `generate()` computes, however it is cut, suspended, resumed or reused."""

from typing import Any

import pytest
import torch

from midfill.model.api import Finish, FinishReason
from midfill.model.backends.hf.job import Job
from midfill.model.backends.lean.past import FIRST_CAPACITY_TOKENS
from midfill.model.errors import GenerationError
from tests.model.looping import (
    NEW,
    assert_in_step,
    expected,
    make_cache,
    make_loop,
    random_ids,
    run,
    run_changed,
    tokens,
)


@pytest.mark.parametrize("block", [1, 3, 16, 64, 1000])
@pytest.mark.parametrize("length", [1, 2, 16, 50])
def test_greedy_tokens_are_those_of_generate(model: Any, block: int, length: int) -> None:
    prompt, cache = random_ids(length), make_cache(model)
    got, finish = run(make_loop(model, block), cache, prompt)
    assert got == expected(model, prompt)
    assert len(set(got)) > 3  # a model that repeats one token would hide mistakes
    assert finish.reason is FinishReason.LENGTH
    assert (finish.usage.prompt_tokens, finish.usage.reused_tokens) == (length, 0)
    assert finish.usage.generated_tokens == NEW
    assert_in_step(model, cache)


def test_greedy_tokens_stay_right_while_the_cache_grows(model: Any) -> None:
    prompt = random_ids(FIRST_CAPACITY_TOKENS - 10)
    got, _ = run(make_loop(model, 128), make_cache(model), prompt, 300)
    assert got == expected(model, prompt, 300)


@pytest.mark.parametrize("change_at", [0, 1, 20, 39, 40])
def test_a_reused_cache_changes_nothing(model: Any, change_at: int) -> None:
    loop, cache = make_loop(model), make_cache(model)
    prompt, got, finish = run_changed(loop, cache, change_at)
    assert got == expected(model, prompt)
    assert finish.usage.reused_tokens == change_at
    assert_in_step(model, cache)


def test_the_same_prompt_again_feeds_one_token(model: Any) -> None:
    loop, cache, prompt = make_loop(model), make_cache(model), random_ids(40)
    first, _ = run(loop, cache, prompt)
    again, finish = run(loop, cache, prompt)
    assert again == first
    assert finish.usage.reused_tokens == len(prompt) - 1


def test_a_generated_answer_that_was_typed_is_not_computed_again(model: Any) -> None:
    loop, cache, prompt = make_loop(model), make_cache(model), random_ids(40)
    answer, _ = run(loop, cache, prompt)
    longer = prompt + answer[:10]
    got, finish = run(loop, cache, longer)
    assert got[: NEW - 10] == answer[10:]
    assert finish.usage.reused_tokens == len(longer) - 1


def test_closing_at_any_step_leaves_a_cache_that_is_right(model: Any) -> None:
    loop, cache, prompt = make_loop(model, 8), make_cache(model), random_ids(30)
    for steps in range(12):
        stream = loop.stream(cache, Job(prompt[: 20 + steps % 3] + random_ids(8, steps), NEW, frozenset()))
        for _ in range(steps):
            next(stream)
        stream.close()
        assert_in_step(model, cache)
    got, _ = run(loop, cache, prompt)
    assert got == expected(model, prompt)


def test_each_next_makes_at_most_one_forward_pass(qwen2: Any) -> None:
    calls: list[int] = []
    hook = qwen2.register_forward_pre_hook(
        lambda _, __, kwargs: calls.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    try:
        before = 0
        for event in make_loop(qwen2, 16).stream(make_cache(qwen2), Job(random_ids(40), 3, frozenset())):
            assert len(calls) - before == (0 if isinstance(event, Finish) else 1)
            before = len(calls)
    finally:
        hook.remove()
    assert calls == [16, 16, 8, 1, 1]


def test_inference_mode_does_not_leak_out_of_a_suspended_stream(qwen2: Any) -> None:
    stream = make_loop(qwen2).stream(make_cache(qwen2), Job(random_ids(40), 5, frozenset()))
    for _ in stream:
        assert not torch.is_inference_mode_enabled()


def test_chat_suspended_under_fim_gives_the_same_answer(model: Any) -> None:
    loop, fim, chat = make_loop(model, 8), make_cache(model), make_cache(model)
    question = random_ids(30, 5)
    words = []
    for i, event in enumerate(loop.stream(chat, Job(question, NEW, frozenset()))):
        words.append(event)
        run(loop, fim, random_ids(10 + i, i), 3)
    assert tokens(words) == expected(model, question)


def test_a_second_stream_on_one_cache_ends_the_first(qwen2: Any) -> None:
    loop, cache, prompt = make_loop(qwen2), make_cache(qwen2), random_ids(10)
    first = loop.stream(cache, Job(prompt, NEW, frozenset()))
    next(first)
    got, _ = run(loop, cache, prompt)
    with pytest.raises(GenerationError):
        next(first)
    assert run(loop, cache, prompt)[0] == got


def test_prefilling_ahead_leaves_one_token_to_feed(model: Any) -> None:
    loop, cache, prompt = make_loop(model), make_cache(model), random_ids(40)
    got, finish = run(loop, cache, prompt, prefill_only=True)
    assert (got, finish.usage.generated_tokens) == ([], 0)
    assert cache.tokens == prompt
    got, finish = run(loop, cache, prompt)
    assert got == expected(model, prompt)
    assert finish.usage.reused_tokens == len(prompt) - 1


def test_prefilling_what_is_there_computes_nothing(qwen2: Any) -> None:
    loop, cache, prompt = make_loop(qwen2), make_cache(qwen2), random_ids(40)
    run(loop, cache, prompt)
    held = list(cache.tokens)
    events = list(loop.stream(cache, Job(prompt, 1, frozenset(), prefill_only=True)))
    assert [type(event) for event in events] == [Finish]
    assert cache.tokens == held


def test_a_dropped_cache_holds_no_memory_and_starts_afresh(model: Any) -> None:
    loop, cache, prompt = make_loop(model), make_cache(model), random_ids(40)
    assert cache.memory_bytes() == 0
    first, _ = run(loop, cache, prompt)
    layers, heads, head_dim, float32 = 2, 2, 8, 4
    assert cache.memory_bytes() == 2 * layers * heads * FIRST_CAPACITY_TOKENS * head_dim * float32
    cache.drop()
    assert (cache.memory_bytes(), cache.tokens) == (0, [])
    assert run(loop, cache, prompt)[0] == first
