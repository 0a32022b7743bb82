"""Guesses on the GPU's path: they change how many passes there are, not what is said."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from midfill.model.api import Chunk, Finish
from midfill.model.backends.hf.decode import DecodeLoop, Job
from midfill.model.backends.lean.gpu.model import GpuModel
from midfill.model.backends.lean.gpu.store import MAX_ROWS
from midfill.model.tokens import CodeTokenizer
from midfill.model.trie import TokenTrie, starts_with
from tests.gpu.places import CONTEXT, assert_in_step
from tests.model.looping import NEW, expected, make_cache, make_loop, random_ids, reference, run, tokens
from tests.model.tiny import make_tokenizer


class Oracle:
    """Guesses what `answer` says, so many at a time, every `wrong`th of them something else."""

    def __init__(self, answer: Sequence[int], count: int, wrong: int) -> None:
        self._answer, self._count, self._wrong = answer, count, wrong
        self._seen = 0

    def draft(self, room: int, rows: int, streams: int = 1) -> list[int]:
        begin = self._seen
        guesses = self._answer[begin : begin + min(room, self._count)]
        return [
            guess ^ 1 if (begin + i) % self._wrong == self._wrong - 1 else guess
            for i, guess in enumerate(guesses)
        ]

    def saw(self, token: int, text: str) -> None:
        self._seen += 1


@pytest.mark.parametrize(
    ("count", "wrong"), [(1, 99), (3, 99), (3, 2), (7, 5), (MAX_ROWS - 1, 99), (20, 9)]
)
def test_guesses_right_and_wrong_leave_the_answer_as_it_is(model: GpuModel, count: int, wrong: int) -> None:
    prompt, passes = random_ids(500), []  # the answer goes over a step's edge, at 512
    answer = expected(model, prompt)
    cache, drafter = make_cache(model), Oracle(answer, count, wrong)
    stream = make_loop(model, 64).stream(cache, Job(prompt, NEW, frozenset(), drafter=drafter))
    for event in stream:
        passes.append(event)
    finish = passes[-1]
    assert tokens(passes) == answer
    assert isinstance(finish, Finish)
    assert_in_step(model, cache)
    said = [event for event in passes if isinstance(event, Chunk) and event.text]
    assert len(said) < NEW if wrong > 2 else len(said) <= NEW
    logprobs = torch.tensor([each for event in said for each in event.logprobs])
    with torch.inference_mode():
        logits = reference(model)(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    wanted = torch.log_softmax(logits, -1).gather(1, torch.tensor(answer)[:, None])[:, 0]
    torch.testing.assert_close(logprobs, wanted, rtol=1e-3, atol=1e-3)


def test_a_greedy_answer_copies_no_logits_and_a_sampled_one_does(
    qwen2: GpuModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from midfill.model.backends.lean.gpu import forward

    real, picked = forward.Scored.picks, []

    def picks(scored: Any) -> Any:
        picked.append(1)
        return real(scored)

    monkeypatch.setattr(forward.Scored, "picks", picks)
    prompt = random_ids(40)
    got, _ = run(make_loop(qwen2), make_cache(qwen2), prompt)
    assert (got, len(picked)) == (expected(qwen2, prompt), NEW + 2)
    picked.clear()
    ours, _ = run(make_loop(qwen2, 64, seed=3), make_cache(qwen2), prompt, temperature=0.8)
    theirs = reference(qwen2)
    assert ours == run(make_loop(theirs, 64, seed=3), make_cache(theirs), prompt, temperature=0.8)[0]
    assert picked == []


def test_an_answer_that_must_begin_with_given_bytes_does(qwen2: GpuModel) -> None:
    tokenizer, wanted = CodeTokenizer(make_tokenizer()), b"    pri"
    loop = DecodeLoop(qwen2, tokenizer.token_bytes, CONTEXT, 64)
    cache, prompt = make_cache(qwen2), tokenizer.encode("for x in range(10):\n")
    list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    plain = b"".join(map(tokenizer.token_bytes, cache.tokens[len(prompt) :]))
    assert not plain.startswith(wanted)  # what it would write by itself
    constraint = starts_with(TokenTrie(tokenizer), wanted)
    list(loop.stream(cache, Job(prompt, NEW, frozenset(), constraint=constraint)))
    assert b"".join(map(tokenizer.token_bytes, cache.tokens[len(prompt) :])).startswith(wanted)
