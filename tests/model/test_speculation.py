"""Guesses change nothing but the number of passes: right, wrong, partly right, or made to do harm."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from midfill.model.api import Chunk, Finish, FinishReason, Scope, StopRules
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.speculation import interpolated
from midfill.model.backends.lean.forward import FIRST_POSITIONS
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
from tests.model.tiny import VOCABULARY

PROMPT = random_ids(30)
MOST = 7


class Oracle:
    """Knows the answer, and spoils what it says of it: `spoil` gets where a guess stands and the token."""

    def __init__(self, answer: Sequence[int], spoil: Callable[[int, int], int], length: int = MOST) -> None:
        self._answer, self._spoil, self._length = answer, spoil, length
        self.seen: list[int] = []
        self.asked_at: list[int] = []
        """How much was seen each time."""

    def draft(self, room: int, rows: int, streams: int = 1) -> list[int]:
        at = len(self.seen)
        self.asked_at.append(at)
        known = [*self._answer[at : at + self._length], *random_ids(self._length, at)]
        return [self._spoil(at + i, token) for i, token in enumerate(known[: self._length])]

    def saw(self, token: int, text: str) -> None:
        self.seen.append(token)


def wrong(at: int, token: int) -> int:
    return (token + 1) % VOCABULARY


SPOILS: dict[str, Callable[[int, int], int]] = {
    "right": lambda at, token: token,
    "wrong": wrong,
    "first right": lambda at, token: token if at % MOST == 0 else wrong(at, token),
    "some right": lambda at, token: token if at % 3 else wrong(at, token),
    "the same over and over": lambda at, token: 7,
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
@pytest.mark.parametrize("block", [1, 3, 16])
def test_the_tokens_are_those_of_generate_whatever_is_guessed(
    model: Any, spoil: Callable[[int, int], int], block: int
) -> None:
    answer, cache = expected(model, PROMPT), make_cache(model)
    oracle = Oracle(answer, spoil)
    got, finish = run(make_loop(model, block), cache, PROMPT, drafter=oracle)
    assert got == answer == oracle.seen
    assert_in_step(model, cache)
    assert finish.usage.generated_tokens == NEW
    assert 0 <= finish.usage.accepted_tokens <= finish.usage.drafted_tokens


def test_right_guesses_save_passes_and_wrong_ones_cost_none(qwen2: Any) -> None:
    answer = expected(qwen2, PROMPT)
    for spoil, passes, accepted in ((SPOILS["right"], 3, 21), (SPOILS["wrong"], NEW, 0)):
        cache = make_cache(qwen2)
        events = list(
            make_loop(qwen2, 64).stream(cache, Job(PROMPT, NEW, frozenset(), drafter=Oracle(answer, spoil)))
        )
        assert len(events) - 1 == passes
        finish = events[-1]
        assert isinstance(finish, Finish)
        assert finish.usage.accepted_tokens == accepted


def test_a_pass_with_guesses_is_one_pass_and_one_chunk_with_all_log_probabilities(model: Any) -> None:
    calls: list[int] = []
    hook = model.register_forward_pre_hook(
        lambda _, __, kwargs: calls.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    try:
        oracle = Oracle(expected(model, PROMPT), SPOILS["some right"])
        calls.clear()
        plain = list(make_loop(model).stream(make_cache(model), Job(PROMPT, NEW, frozenset())))
        calls.clear()
        loop, done, events = make_loop(model), 0, []
        for event in loop.stream(make_cache(model), Job(PROMPT, NEW, frozenset(), drafter=oracle)):
            assert len(calls) - done == (0 if isinstance(event, Finish) else 1)
            done = len(calls)
            events.append(event)
            if isinstance(event, Chunk):
                assert len(event.logprobs) == len(tokens([event]))
    finally:
        hook.remove()
    assert logprobs(events) == pytest.approx(logprobs(plain), abs=1e-4)


def logprobs(events: Sequence[Any]) -> list[float]:
    return [x for event in events if isinstance(event, Chunk) for x in event.logprobs]


@pytest.mark.parametrize("new", range(1, 12))
def test_no_guess_takes_an_answer_past_its_length(model: Any, new: int) -> None:
    cache = make_cache(model)
    got, finish = run(
        make_loop(model), cache, PROMPT, new, drafter=Oracle(expected(model, PROMPT), SPOILS["right"])
    )
    assert (got, finish.reason) == (expected(model, PROMPT)[:new], FinishReason.LENGTH)
    assert_in_step(model, cache)


def test_no_guess_takes_the_cache_past_the_context(qwen2: Any) -> None:
    loop, cache = DecodeLoop(qwen2, as_text, 36, 8), make_cache(qwen2)
    got, _ = run(loop, cache, PROMPT, 100, drafter=Oracle(expected(qwen2, PROMPT), SPOILS["right"]))
    assert got == expected(qwen2, PROMPT)[:6]
    assert len(cache.tokens) < 36


@pytest.mark.parametrize("at", range(9))
def test_a_stop_id_among_right_guesses_ends_the_answer_there(model: Any, at: int) -> None:
    answer, cache = expected(model, PROMPT), make_cache(model)
    oracle = Oracle(answer, SPOILS["right"])
    got, finish = run(make_loop(model), cache, PROMPT, stop_ids=frozenset({answer[at]}), drafter=oracle)
    assert got == answer[: answer.index(answer[at])]
    assert finish.reason is FinishReason.EOT
    assert_in_step(model, cache)


@pytest.mark.parametrize("at", range(1, 9))
def test_a_stop_rule_among_right_guesses_ends_the_answer_there(qwen2: Any, at: int) -> None:
    answer, cache = expected(qwen2, PROMPT), make_cache(qwen2)
    loop = DecodeLoop(qwen2, lambda i: b"\n" if i == answer[at] else as_text(i), CONTEXT)
    results = []
    for drafter in (None, Oracle(answer, SPOILS["right"])):
        scanner = StopScanner(StopRules(Scope.SINGLE_LINE, "x = "))
        results.append(run(loop, cache, PROMPT, scanner=scanner, drafter=drafter))
        assert_in_step(qwen2, cache)
    (plain, plain_end), (guessed, guessed_end) = results
    assert guessed == plain == answer[: answer.index(answer[at])]
    assert guessed_end.reason is plain_end.reason is FinishReason.STOP
    assert guessed_end.usage.generated_tokens == plain_end.usage.generated_tokens


def test_guesses_stay_right_where_the_cache_grows(model: Any) -> None:
    prompt = random_ids(FIRST_POSITIONS - 10)
    answer, cache = expected(model, prompt, 64), make_cache(model)
    got, _ = run(make_loop(model, 128), cache, prompt, 64, drafter=Oracle(answer, SPOILS["some right"], 5))
    assert got == answer
    assert_in_step(model, cache)


def test_closing_after_any_chunk_leaves_the_cache_right(model: Any) -> None:
    loop, cache, answer = make_loop(model, 8), make_cache(model), expected(model, PROMPT)
    for steps in range(8):
        oracle = Oracle(answer, SPOILS["some right"], 3 + steps % 3)
        stream = loop.stream(cache, Job(PROMPT, NEW, frozenset(), drafter=oracle))
        for _ in range(steps):
            next(stream)
        stream.close()
        assert cache.tokens == (PROMPT + answer)[: len(cache.tokens)]
        assert_in_step(model, cache)
    assert run(loop, cache, PROMPT)[0] == answer


def test_a_sampled_answer_is_not_guessed_at(qwen2: Any) -> None:
    results = []
    for drafter in (None, Oracle(expected(qwen2, PROMPT), SPOILS["right"])):
        results.append(
            run(make_loop(qwen2, seed=3), make_cache(qwen2), PROMPT, temperature=1.0, drafter=drafter)
        )
        if drafter:
            assert drafter.asked_at == []
    assert results[0][0] == results[1][0]


def test_nothing_is_guessed_while_a_constraint_says_what_comes(qwen2: Any) -> None:
    class Only:
        """Allows one token, `left` times."""

        def __init__(self, left: int) -> None:
            self.left = left

        def allowed(self) -> Any:
            from array import array

            return array("i", [5])

        def after(self, token_id: int) -> "Only | None":
            return Only(self.left - 1) if self.left > 1 else None

    forced = [5, 5, 5]
    answer = forced + expected(qwen2, PROMPT + forced, NEW - 3)
    oracle = Oracle(answer, SPOILS["right"])
    got, finish = run(make_loop(qwen2), make_cache(qwen2), PROMPT, drafter=oracle, constraint=Only(3))
    assert got == answer
    assert finish.usage.accepted_tokens > 0
    assert oracle.asked_at[0] == len(forced)


def test_costs_between_the_measured_lie_on_lines_and_never_fall() -> None:
    assert interpolated({1: 20.0, 2: 21.0, 4: 31.0}) == (20.0, 21.0, 26.0, 31.0)
    assert interpolated({1: 20.0, 2: 18.0, 4: 22.0}) == (20.0, 20.0, 20.0, 22.0)
