"""How an answer ends: stop ids and rules, limits, failures; and what the loop is like afterwards."""

from typing import Any

import pytest
import torch

from midfill.model.api import Chunk, FinishReason, Scope, StopRules
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.errors import GenerationError, OutOfMemory
from midfill.model.stops import StopScanner
from tests.model.looping import (
    CONTEXT,
    NEW,
    as_text,
    assert_in_step,
    expected,
    make_cache,
    make_loop,
    random_ids,
    run,
    tokens,
)
from tests.model.tiny import make_model


@pytest.mark.parametrize("at", range(8))
def test_out_of_memory_loses_one_request_and_not_the_model(
    model: Any, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model, 8), make_cache(model), random_ids(30)
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
    loop, cache, prompt = make_loop(model, 8), make_cache(model), random_ids(30)
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
    loop, cache, prompt = make_loop(model), make_cache(model), random_ids(10)
    real = model.lm_head.forward
    with monkeypatch.context() as patch:
        patch.setattr(model.lm_head, "forward", lambda x: real(x) * float("nan"))
        with pytest.raises(GenerationError, match="NaN"):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert cache.tokens == []  # what it holds may be no numbers either
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_a_stop_id_ends_the_answer_and_is_not_text(model: Any) -> None:
    prompt = random_ids(30)
    answer = expected(model, prompt)
    stop = answer[9]
    got, finish = run(make_loop(model), make_cache(model), prompt, stop_ids=frozenset({stop}))
    assert got == answer[: answer.index(stop)]
    assert finish.reason is FinishReason.EOT


def test_a_stop_rule_ends_the_answer(qwen2: Any) -> None:
    answer = expected(qwen2, random_ids(30))
    loop = DecodeLoop(qwen2, lambda i: b"\n" if i == answer[5] else as_text(i), CONTEXT)
    scanner = StopScanner(StopRules(Scope.SINGLE_LINE, "x = "))
    got, finish = run(loop, make_cache(qwen2), random_ids(30), scanner=scanner)
    assert got == answer[: answer.index(answer[5])]
    assert finish.reason is FinishReason.STOP


def test_log_probabilities_are_the_models(qwen2: Any) -> None:
    prompt = random_ids(12)
    events = list(make_loop(qwen2).stream(make_cache(qwen2), Job(prompt, 6, frozenset())))
    answer = tokens(events)
    logprobs = [x for event in events if isinstance(event, Chunk) for x in event.logprobs]
    with torch.inference_mode():
        logits = qwen2(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    wanted = torch.log_softmax(logits, -1).gather(1, torch.tensor(answer)[:, None])[:, 0]
    torch.testing.assert_close(torch.tensor(logprobs), wanted, rtol=1e-4, atol=1e-4)


def test_the_context_is_never_exceeded(qwen2: Any) -> None:
    loop, cache = DecodeLoop(qwen2, as_text, 32, 8), make_cache(qwen2)
    got, finish = run(loop, cache, random_ids(30), 100)
    assert (len(got), finish.reason) == (2, FinishReason.LENGTH)
    for length in (0, 32, 50):
        with pytest.raises(GenerationError):
            run(loop, cache, random_ids(length))


def test_sampling_is_repeatable_and_follows_the_temperature() -> None:
    model = make_model("qwen2", spread=0.1)
    prompt = random_ids(10)

    def sample(seed: int, temperature: float) -> list[int]:
        return run(make_loop(model, seed=seed), make_cache(model), prompt, temperature=temperature)[0]

    assert sample(1, 1.0) == sample(1, 1.0)
    assert sample(1, 1.0) != sample(2, 1.0)
    assert sample(1, 1e-4) == expected(model, prompt)
