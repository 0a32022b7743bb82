"""When steps are recorded and compiled, and what happens when that fails."""

import logging
from typing import Any

import pytest
import torch

from midfill.model.backends.lean.gpu import attention, fusion
from midfill.model.backends.lean.gpu.attention import (
    attend_split,
    attend_whole,
    choose_attend,
    mask_for,
    piece_count,
)
from midfill.model.backends.lean.gpu.graphs import ROW_COUNTS, Run, row_count
from midfill.model.backends.lean.gpu.store import FIRST_BUCKET_TOKENS, STEP_TOKENS
from tests.gpu.places import Recorder, make_gpu
from tests.model.looping import expected, make_cache, make_loop, random_ids, run

CPU = torch.device("cpu")


def test_warming_up_records_every_step_of_the_first_bucket_and_says_how_far_it_is() -> None:
    model = make_gpu("cpu-recorded")
    past = model.make_past()
    shares = list(model.warm_up(past))
    extents = range(STEP_TOKENS, FIRST_BUCKET_TOKENS + 1, STEP_TOKENS)
    assert past.captured.keys() == {(extent, rows) for extent in extents for rows in ROW_COUNTS}
    assert shares == [(i + 1) / len(past.captured) for i in range(len(past.captured))]
    assert past.get_seq_length() == 0
    cache = make_cache(model)
    cache._past = past
    assert run(make_loop(model), cache, random_ids(30))[0] == expected(model, random_ids(30))
    assert model.steps._capture.recorded == len(shares)  # type: ignore[union-attr]


@pytest.mark.parametrize("working", [0, 1])
def test_a_recording_that_fails_leaves_the_eager_path(
    working: int, caplog: pytest.LogCaptureFixture
) -> None:
    model, recorder = make_gpu("cpu-eager"), Recorder()

    def failing(recorded: Run) -> Run:
        if recorder.recorded == working:
            raise RuntimeError("operation not permitted when stream is capturing\nand more")
        return recorder(recorded)

    model.steps._capture = failing
    cache, prompt = make_cache(model), random_ids(505)  # over a step's edge while decoding
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert run(make_loop(model, 64), cache, prompt)[0] == expected(model, prompt)
    assert not model.steps.captures
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "decoding without CUDA graphs, slower: operation not permitted when stream is capturing"
    ]


def test_a_recording_without_memory_is_not_the_end_of_recording() -> None:
    model, recorder = make_gpu("cpu-eager"), Recorder()
    calls: list[int] = []

    def failing(recorded: Run) -> Run:
        calls.append(1)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("no")
        return recorder(recorded)

    model.steps._capture = failing
    prompt = random_ids(505)
    assert run(make_loop(model, 64), make_cache(model), prompt)[0] == expected(model, prompt)
    assert (len(calls), recorder.recorded, model.steps.captures) == (2, 1, True)


def test_a_step_has_no_more_rows_than_there_are() -> None:
    assert [row_count(n) for n in (1, 2, 16)] == [1, 16, 16]
    with pytest.raises(ValueError, match="17 rows"):
        row_count(17)


@pytest.mark.parametrize("bits", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("begin", [0, 127, 128, 300, 2046])
def test_attention_in_pieces_is_attention(bits: torch.dtype, begin: int) -> None:
    def draw(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=torch.Generator().manual_seed(sum(size))).to(bits)

    queries, keys, values = draw(2, 6, 16), draw(2, 2048, 16), draw(2, 2048, 16)
    positions = torch.arange(2048)
    mask = mask_for(torch.tensor([begin]), positions, 2, 3, bits)
    seen = [[int(row.nonzero().max()) for row in mask.eq(0)]]
    assert seen == [[begin, begin + 1] * 3]
    assert piece_count(2048, 2) == 16
    ours, theirs = attend_split(queries, keys, values, mask), attend_whole(queries, keys, values, mask)
    exact = attend_whole(*(t.double() for t in (queries, keys, values)), mask.double())  # type: ignore[call-arg]
    allowed = max(1e-5, 3 * float((theirs.double() - exact).abs().max()))
    assert float((ours.double() - exact).abs().max()) <= allowed


def test_pieces_are_aligned_and_enough_to_fill_a_gpu() -> None:
    for extent in range(STEP_TOKENS, 40 * STEP_TOKENS, STEP_TOKENS):
        for heads in (1, 2, 4, 8, 32, 40):
            pieces = piece_count(extent, heads)
            assert extent % (8 * pieces) == 0
            assert pieces == 1 or (extent // pieces >= 128 and pieces * heads <= 256)
    assert (piece_count(16384, 32), piece_count(16384, 4), piece_count(512, 4)) == (8, 64, 4)


@pytest.mark.parametrize("fault", ["raises", "wrong", "nan"])
def test_attention_that_fails_here_is_not_used(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_attend(2, 3, 16, torch.float32, CPU) is attend_split

    def failing(queries: torch.Tensor, *_: Any) -> torch.Tensor:
        if fault == "raises":
            raise RuntimeError("no kernel")
        return torch.full_like(queries, float("nan") if fault == "nan" else 1.0)

    monkeypatch.setattr(attention, "attend_split", failing)
    assert choose_attend(2, 3, 16, torch.float32, CPU) is attend_whole


def test_one_compiled_function_serves_all_layers(tmp_path: Any) -> None:
    from torch._dynamo.testing import CompileCounter

    model, counter = make_gpu("cpu-eager"), CompileCounter()
    assert fusion.fuse(model.passes, tmp_path, counter)
    compiled = counter.frame_count
    assert compiled == 2 * len(ROW_COUNTS)
    prompt = random_ids(505)
    assert run(make_loop(model, 64), make_cache(model), prompt)[0] == expected(model, prompt)
    assert counter.frame_count == compiled, "something was compiled again while decoding"


@pytest.mark.parametrize("fault", ["raises", "wrong"])
def test_what_the_compiler_gets_wrong_is_not_used(
    fault: str, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def backend(graph: Any, _: Any) -> Any:
        if fault == "raises":
            raise RuntimeError("no C compiler")
        return lambda *inputs: tuple(out * 1.1 for out in graph(*inputs))

    model = make_gpu("cpu-eager")
    plain = model.passes.functions
    with caplog.at_level(logging.WARNING):
        assert not fusion.fuse(model.passes, tmp_path, backend)
    assert model.passes.functions is plain
    assert len(caplog.records) == 1
