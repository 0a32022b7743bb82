"""Answers that must begin with given bytes, through the decode loop: those bytes never go out."""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest
import torch

from midfill.model.api import Chunk, Event, Finish
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.tokens import CodeTokenizer
from midfill.model.trie import TokenTrie, starts_with
from tests.model.looping import make_cache
from tests.model.tiny import VOCABULARY, make_tokenizer

TOKENIZER = CodeTokenizer(make_tokenizer())
TRIE = TokenTrie(TOKENIZER)
PROMPT = TOKENIZER.encode("for x in range(10):\n")


def answer(model: Any, wanted: str, new: int = 12, temperature: float = 0.0) -> tuple[list[Event], bytes]:
    """The events of an answer that begins with `wanted`, and all bytes that were generated."""
    wanted_bytes = wanted.encode()
    loop, cache = DecodeLoop(model, TOKENIZER.token_bytes, 1000), make_cache(model)
    constraint = starts_with(TRIE, wanted_bytes)
    job = Job(
        PROMPT,
        new,
        frozenset(),
        temperature=temperature,
        constraint=constraint,
        hidden_bytes=len(wanted_bytes),
    )
    events = list(loop.stream(cache, job))
    fed = cache.tokens[len(PROMPT) :]
    return events, b"".join(map(TOKENIZER.token_bytes, fed))


def shown(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk))


@pytest.mark.parametrize("wanted", ["    pri", "日本", "x", "é😀", "<|fim_middle|>", "    " * 4])
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_the_answer_begins_with_the_wanted_text_which_never_goes_out(
    qwen2: Any, wanted: str, temperature: float
) -> None:
    events, generated = answer(qwen2, wanted, new=40, temperature=temperature)
    assert generated.startswith(wanted.encode())
    behind = generated.removeprefix(wanted.encode()).decode("utf-8", errors="replace")
    # The last token's text goes out, but is not fed any more; half characters wait for their other half.
    assert shown(events).startswith(behind.rstrip("\ufffd"))
    assert len(shown(events)) > 0


def spelled_greedily(model: Any, wanted: bytes) -> list[int]:
    """At each step the best of all tokens that fit, looked at one by one, without loop and table."""
    spelled = list(enumerate(TOKENIZER.all_token_bytes()))
    ids: list[int] = []
    while wanted:
        with torch.inference_mode():
            logits = model(torch.tensor([[*PROMPT, *ids]])).logits[0, -1]
        fitting = [i for i, b in spelled if b and (b.startswith(wanted) or wanted.startswith(b))]
        ids.append(max(fitting, key=lambda i: float(logits[i])))
        wanted = wanted[len(TOKENIZER.token_bytes(ids[-1])) :]
    return ids


def test_what_comes_behind_is_what_the_model_would_write_there_by_itself(qwen2: Any) -> None:
    events, generated = answer(qwen2, "prin")
    forced = spelled_greedily(qwen2, b"prin")
    loop = DecodeLoop(qwen2, TOKENIZER.token_bytes, 1000)
    plain = list(loop.stream(make_cache(qwen2), Job([*PROMPT, *forced], 12 - len(forced), frozenset())))
    spelled = b"".join(map(TOKENIZER.token_bytes, forced))
    assert generated.startswith(spelled)
    assert shown(events) == (spelled[4:] + shown(plain).encode()).decode()


def test_stop_ids_do_not_end_an_answer_inside_the_wanted_text(qwen2: Any) -> None:
    spelling = {i for i, b in enumerate(TOKENIZER.all_token_bytes()) if b}
    loop = DecodeLoop(qwen2, TOKENIZER.token_bytes, 1000)
    wanted = b"return a"
    ends = frozenset(range(VOCABULARY)) - spelling
    job = Job(PROMPT, 30, ends, constraint=starts_with(TRIE, wanted), hidden_bytes=len(wanted))
    cache = make_cache(qwen2)
    finish = list(loop.stream(cache, job))[-1]
    assert isinstance(finish, Finish)
    assert b"".join(map(TOKENIZER.token_bytes, cache.tokens[len(PROMPT) :])).startswith(wanted)


def test_tokens_that_only_spell_what_is_there_have_no_part_in_the_log_probabilities(qwen2: Any) -> None:
    events, _ = answer(qwen2, "prin", new=12)
    reported = [p for event in events if isinstance(event, Chunk) for p in event.logprobs]
    lengths = [len(TOKENIZER.token_bytes(i)) for i in spelled_greedily(qwen2, b"prin")]
    inside = sum(end <= 4 for end in accumulate(lengths))
    assert inside > 0
    assert 0 < len(reported) <= 12 - inside
    assert all(math.isfinite(p) for p in reported)
