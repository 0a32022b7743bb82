"""The compiled kernels: what they compute, for whom, and what serves where they cannot be had."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu

from midfill.model.backends.lean import choice
from midfill.model.backends.lean.choice import choose_scheme
from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.native import library as built
from midfill.model.backends.lean.native.library import Library, library
from midfill.model.backends.lean.native.pack import NATIVE4, NATIVE8
from midfill.model.backends.lean.schemes import SCHEMES
from midfill.model.backends.lean.shape import read_shape
from midfill.model.config import ModelConfig
from tests.model.tiny import make_model

KERNELS = {"int4": NATIVE4, "int8": NATIVE8}
STEP = {"int4": 15, "int8": 127}


@pytest.fixture(scope="module")
def native() -> Library:
    try:
        return library()
    except RuntimeError as error:
        pytest.skip(f"no compiled kernels here: {error}")


def as_seen(name: str, packed: Any, columns: int) -> torch.Tensor:
    """The weight that a packed one stands for, read back from its layout."""
    tiles, groups, vectors, lanes, _ = packed.numbers.shape
    if name == "int4":
        pairs = packed.numbers
        numbers = torch.stack([pairs & 15, pairs >> 4], dim=3).view(tiles, groups, 2 * vectors, lanes, 4)
        scale, zero = packed.scales.float().unbind(2)
        values = (numbers.float() - 8) * scale[:, :, None, :, None] + zero[:, :, None, :, None]
    else:
        values = (packed.numbers.float() - 128) * packed.scales.float()[:, :, None, :, None]
    return values.permute(0, 3, 1, 2, 4).reshape(-1, columns)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, FEW_ROWS, FEW_ROWS + 1, 37])
def test_a_product_is_that_of_the_rounded_weight(native: Library, name: str, count: int) -> None:
    random = torch.Generator().manual_seed(count)
    weight, rows = torch.randn(176, 192, generator=random), torch.randn(count, 192, generator=random)
    packed = KERNELS[name].pack(weight)
    seen = as_seen(name, packed, 192)
    largest = weight.abs().max() if name == "int8" else (weight.max() - weight.min()) / 1
    assert float((seen - weight).abs().max()) < float(largest) / STEP[name]
    wanted = rows @ seen.T
    error = (KERNELS[name].multiply(rows, packed) - wanted).norm() / wanted.norm()
    assert float(error) < 0.008  # of rounding the rows to int8


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_rows_product_does_not_depend_on_the_rows_beside_it(
    native: Library, name: str, threads: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        weight, rows = torch.randn(1040, 128), torch.randn(29, 128)
        packed = KERNELS[name].pack(weight)
        together = KERNELS[name].multiply(rows, packed)
        for count in (1, 2, 3, 4, 8):
            assert torch.equal(KERNELS[name].multiply(rows[:count], packed), together[:count])
    finally:
        torch.set_num_threads(before)


def test_inputs_are_normed_on_the_way(native: Library) -> None:
    packed = NATIVE8.pack(torch.eye(128))
    rows, norm = torch.randn(3, 128), torch.rand(128) + 0.5
    out = torch.ones(3, 128)
    native.linear(8, packed.numbers, packed.scales, rows, out, norm=norm, epsilon=1e-5, add=True)
    torch.testing.assert_close(out - 1, rms_norm(rows, (128,), norm, 1e-5), rtol=0, atol=0.03)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("count", [1, FEW_ROWS, 63, 64, 65, 150])
def test_the_lower_half_of_a_product_is_gated_by_the_upper(native: Library, name: str, count: int) -> None:
    rows, kernel = torch.randn(count, 128) * 3, KERNELS[name]
    packed = kernel.pack(torch.randn(96, 128) * 0.3)
    out = torch.full((count, 48), float("nan"))
    native.linear(kernel.bits, packed.numbers, packed.scales, rows, out, gated=True)
    both = kernel.multiply(rows, packed)
    torch.testing.assert_close(out, silu(both[:, :48]) * both[:, 48:])


def test_rows_of_zeros_and_of_huge_numbers_come_out(native: Library) -> None:
    packed = NATIVE8.pack(torch.eye(64))
    rows = torch.zeros(2, 64)
    rows[1, 5] = 1e30
    out = NATIVE8.multiply(rows, packed)
    assert torch.equal(out[0], torch.zeros(64))
    assert float(out[1, 5]) == pytest.approx(1e30, rel=0.01)


@pytest.mark.parametrize(
    ("n", "begin", "dim", "heads", "kv_heads"),
    [
        (1, 0, 64, 14, 2),
        (3, 37, 64, 14, 2),
        (FEW_ROWS, 500, 128, 8, 8),
        (2, 831, 32, 4, 1),
        (5, 7, 96, 6, 3),
        (FEW_ROWS + 1, 0, 64, 14, 2),
        (40, 3, 32, 4, 4),
        (128, 703, 64, 14, 2),
        (65, 62, 128, 2, 2),
        (17, 64, 256, 8, 1),
    ],
)
def test_attention_is_torchs(
    native: Library, n: int, begin: int, dim: int, heads: int, kv_heads: int
) -> None:
    mixed, bias = torch.randn(n, heads + 2 * kv_heads, dim), torch.randn(heads + 2 * kv_heads, dim)
    cos, sin = torch.randn(n, 1, dim), torch.randn(n, 1, dim)
    keys, values = torch.randn(2, 1, kv_heads, begin + n + 3, dim)
    biased = mixed + bias
    turned = biased * cos + biased.view(n, -1, 2, dim // 2).flip(2).view_as(biased) * sin
    wanted_keys, wanted_values = keys.clone(), values.clone()
    wanted_keys[0, :, begin : begin + n] = turned[:, heads : heads + kv_heads].transpose(0, 1)
    wanted_values[0, :, begin : begin + n] = biased[:, heads + kv_heads :].transpose(0, 1)
    native.place(mixed, bias, cos, sin, keys, values, begin)
    torch.testing.assert_close(keys, wanted_keys)
    torch.testing.assert_close(values, wanted_values)
    out = torch.empty(n, heads * dim)
    native.attend(mixed, keys, values, begin, out)
    group, end = heads // kv_heads, begin + n
    wanted = scaled_dot_product_attention(
        turned[:, :heads].transpose(0, 1)[None],
        keys[:, :, :end].repeat_interleave(group, 1),
        values[:, :, :end].repeat_interleave(group, 1),
        attn_mask=torch.full((n, end), float("-inf")).triu_(begin + 1),
    )
    torch.testing.assert_close(out, wanted[0].transpose(0, 1).reshape(n, -1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("count", [1, 20])
def test_a_number_that_is_none_spoils_its_row_and_no_other(
    native: Library, name: str, bad: str, count: int
) -> None:
    packed, rows = KERNELS[name].pack(torch.randn(32, 256)), torch.randn(count, 256)
    rows[0, 17] = float(bad)
    out = KERNELS[name].multiply(rows, packed)
    assert not out[0].isfinite().any()
    assert out[1:].isfinite().all()


@pytest.mark.parametrize("n", [1, FEW_ROWS, 100])
@pytest.mark.parametrize("where", ["keys", "values"])
def test_attention_to_what_is_no_number_gives_none(native: Library, n: int, where: str) -> None:
    mixed, buffers = torch.randn(n, 6, 32), torch.randn(2, 1, 1, 200, 32)
    buffers[int(where == "values"), 0, 0, 70, 3] = float("nan")
    out = torch.empty(n, 128)
    native.attend(mixed, buffers[0], buffers[1], 80, out)
    assert out.view(n, 4, 32).isnan().any(dim=-1).all()


@pytest.mark.parametrize("vocabulary", [5, 16, 1000, 4099])
def test_the_likeliest_is_torchs(native: Library, vocabulary: int) -> None:
    logits = torch.randn(3, vocabulary) * 5
    logits[2, vocabulary // 2] = logits[2, -1] = 99.0  # of two the first
    logprobs = torch.log_softmax(logits, dim=-1)
    for row, (token, logprob) in enumerate(native.likeliest(logits)):
        assert token == (vocabulary // 2 if row == 2 else int(logits[row].argmax()))
        assert logprob == pytest.approx(float(logprobs[row, token]), abs=1e-4)
    logits[1, -1] = float("nan")
    assert [value != value for _, value in native.likeliest(logits)] == [False, True, False]


# Machines.

CHOOSE = """
import sys, torch
from midfill.model.backends.lean.native.library import library
try:
    library()
    print("built")
except RuntimeError as error:
    print(error)
"""


def said(**env: str) -> str:
    """What a fresh process says of its library."""
    asked = [sys.executable, "-c", CHOOSE]
    done = subprocess.run(asked, env=os.environ | env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_is_built_once_and_found_again(native: Library, tmp_path: Path) -> None:
    assert said(MIDFILL_CACHE_DIR=str(tmp_path)) == "built"
    (made,) = (tmp_path / "native").iterdir()
    stamp = made.stat().st_mtime_ns
    assert said(MIDFILL_CACHE_DIR=str(tmp_path), PATH=os.environ["PATH"]) == "built"
    assert made.stat().st_mtime_ns == stamp


def test_a_cache_that_cannot_be_written_costs_a_build_at_every_start(native: Library) -> None:
    assert said(MIDFILL_CACHE_DIR=os.devnull) == "built"


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"MIDFILL_NATIVE": "off"}, "MIDFILL_NATIVE is off"),
        ({"ATEN_CPU_CAPABILITY": "avx2"}, "no AVX-512"),
        ({"ATEN_CPU_CAPABILITY": "default"}, "no AVX-512"),
        ({"PATH": "", "CC": ""}, "no C compiler"),
        ({"CC": "false"}, "cannot be built"),
    ],
)
def test_a_machine_without_it_says_why(
    native: Library, tmp_path: Path, env: dict[str, str], why: str
) -> None:
    assert why in said(**env | {"MIDFILL_CACHE_DIR": str(tmp_path)})
    assert not list(tmp_path.glob("native/*"))


def test_without_the_library_torchs_kernels_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    if not SCHEMES["int4"].works():
        pytest.skip("torch has no quantised kernels on this machine")
    monkeypatch.setattr(built, "_found", lambda: "none here")
    monkeypatch.setattr(choice, "is_scalar", lambda _: False)  # a measurement: this machine may be busy
    shape = read_shape(make_model("qwen2").config.to_dict())
    assert choose_scheme(ModelConfig(), torch.device("cpu"), shape) is SCHEMES["int4"]
    assert choose_scheme(ModelConfig(quantization="int8"), torch.device("cpu"), shape) is SCHEMES["int8"]
