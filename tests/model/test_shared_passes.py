"""Streams that share passes: each answer is what it would be alone, however they come and go."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from midfill.model.api import Chunk, Event, Finish
from midfill.model.backends.hf.decode import CPU_BACKGROUND_TOKENS, CPU_BLOCK_TOKENS, DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.errors import GenerationError, OutOfMemory
from tests.model.looping import (
    NEW,
    assert_in_step,
    expected,
    in_turns,
    job,
    make_cache,
    make_loop,
    random_ids,
    tokens,
)
from tests.model.test_speculation import SPOILS, Oracle
from tests.model.tiny import make_model

PROMPTS = [random_ids(length, seed) for seed, length in enumerate((30, 7, 41, 18))]


@pytest.fixture(scope="module", params=["lean-qwen2", "lean-llama"])
def lean(request: pytest.FixtureRequest) -> Any:
    return make_model(request.param)


@contextmanager
def counted(model: Any) -> Generator[list[int]]:
    """How many rows each pass has."""
    calls: list[int] = []
    hook = model.register_forward_pre_hook(
        lambda _, __, kwargs: calls.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    try:
        yield calls
    finally:
        hook.remove()


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("spoil", [None, *SPOILS.values()], ids=["unguessed", *SPOILS])
def test_each_answer_is_that_of_generate(
    lean: Any, count: int, spoil: Callable[[int, int], int] | None
) -> None:
    loop, caches = make_loop(lean), [make_cache(lean) for _ in range(count)]
    drafters = [None if spoil is None else Oracle(expected(lean, each), spoil, 2) for each in PROMPTS]
    jobs = [job(p, drafter=d) for p, d in zip(PROMPTS[:count], drafters, strict=False)]
    found = in_turns([loop.stream(cache, each) for cache, each in zip(caches, jobs, strict=True)])
    assert [tokens(events) for events in found] == [expected(lean, prompt) for prompt in PROMPTS[:count]]
    for cache in caches:
        assert_in_step(lean, cache)


def test_four_answers_take_the_passes_of_one(lean: Any) -> None:
    loop, prompts = make_loop(lean, 64), PROMPTS
    with counted(lean) as rows:
        in_turns([loop.stream(make_cache(lean), job(prompt)) for prompt in prompts])
    assert rows == [30, 7, 41, 18] + [4] * (NEW - 1)


def test_one_that_has_ended_is_fed_nothing_more(lean: Any) -> None:
    loop, jobs = make_loop(lean, 64), [job(PROMPTS[0]), job(PROMPTS[1], new=5)]
    with counted(lean) as rows:
        in_turns([loop.stream(make_cache(lean), each) for each in jobs])
    assert rows == [30, 7] + [2] * 4 + [1] * (NEW - 5)


def test_who_does_not_share_takes_passes_alone(lean: Any) -> None:
    loop = make_loop(lean, 64)
    alone = Job(PROMPTS[1], NEW, frozenset())
    with counted(lean) as rows:
        found = in_turns(
            [loop.stream(make_cache(lean), job(PROMPTS[0])), loop.stream(make_cache(lean), alone)]
        )
    assert set(rows) == {30, 7, 1}
    assert tokens(found[1]) == expected(lean, PROMPTS[1])


def test_models_that_take_one_stream_give_the_same_answers(qwen2: Any) -> None:
    loop = make_loop(qwen2)
    found = in_turns([loop.stream(make_cache(qwen2), job(prompt)) for prompt in PROMPTS])
    assert [tokens(events) for events in found] == [expected(qwen2, prompt) for prompt in PROMPTS]


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("guessing", [False, True])
def test_one_that_is_closed_leaves_its_cache_right_and_the_others_whole(
    lean: Any, steps: int, guessing: bool
) -> None:
    loop, caches = make_loop(lean, 64), [make_cache(lean) for _ in range(3)]
    oracles = [Oracle(expected(lean, p), SPOILS["some right"], 1) for p in PROMPTS[:3]]
    drafters = oracles if guessing else [None] * 3
    streams = [
        loop.stream(cache, job(p, drafter=d))
        for cache, p, d in zip(caches, PROMPTS, drafters, strict=False)
    ]
    for _ in range(steps):
        for stream in streams:
            next(stream)
    next(streams[0])  # with rows for the others, which they have not seen
    streams[1].close()
    assert_in_step(lean, caches[1])
    seen = caches[1].tokens[len(PROMPTS[1]) :]
    assert seen == expected(lean, PROMPTS[1])[: len(seen)]
    rest = in_turns([streams[0], streams[2]])
    for index, events in ((0, rest[0]), (2, rest[1])):
        whole = expected(lean, PROMPTS[index])
        assert tokens(events) == whole[len(whole) - len(tokens(events)) :]
        assert isinstance(events[-1], Finish)
        assert_in_step(lean, caches[index])


def test_a_cache_that_was_taken_over_is_in_nobodys_pass(lean: Any) -> None:
    loop, shared, other = make_loop(lean, 64), make_cache(lean), make_cache(lean)
    first, second = loop.stream(shared, job(PROMPTS[0])), loop.stream(other, job(PROMPTS[1]))
    next(first)
    next(second)
    third = loop.stream(shared, job(PROMPTS[2]))
    next(third)
    found = in_turns([second, third])
    assert tokens(found[1]) == expected(lean, PROMPTS[2])[-len(tokens(found[1])) :]
    assert_in_step(lean, shared)
    with pytest.raises(GenerationError, match="taken"):
        next(first)
    assert_in_step(lean, shared)


class Failing(torch.nn.Module):
    """Its passes of several streams fail, after their first layer."""

    def __init__(self, model: Any, error: Exception) -> None:
        super().__init__()
        self.model, self._error, self.failures = model, error, 0

    def batch(self, parts: Any) -> Any:
        return self.model.batch(parts)

    def forward(self, input_ids: torch.Tensor, past_key_values: Any, **more: Any) -> Any:
        parts = past_key_values.split(input_ids.shape[1])
        if len(parts) > 1 and not self.failures:
            self.failures += 1
            for part in parts:
                part.past.layers[0].extend(part.rows, *part.past.layers[0].keys.shape[1::2])
            raise self._error
        return self.model(input_ids=input_ids, past_key_values=past_key_values, **more)


@pytest.mark.parametrize(
    ("error", "told"), [(MemoryError(), OutOfMemory), (RuntimeError("broken"), GenerationError)]
)
def test_a_pass_that_fails_ends_the_one_it_was_for(lean: Any, error: Exception, told: type) -> None:
    model = Failing(lean, error)
    loop, caches = make_loop(model, 64), [TokenCache(lean.make_past) for _ in range(3)]
    streams = [loop.stream(cache, job(p)) for cache, p in zip(caches, PROMPTS, strict=False)]
    begun = [[next(stream)] for stream in streams]
    with pytest.raises(told):
        next(streams[0])
    rest = in_turns(streams[1:])
    for index in (1, 2):
        assert tokens(begun[index] + rest[index - 1]) == expected(lean, PROMPTS[index])
        assert_in_step(lean, caches[index])
    assert caches[0].tokens == [] if told is OutOfMemory else caches[0].tokens[:30] == PROMPTS[0]


def test_guesses_are_asked_for_with_all_that_wait_for_the_pass(lean: Any) -> None:
    class Curious(Oracle):
        def draft(self, room: int, rows: int, streams: int = 1) -> list[int]:
            asked.append((rows, streams))
            return super().draft(room, rows)

    asked: list[tuple[int, int]] = []
    loop, oracles = make_loop(lean, 64), [Curious(expected(lean, p), SPOILS["right"], 1) for p in PROMPTS]
    jobs = [job(p, drafter=oracle) for p, oracle in zip(PROMPTS[:3], oracles, strict=False)]
    in_turns([loop.stream(make_cache(lean), each) for each in jobs])
    assert asked[:6] == [(30, 1), (7, 1), (41, 1), (3, 3), (4, 3), (5, 3)]


def test_sampled_and_greedy_answers_share_passes(lean: Any) -> None:
    loop = make_loop(lean, 64, seed=3)
    jobs = [job(PROMPTS[0], temperature=1.5), job(PROMPTS[1])]
    found = in_turns([loop.stream(make_cache(lean), each) for each in jobs])
    assert tokens(found[1]) == expected(lean, PROMPTS[1])
    assert tokens(found[0]) != expected(lean, PROMPTS[0])


def test_the_time_of_a_pass_is_shared_by_those_in_it(lean: Any) -> None:
    loop = DecodeLoop(lean, lambda token: b"x", 1000, 64)
    began = time.perf_counter()
    found = in_turns([loop.stream(make_cache(lean), job(prompt)) for prompt in PROMPTS[:3]])
    taken_ms = (time.perf_counter() - began) * 1000
    usages = [events[-1].usage for events in found if isinstance(events[-1], Finish)]
    assert all(usage.decode_ms > 0 for usage in usages)
    assert sum(u.decode_ms + u.prefill_ms for u in usages) < taken_ms


def test_the_log_probabilities_are_those_of_one_alone(lean: Any) -> None:
    def said(events: Sequence[Event]) -> list[float]:
        return [value for event in events if isinstance(event, Chunk) for value in event.logprobs]

    loop = make_loop(lean)
    together = in_turns([loop.stream(make_cache(lean), job(prompt)) for prompt in PROMPTS])
    alone = [list(loop.stream(make_cache(lean), job(prompt))) for prompt in PROMPTS]
    for ours, theirs in zip(together, alone, strict=True):
        assert said(ours) == pytest.approx(said(theirs), abs=1e-4)


def test_what_nobody_types_against_is_prefilled_in_small_blocks(lean: Any) -> None:
    prompt = random_ids(300, 8)
    for more in ({}, {"prefill_only": True}):
        loop, cache = make_loop(lean, 0), make_cache(lean)
        with counted(lean) as rows:
            found = list(loop.stream(cache, job(prompt, new=2, **more)))
        assert max(rows) == CPU_BACKGROUND_TOKENS
        assert tokens(found) == ([] if more else expected(lean, prompt, 2))
    with counted(lean) as rows:
        list(make_loop(lean, 0).stream(make_cache(lean), Job(prompt, 2, frozenset())))
    assert max(rows) == CPU_BLOCK_TOKENS
