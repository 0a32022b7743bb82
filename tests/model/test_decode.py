"""Our loop against transformers' `generate()`, token for token; and what it leaves behind."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from transformers import DynamicCache

from midfill.model.api import Chunk, Finish, FinishReason, Scope, StopRules
from midfill.model.backends.hf.decode import DecodeLoop, Job
from midfill.model.backends.hf.kv import FIRST_CAPACITY_TOKENS, TokenCache
from midfill.model.errors import GenerationError, OutOfMemory
from midfill.model.stops import StopScanner
from tests.model.tiny import VOCABULARY, make_model

CONTEXT = 1000
NEW = 24


def as_text(token_id: int) -> bytes:
    """Each token a word, so that the text tells the tokens."""
    return f"{token_id} ".encode()


def make_loop(model: Any, block: int = 16, **more: Any) -> DecodeLoop:
    return DecodeLoop(model, as_text, CONTEXT, block, **more)


def random_ids(count: int, seed: int = 1) -> list[int]:
    return torch.randint(0, VOCABULARY, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def expected(model: Any, prompt: Sequence[int], new: int = NEW) -> list[int]:
    out = model.generate(
        torch.tensor([list(prompt)]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=new,
        do_sample=False,
        pad_token_id=0,
    )
    return out[0, len(prompt) :].tolist()


def run(loop: DecodeLoop, cache: TokenCache, prompt: Sequence[int], new: int = NEW, **more: Any):
    events = list(loop.stream(cache, Job(prompt, new, more.pop("stop_ids", frozenset()), **more)))
    assert isinstance(events[-1], Finish)
    assert all(isinstance(event, Chunk) for event in events[:-1])
    return tokens(events), events[-1]


def tokens(events: Sequence[Any]) -> list[int]:
    return [int(word) for event in events if isinstance(event, Chunk) for word in event.text.split()]


def assert_in_step(model: Any, cache: TokenCache) -> None:
    """The cache holds what a fresh pass over its tokens computes."""
    assert {layer.get_seq_length() for layer in cache.past.layers} <= {len(cache.tokens)}
    if not cache.tokens:
        return
    fresh = DynamicCache()
    with torch.inference_mode():
        model(input_ids=torch.tensor([cache.tokens]), past_key_values=fresh)
    for ours, theirs in zip(cache.past.layers, fresh.layers, strict=True):
        torch.testing.assert_close(ours.keys[:, :, : ours.length], theirs.keys, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours.values[:, :, : ours.length], theirs.values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("block", [1, 3, 16, 64, 1000])
@pytest.mark.parametrize("length", [1, 2, 16, 50])
def test_greedy_tokens_are_those_of_generate(model: Any, block: int, length: int) -> None:
    prompt, cache = random_ids(length), TokenCache()
    got, finish = run(make_loop(model, block), cache, prompt)
    assert got == expected(model, prompt)
    assert len(set(got)) > 3  # a model that repeats one token would hide mistakes
    assert finish.reason is FinishReason.LENGTH
    assert (finish.usage.prompt_tokens, finish.usage.reused_tokens) == (length, 0)
    assert finish.usage.generated_tokens == NEW
    assert_in_step(model, cache)


def test_greedy_tokens_stay_right_while_the_cache_grows(model: Any) -> None:
    prompt = random_ids(FIRST_CAPACITY_TOKENS - 10)
    got, _ = run(make_loop(model, 128), TokenCache(), prompt, 300)
    assert got == expected(model, prompt, 300)


@pytest.mark.parametrize("change_at", [0, 1, 20, 39, 40])
def test_a_reused_cache_changes_nothing(model: Any, change_at: int) -> None:
    loop, cache = make_loop(model), TokenCache()
    first, other = random_ids(40, 1), random_ids(30, 2)
    run(loop, cache, first)
    prompt = first[:change_at] + other
    got, finish = run(loop, cache, prompt)
    assert got == expected(model, prompt)
    assert finish.usage.reused_tokens == change_at
    assert_in_step(model, cache)


def test_the_same_prompt_again_feeds_one_token(model: Any) -> None:
    loop, cache, prompt = make_loop(model), TokenCache(), random_ids(40)
    first, _ = run(loop, cache, prompt)
    again, finish = run(loop, cache, prompt)
    assert again == first
    assert finish.usage.reused_tokens == len(prompt) - 1


def test_a_generated_answer_that_was_typed_is_not_computed_again(model: Any) -> None:
    loop, cache, prompt = make_loop(model), TokenCache(), random_ids(40)
    answer, _ = run(loop, cache, prompt)
    longer = prompt + answer[:10]
    got, finish = run(loop, cache, longer)
    assert got[: NEW - 10] == answer[10:]
    assert finish.usage.reused_tokens == len(longer) - 1


def test_closing_at_any_step_leaves_a_cache_that_is_right(model: Any) -> None:
    loop, cache, prompt = make_loop(model, 8), TokenCache(), random_ids(30)
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
        for event in make_loop(qwen2, 16).stream(TokenCache(), Job(random_ids(40), 3, frozenset())):
            assert len(calls) - before == (0 if isinstance(event, Finish) else 1)
            before = len(calls)
    finally:
        hook.remove()
    assert calls == [16, 16, 8, 1, 1]


def test_inference_mode_does_not_leak_out_of_a_suspended_stream(qwen2: Any) -> None:
    stream = make_loop(qwen2).stream(TokenCache(), Job(random_ids(40), 5, frozenset()))
    for _ in stream:
        assert not torch.is_inference_mode_enabled()


def test_chat_suspended_under_fim_gives_the_same_answer(model: Any) -> None:
    loop, fim, chat = make_loop(model, 8), TokenCache(), TokenCache()
    question = random_ids(30, 5)
    words = []
    for i, event in enumerate(loop.stream(chat, Job(question, NEW, frozenset()))):
        words.append(event)
        run(loop, fim, random_ids(10 + i, i), 3)
    assert tokens(words) == expected(model, question)


def test_a_second_stream_on_one_cache_ends_the_first(qwen2: Any) -> None:
    loop, cache, prompt = make_loop(qwen2), TokenCache(), random_ids(10)
    first = loop.stream(cache, Job(prompt, NEW, frozenset()))
    next(first)
    got, _ = run(loop, cache, prompt)
    with pytest.raises(GenerationError):
        next(first)
    assert run(loop, cache, prompt)[0] == got


def test_prefilling_ahead_leaves_one_token_to_feed(model: Any) -> None:
    loop, cache, prompt = make_loop(model), TokenCache(), random_ids(40)
    got, finish = run(loop, cache, prompt, prefill_only=True)
    assert (got, finish.usage.generated_tokens) == ([], 0)
    assert cache.tokens == prompt
    got, finish = run(loop, cache, prompt)
    assert got == expected(model, prompt)
    assert finish.usage.reused_tokens == len(prompt) - 1


def test_prefilling_what_is_there_computes_nothing(qwen2: Any) -> None:
    loop, cache, prompt = make_loop(qwen2), TokenCache(), random_ids(40)
    run(loop, cache, prompt)
    held = list(cache.tokens)
    events = list(loop.stream(cache, Job(prompt, 1, frozenset(), prefill_only=True)))
    assert [type(event) for event in events] == [Finish]
    assert cache.tokens == held


@pytest.mark.parametrize("at", range(8))
def test_out_of_memory_loses_one_request_and_not_the_model(
    model: Any, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model, 8), TokenCache(), random_ids(30)
    real, calls = model.lm_head.forward, []

    def failing(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == at + 1:
            raise torch.OutOfMemoryError("no")
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(model.lm_head, "forward", failing)
        with pytest.raises(OutOfMemory):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert cache.tokens == []
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_a_pass_that_fails_half_way_leaves_the_layers_equally_long(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model, 8), TokenCache(), random_ids(30)
    run(loop, cache, prompt[:20], prefill_only=True)

    def failing(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(model.model.layers[1].mlp, "forward", failing)
        with pytest.raises(GenerationError):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert cache.tokens == prompt[:20]
    assert_in_step(model, cache)
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_not_a_number_is_an_error_and_the_loop_recovers(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model), TokenCache(), random_ids(10)
    real = model.lm_head.forward
    with monkeypatch.context() as patch:
        patch.setattr(model.lm_head, "forward", lambda x: real(x) * float("nan"))
        with pytest.raises(GenerationError, match="NaN"):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_a_stop_id_ends_the_answer_and_is_not_text(model: Any) -> None:
    prompt = random_ids(30)
    answer = expected(model, prompt)
    stop = answer[9]
    got, finish = run(make_loop(model), TokenCache(), prompt, stop_ids=frozenset({stop}))
    assert got == answer[: answer.index(stop)]
    assert finish.reason is FinishReason.EOT


def test_a_stop_rule_ends_the_answer(qwen2: Any) -> None:
    answer = expected(qwen2, random_ids(30))
    loop = DecodeLoop(qwen2, lambda i: b"\n" if i == answer[5] else as_text(i), CONTEXT)
    scanner = StopScanner(StopRules(Scope.SINGLE_LINE, "x = "))
    got, finish = run(loop, TokenCache(), random_ids(30), scanner=scanner)
    assert got == answer[: answer.index(answer[5])]
    assert finish.reason is FinishReason.STOP


def test_log_probabilities_are_the_models(qwen2: Any) -> None:
    prompt = random_ids(12)
    events = list(make_loop(qwen2).stream(TokenCache(), Job(prompt, 6, frozenset())))
    answer = tokens(events)
    logprobs = [x for event in events if isinstance(event, Chunk) for x in event.logprobs]
    with torch.inference_mode():
        logits = qwen2(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    wanted = torch.log_softmax(logits, -1).gather(1, torch.tensor(answer)[:, None])[:, 0]
    torch.testing.assert_close(torch.tensor(logprobs), wanted, rtol=1e-4, atol=1e-4)


def test_the_context_is_never_exceeded(qwen2: Any) -> None:
    loop, cache = DecodeLoop(qwen2, as_text, 32, 8), TokenCache()
    got, finish = run(loop, cache, random_ids(30), 100)
    assert (len(got), finish.reason) == (2, FinishReason.LENGTH)
    for length in (0, 32, 50):
        with pytest.raises(GenerationError):
            run(loop, cache, random_ids(length))


def test_sampling_is_repeatable_and_follows_the_temperature() -> None:
    model = make_model("qwen2", spread=0.1)
    prompt = random_ids(10)

    def sample(seed: int, temperature: float) -> list[int]:
        return run(make_loop(model, seed=seed), TokenCache(), prompt, temperature=temperature)[0]

    assert sample(1, 1.0) == sample(1, 1.0)
    assert sample(1, 1.0) != sample(2, 1.0)
    assert sample(1, 1e-4) == expected(model, prompt)
