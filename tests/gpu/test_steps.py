"""What the GPU's path computes is what `generate()` does: cut, rewound, grown, suspended or cancelled."""

from typing import Any

import pytest
import torch

from midfill.model.backends.hf.decode import Job
from midfill.model.backends.lean.gpu.model import GpuModel
from midfill.model.backends.lean.gpu.store import FIRST_BUCKET_TOKENS, MAX_ROWS
from midfill.model.errors import GenerationError, OutOfMemory
from tests.gpu.places import CUDA, Recorder, assert_in_step, make_gpu, watch
from tests.model.looping import (
    NEW,
    expected,
    make_cache,
    make_loop,
    random_ids,
    reference,
    run,
    run_changed,
    tokens,
)

TIE = 0.15
"""Of logits that reach from -9 to 9: what two 16-bit roundings in a row may turn round."""


@pytest.mark.parametrize("block", [5, 20, 64, 1000])
@pytest.mark.parametrize("length", [1, 8, 50])
def test_greedy_tokens_are_those_of_generate(model: GpuModel, block: int, length: int) -> None:
    prompt, cache = random_ids(length), make_cache(model)
    got, _ = run(make_loop(model, block), cache, prompt)
    assert got == expected(model, prompt)
    assert len(set(got)) > 3  # a model that repeats one token would hide mistakes
    assert_in_step(model, cache)


def test_tokens_stay_right_while_the_past_grows_into_the_next_bucket(qwen2: GpuModel) -> None:
    prompt, cache = random_ids(FIRST_BUCKET_TOKENS - 60), make_cache(qwen2)
    cache.past._first = FIRST_BUCKET_TOKENS  # a GPU with memory to spare begins with the last one
    watch(qwen2, cache)
    loop = make_loop(qwen2, 256)
    loop._context_tokens = 2000
    got, _ = run(loop, cache, prompt, 100)
    assert got == expected(qwen2, prompt, 100)
    assert cache.past.capacity == 2 * FIRST_BUCKET_TOKENS
    assert_in_step(qwen2, cache)
    again, _ = run(loop, cache, prompt, 100)  # back to lengths whose steps were recorded over other buffers
    assert again == got


@pytest.mark.parametrize("change_at", [0, 1, 20, 39, 40])
def test_a_rewound_past_gives_what_a_fresh_one_gives(model: GpuModel, change_at: int) -> None:
    loop, cache = make_loop(model), make_cache(model)
    watch(model, cache)
    prompt, got, finish = run_changed(loop, cache, change_at)
    assert got == expected(model, prompt)
    assert finish.usage.reused_tokens == change_at
    assert_in_step(model, cache)


def test_recorded_steps_outlive_a_rewind_and_are_not_recorded_again(qwen2: GpuModel) -> None:
    loop, cache, prompt = make_loop(qwen2, 64), make_cache(qwen2), random_ids(300)
    first, _ = run(loop, cache, prompt)
    held = dict(cache.past.captured)
    cache.rewind(120)  # the rest ends in a block of its own: no step of another shape is needed
    again, _ = run(loop, cache, prompt)
    assert again == first
    assert dict(cache.past.captured) == held
    if isinstance(recorder := qwen2.steps._capture, Recorder):
        assert recorder.recorded == len(held) == 1
        assert recorder.replayed >= 2 * (NEW - 1)


def test_blocks_give_what_a_whole_prompt_gives(model: GpuModel) -> None:
    ids = torch.tensor([random_ids(700)], device=model.passes.device)
    with torch.inference_mode():
        whole = model(ids, model.make_past()).logits[0]
        past, parts = model.make_past(), []
        for part in ids.split(MAX_ROWS + 3, dim=1):
            parts.append(model(part, past).logits[0].clone())
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("count", [2, 3, 8, MAX_ROWS])
def test_guesses_verified_in_one_step_score_as_one_by_one(model: GpuModel, count: int) -> None:
    prompt, guesses = random_ids(520), random_ids(count, 7)  # over a step's edge, at 512
    device = model.passes.device

    def feed(past: Any, ids: list[int]) -> torch.Tensor:
        return model(torch.tensor([ids], device=device), past).logits[0].clone()

    with torch.inference_mode():
        pasts = model.make_past(), model.make_past()
        for past in pasts:
            feed(past, prompt)
        together = feed(pasts[0], guesses)
        alone = torch.cat([feed(pasts[1], [guess]) for guess in guesses])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)
    assert pasts[0].length == pasts[1].length == 520 + count


def test_a_stream_closed_at_any_step_leaves_a_past_that_is_right(model: GpuModel) -> None:
    loop, cache, prompt = make_loop(model, 20), make_cache(model), random_ids(40)
    for steps in range(10):
        stream = loop.stream(cache, Job(prompt[: 20 + steps % 3] + random_ids(9, steps), NEW, frozenset()))
        for _ in range(steps):
            next(stream)
        stream.close()
        assert_in_step(model, cache)
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


@pytest.mark.parametrize("at", range(6))
def test_out_of_memory_loses_one_request_and_not_the_model(
    model: GpuModel, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model, 20), make_cache(model), random_ids(30)
    real, calls = model.forward, []

    def failing(*args: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == at + 1:
            raise torch.OutOfMemoryError("no")
        return real(*args, **how)

    with monkeypatch.context() as patch:
        patch.setattr(model, "forward", failing)
        with pytest.raises(OutOfMemory):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert (cache.tokens, cache.memory_bytes()) == ([], 0)
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_a_pass_that_fails_half_way_leaves_the_past_as_it_was(
    model: GpuModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model, 20), make_cache(model), random_ids(60)
    run(loop, cache, prompt[:20], prefill_only=True)

    def failing(*_: Any) -> Any:
        raise ValueError("no")

    with monkeypatch.context() as patch:
        patch.setattr(model.passes, "_score", failing)
        with pytest.raises(GenerationError):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert_in_step(model, cache)
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_not_a_number_is_an_error_and_the_loop_recovers(
    model: GpuModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, cache, prompt = make_loop(model), make_cache(model), random_ids(30)
    with monkeypatch.context() as patch:
        patch.setattr(model.passes.weights.norm, "data", model.passes.weights.norm * float("nan"))
        with pytest.raises(GenerationError, match="NaN"):
            list(loop.stream(cache, Job(prompt, NEW, frozenset())))
    assert run(loop, cache, prompt)[0] == expected(model, prompt)


def test_two_documents_do_not_disturb_each_other(model: GpuModel) -> None:
    loop, caches = make_loop(model, 20), (make_cache(model), make_cache(model))
    prompts = random_ids(30, 1), random_ids(50, 2)
    streams = [
        loop.stream(cache, Job(prompt, NEW, frozenset()))
        for cache, prompt in zip(caches, prompts, strict=True)
    ]
    events: list[list[Any]] = [[], []]
    for _ in range(NEW + 10):  # in turns, a step each
        for stream, said in zip(streams, events, strict=True):
            said += [event for event in [next(stream, None)] if event is not None]
    assert [tokens(said) for said in events] == [expected(model, prompt) for prompt in prompts]


def test_chat_suspended_under_fim_gives_the_same_answer(model: GpuModel) -> None:
    loop, fim, chat = make_loop(model, 20), make_cache(model), make_cache(model)
    question = random_ids(30, 5)
    said = []
    for i, event in enumerate(loop.stream(chat, Job(question, NEW, frozenset()))):
        said.append(event)
        run(loop, fim, random_ids(10 + i, i), 3)
    assert tokens(said) == expected(model, question)


@pytest.mark.parametrize("bits", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "place", ["cpu-eager", *(pytest.param(name, marks=CUDA) for name in ("cuda-graphs", "cuda-compiled"))]
)
def test_sixteen_bits_choose_what_float32_does_but_for_ties(
    place: str, bits: torch.dtype, family: str
) -> None:
    model = make_gpu(place, family, bits)
    prompt = random_ids(50)
    got, _ = run(make_loop(model), make_cache(model), prompt)
    with torch.inference_mode():
        logits = reference(model)(torch.tensor([prompt + got])).logits[0, len(prompt) - 1 : -1]
    lost = logits.max(dim=-1).values - logits.gather(1, torch.tensor(got)[:, None])[:, 0]
    ties = lost > 0
    assert float(lost.max()) < TIE, f"{int(ties.sum())} of {NEW} differ, by up to {float(lost.max()):.3f}"
    assert int(ties.sum()) <= NEW // 4
