"""How much memory what takes on a GPU, and what is chosen because of it."""

import pytest
import torch

from midfill.model.backends.lean.gpu import choice, weight_only
from midfill.model.backends.lean.gpu.choice import PATH_VARIABLE, choose_bits, choose_path
from midfill.model.backends.lean.gpu.store import (
    MAX_ROWS,
    STEP_TOKENS,
    WASTE,
    KvSizes,
    StaticPast,
    bucket,
    fitting_tokens,
)
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig, OutOfMemory

GIB = 1 << 30
CODE_LLAMA_7B = KvSizes(32, 32, 128, torch.bfloat16, torch.device("cpu"))
SEVEN_B = 6_738_000_000


@pytest.mark.parametrize(
    ("sizes", "kib"),  # inference.md §4
    [
        ((32, 32, 128), 512),
        ((40, 40, 128), 800),
        ((48, 8, 128), 192),
        ((28, 4, 128), 56),
        ((28, 2, 128), 28),
    ],
    ids=["Code Llama 7B", "13B", "34B", "Qwen2.5-Coder 7B", "1.5B"],
)
def test_a_tokens_keys_and_values_take_what_the_arithmetic_says(
    sizes: tuple[int, int, int], kib: int
) -> None:
    assert KvSizes(*sizes, torch.bfloat16, torch.device("cpu")).bytes_per_token == kib * 1024


def test_buckets_double_and_end_behind_the_limit() -> None:
    assert [bucket(n, 16384) for n in (1, 1024, 1025, 5000, 16000)] == [1024, 1024, 2048, 8192, 16384]
    assert bucket(16384 + MAX_ROWS, 16384) == 16384 + STEP_TOKENS  # guesses behind a full context
    assert bucket(100, 300) == STEP_TOKENS
    assert bucket(3000, 16384, least=8192) == 8192


def test_a_step_reads_little_more_than_is_there() -> None:
    past = StaticPast(CODE_LLAMA_7B, 100_000)
    past.capacity, extents = bucket(100_000, 100_000), set()
    for past.length in range(0, 100_000, 7):
        extent = past.extent(1)
        assert past.length < extent <= past.capacity
        assert extent - past.length <= max(STEP_TOKENS, past.length / WASTE + 1)
        extents.add(extent)
    past.rewind(past.length + 9)
    assert past.get_seq_length() == 99_995
    assert len(extents) < 64  # a graph each
    assert len([extent for extent in extents if extent <= 16384]) <= 24


def test_a_context_is_cut_to_what_two_caches_have_room_for() -> None:
    assert fitting_tokens(CODE_LLAMA_7B, 16384, 100 * GIB) == 16384
    assert fitting_tokens(CODE_LLAMA_7B, 16384, 8 * GIB) == 8192
    assert fitting_tokens(CODE_LLAMA_7B, 16384, 0) == 1024
    assert fitting_tokens(CODE_LLAMA_7B, 700, 0) == 700


def bits(free_gib: float, there: bool = True, **config: str) -> str:
    return choose_bits(ModelConfig(**config), torch.bfloat16, SEVEN_B, CODE_LLAMA_7B, int(free_gib * GIB))


@pytest.fixture(params=[True, False], ids=["with torchao", "without"])
def there(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(choice, "is_there", lambda: request.param)
    return bool(request.param)


def test_what_fits_is_not_quantised(there: bool) -> None:
    assert (bits(80), bits(16)) == ("none", "none")
    assert bits(8, dtype="bfloat16") == "none"  # a format that was asked for is left alone
    assert bits(8, quantization="none") == "none"


def test_what_does_not_fit_is_quantised_as_little_as_need_be(there: bool) -> None:
    if there:
        assert (bits(12), bits(8)) == ("int8", "int4")
        with pytest.raises(OutOfMemory, match="4 GiB are free; none takes 13 GiB; int8 takes 6 GiB"):
            bits(4)
    else:
        with pytest.raises(OutOfMemory, match="pip install torchao"):
            bits(12)


@pytest.mark.parametrize("name", ["int8", "int4"])
def test_quantisation_asked_for_by_name_is_given_or_refused(there: bool, name: str) -> None:
    if there:
        assert bits(80, quantization=name) == name
        return
    with pytest.raises(BadConfig, match=f"{name}.*needs the package torchao"):
        bits(80, quantization=name)


def test_an_unknown_quantisation_and_int4_in_float16_are_refused(there: bool) -> None:
    with pytest.raises(BadConfig, match="unknown quantization 'int3'"):
        bits(80, quantization="int3")
    with pytest.raises(BadConfig, match="'int4'"):
        choose_bits(ModelConfig(quantization="int4"), torch.float16, SEVEN_B, CODE_LLAMA_7B, 80 * GIB)


def test_the_path_is_named_or_the_quickest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    assert choose_path() == "compiled"
    monkeypatch.setenv(PATH_VARIABLE, "transformers")
    assert choose_path() == "transformers"
    monkeypatch.setenv(PATH_VARIABLE, "vllm")
    with pytest.raises(BadConfig, match="vllm"):
        choose_path()


@pytest.mark.parametrize("name", ["int8", "int4"])
def test_torchao_multiplies_about_as_the_weight_does(name: str) -> None:
    if not weight_only.is_there():
        pytest.skip("torchao is not installed")
    if name == "int4" and not torch.cuda.is_available():
        pytest.skip("torchao's int4 needs a CUDA device")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weight = torch.randn(256, 1024, device=device).to(torch.bfloat16)
    rows = torch.randn(8, 1024, device=device).to(torch.bfloat16)
    wanted = torch.nn.functional.linear(rows, weight).float()
    got = torch.nn.functional.linear(rows, weight_only.quantiser(name)(weight)).float()
    assert float((got - wanted).norm() / wanted.norm()) < (0.02 if name == "int8" else 0.15)
