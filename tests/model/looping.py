"""The decode loop on a tiny model, driven and checked: shared by this room's tests."""

from collections.abc import Generator, Sequence
from typing import Any

import torch
from transformers import DynamicCache

from midfill.model.api import Chunk, Event, Finish
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.past import TransformersPast
from tests.model.tiny import VOCABULARY

CONTEXT = 1000
NEW = 24


def as_text(token_id: int) -> bytes:
    """Each token a word, so that the text tells the tokens."""
    return f"{token_id} ".encode()


def make_loop(model: Any, block: int = 16, **more: Any) -> DecodeLoop:
    return DecodeLoop(model, as_text, CONTEXT, block, **more)


def make_cache(model: Any) -> TokenCache:
    """An empty KV cache of the model's own kind."""
    return TokenCache(getattr(model, "make_past", TransformersPast))


def random_ids(count: int, seed: int = 1) -> list[int]:
    return torch.randint(0, VOCABULARY, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def reference(model: Any) -> Any:
    """What the lean model must equal; other models must equal themselves."""
    return getattr(model, "reference", model)


def expected(model: Any, prompt: Sequence[int], new: int = NEW) -> list[int]:
    out = reference(model).generate(
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


def run_changed(loop: DecodeLoop, cache: TokenCache, change_at: int) -> tuple[list[int], list[int], Finish]:
    """A prompt, then another that shares `change_at` tokens with it: the other, its answer, its end."""
    first, other = random_ids(40, 1), random_ids(30, 2)
    run(loop, cache, first)
    prompt = first[:change_at] + other
    return prompt, *run(loop, cache, prompt)


def job(prompt: Sequence[int], **more: Any) -> Job:
    """In the background, as chats are."""
    return Job(prompt, more.pop("new", NEW), frozenset(), background=True, **more)


def in_turns(streams: Sequence[Generator[Event, None, None]]) -> list[list[Event]]:
    """What each gives, one `next()` after the other, as the worker's lane has it."""
    events: list[list[Event]] = [[] for _ in streams]
    open_streams = list(enumerate(streams))
    while open_streams:
        for each in list(open_streams):
            index, stream = each
            try:
                events[index].append(next(stream))
            except StopIteration:
                open_streams.remove(each)
    return events


def tokens(events: Sequence[Any]) -> list[int]:
    return [int(word) for event in events if isinstance(event, Chunk) for word in event.text.split()]


def assert_in_step(model: Any, cache: TokenCache) -> None:
    """The cache holds what a fresh pass over its tokens computes."""
    assert {layer.length for layer in cache.past.layers} <= {len(cache.tokens)}
    if not cache.tokens:
        return
    fresh = DynamicCache()
    with torch.inference_mode():
        reference(model)(input_ids=torch.tensor([cache.tokens]), past_key_values=fresh)
    for ours, theirs in zip(cache.past.layers, fresh.layers, strict=True):
        torch.testing.assert_close(ours.keys[:, :, : ours.length], theirs.keys, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours.values[:, :, : ours.length], theirs.values, rtol=1e-4, atol=1e-4)
