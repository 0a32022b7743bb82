"""Quantised weights: the kernels, the settings that choose them, their folder on disk."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from midfill.model.backends.lean import kernels, load
from midfill.model.backends.lean.choice import choose_scheme
from midfill.model.backends.lean.kernels import INT4, INT8, Packed, works
from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.load import load_lean, read_config
from midfill.model.backends.lean.packed import FILE, packed_dir, packed_once
from midfill.model.backends.lean.schemes import NATIVE, SCHEMES, Scheme
from midfill.model.backends.lean.shape import read_shape
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig
from tests.model.backends import REQUEST, loaded, refused
from tests.model.looping import random_ids
from tests.model.tiny import make_lean, make_model

CPU = torch.device("cpu")


def settings(family: str = "qwen2", **change: Any) -> dict[str, Any]:
    return make_model(family).config.to_dict() | change


@pytest.fixture
def quantising() -> str:
    """A kernel that this machine has; skips where it has none."""
    if not SCHEMES["int4"].works():
        pytest.skip("torch has no quantised kernels on this machine")
    return "int4"


# Kernels.


@pytest.mark.parametrize("kernel", [INT4, INT8], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("rows", [1, 3, FEW_ROWS])
def test_a_kernel_multiplies_as_its_rounded_weight_would(kernel: Any, rows: int) -> None:
    if not works(kernel):
        pytest.skip(f"torch has no {kernel.name} kernel on this machine")
    weight = torch.randn(192, 96, generator=torch.Generator().manual_seed(1))
    assert kernel.fits(weight)
    packed = kernel.pack(weight)
    rounded = (
        kernel.multiply(torch.eye(96).bfloat16(), packed).float().T
    )  # the weight as the kernel sees it
    error = (rounded - weight).abs()
    groups = weight.reshape(192, -1, 32)
    steps = {"int4": (groups.amax(-1) - groups.amin(-1)).max() / 15, "int8": weight.abs().max() / 127}
    assert float(error.max()) < float(steps[kernel.name])
    some = torch.randn(rows, 96).bfloat16()
    torch.testing.assert_close(
        kernel.multiply(some, packed).float(), some.float() @ rounded.T, rtol=0.02, atol=0.1
    )


def test_packing_in_slices_changes_nothing(monkeypatch: pytest.MonkeyPatch, quantising: str) -> None:
    weight = torch.randn(256, 64)
    for kernel in (INT4, INT8):
        whole = kernel.pack(weight)
        with monkeypatch.context() as patch:
            patch.setattr(kernels, "SLICE_ROWS", 64)
            sliced = kernel.pack(weight)
        assert torch.equal(whole.numbers, sliced.numbers)
        assert torch.equal(whole.scales, sliced.scales)


@pytest.mark.parametrize("family", ["qwen2", "llama"])
def test_few_rows_are_quantised_and_many_are_not(quantising: str, family: str) -> None:
    exact = make_lean(make_model(family, spread=0.2))
    rounded = make_lean(exact.reference, scheme=SCHEMES[quantising])
    for count in (1, FEW_ROWS, FEW_ROWS + 1, 40):
        ids = torch.tensor([random_ids(count)])
        ours, theirs = (model.model(ids[0], model.make_past()) for model in (rounded, exact))
        same = torch.allclose(ours, theirs, atol=1e-4)
        assert same == (count > FEW_ROWS)
        logits = [model(ids, model.make_past(), logits_to_keep=1).logits for model in (rounded, exact)]
        assert float(torch.cosine_similarity(*logits, dim=-1)) > 0.9


# Settings.


def test_auto_quantises_on_a_cpu_unless_a_number_format_was_asked_for(quantising: str) -> None:
    shape = read_shape(settings())
    served = choose_scheme(ModelConfig(), CPU, shape)
    assert served is not None
    assert choose_scheme(ModelConfig(dtype="float32"), CPU, shape) is None
    assert choose_scheme(ModelConfig(quantization="none"), CPU, shape) is None
    assert choose_scheme(ModelConfig(), CPU, None) is None
    assert choose_scheme(ModelConfig(), torch.device("cuda"), shape) is None
    assert choose_scheme(ModelConfig(quantization="int4", dtype="float32"), CPU, shape) is not None


def test_quantisation_that_cannot_be_had_is_refused(quantising: str) -> None:
    shape = read_shape(settings())
    for name in ("int8", "int4"):
        with pytest.raises(BadConfig, match="architecture"):
            choose_scheme(ModelConfig(quantization=name), CPU, None)
        with pytest.raises(BadConfig, match="CPUs"):
            choose_scheme(ModelConfig(quantization=name), torch.device("cuda"), shape)
    with pytest.raises(BadConfig, match="int3"):
        choose_scheme(ModelConfig(quantization="int3"), CPU, shape)


def _lacking(*_: Any) -> Any:
    raise NotImplementedError("Could not run 'aten::…' with arguments from the 'CPU' backend.")


def _wrong(rows: torch.Tensor, weight: Packed) -> torch.Tensor:
    return torch.zeros(rows.shape[0], weight.numbers.shape[0], dtype=torch.bfloat16)


@pytest.mark.parametrize(
    ("part", "broken"), [("pack", _lacking), ("multiply", _lacking), ("multiply", _wrong)]
)
def test_a_platform_without_the_kernel_serves_the_weights_as_stored(
    part: str,
    broken: Any,
    save_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for table in (SCHEMES, NATIVE):
        for name, scheme in table.items():
            monkeypatch.setitem(table, name, _broken(scheme, part, broken))
    folder = save_model()
    with caplog.at_level(logging.INFO, "midfill.model.backends.lean.choice"):
        backend, info = loaded(folder, config=ModelConfig(device="cpu", threads=1))
    assert info.dtype in ("float32", "bfloat16")
    assert len([r for r in caplog.records if r.name.endswith("lean.choice")]) == 1
    assert list(backend.stream(REQUEST))
    message = refused(folder, BadConfig, ModelConfig(device="cpu", threads=1, quantization="int4"))
    assert "no kernel" in message


def _broken(scheme: Scheme, part: str, how: Any) -> Scheme:
    """`scheme` whose kernels' `part` is `how`."""
    changed = {name: replace(kernel, **{part: how}) for name, kernel in scheme.kernels.items()}
    return replace(scheme, kernels=changed)


@pytest.mark.parametrize("quantization", ["auto", "int4", "int8"])
def test_a_quantised_model_answers_and_says_what_it_is(
    quantization: str, save_model: Callable[..., Path], quantising: str
) -> None:
    config = ModelConfig(device="cpu", threads=1, quantization=quantization)
    backend, info = loaded(save_model(), config=config)
    assert info.dtype.startswith("int")
    assert list(backend.stream(REQUEST))
    assert info.parameters == sum(p.numel() for p in make_model("qwen2").parameters())


# Memory and disk.


def test_weights_are_mapped_and_quantised_ones_are_all_that_is_added(
    save_model: Callable[..., Path], quantising: str
) -> None:
    folder = save_model()
    shape = read_shape(read_config(folder))
    assert shape is not None
    stored = sum(p.nbytes for p in make_model("qwen2").parameters())
    plain = load_lean(folder, shape, None, torch.float32, keep=None)
    assert plain.memory_bytes() <= stored * 1.01
    rounded = load_lean(folder, shape, SCHEMES["int4"], torch.float32, keep=None)
    assert rounded.memory_bytes() <= stored * 1.01 + 0.2 * stored
    before = plain.model.layers[0].mlp.down._parts[0].data_ptr()
    assert before != rounded.model.layers[0].mlp.down.stored._parts[0].data_ptr()


def test_quantised_weights_are_made_once(
    save_model: Callable[..., Path], quantising: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "CACHED_FROM", 1)
    folder = save_model(name="0123456789abcdef-v1")
    shape = read_shape(read_config(folder))
    assert shape is not None
    scheme = SCHEMES["int4"]

    def logits() -> torch.Tensor:
        model = load_lean(folder, shape, scheme, torch.float32, keep=folder)
        return model(torch.tensor([[5]]), model.make_past(), logits_to_keep=1).logits

    first = logits()
    kept = packed_dir(folder, scheme.key)
    assert kept.name.startswith(folder.name)  # so that removing the model takes it along
    scheme = _broken(scheme, "pack", _lacking)
    assert torch.equal(logits(), first)


def test_mapped_weights_begin_where_the_kernels_need_them(tmp_path: Path) -> None:
    odd = {name: Packed(torch.ones(3, dtype=torch.int8), torch.ones(5)) for name in "abc"}
    for weights in (odd, {"a": INT8.pack(torch.randn(64, 64))}):
        for name in ("first", "again"):
            found = packed_once(
                tmp_path / f"{len(weights)}", lambda weights=weights: weights, lambda _: True
            )
            for packed in found.values():
                assert (packed.numbers.data_ptr() % 64, packed.scales.data_ptr() % 64) == (0, 0), name
    with safe_open(tmp_path / "1" / FILE, framework="pt") as file:  # mapped as it is, not copied
        assert file.get_tensor("a.numbers").data_ptr() % 64 == 0


@pytest.mark.parametrize("damage", ["truncated", "gone", "other"])
def test_damaged_quantised_weights_are_made_again(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "a-int4-v1-x"
    good = {"a": Packed(torch.arange(4), torch.ones(2))}
    packed_once(folder, lambda: good, lambda _: True)
    file = folder / FILE
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:-3])
    elif damage == "gone":
        file.unlink()
    right: list[bool] = [damage != "other", True]
    calls: list[int] = []

    def make() -> dict[str, Packed]:
        calls.append(1)
        return good

    found = packed_once(folder, make, lambda _: False if damage == "other" else right[1])
    assert calls == [1]
    assert torch.equal(found["a"].numbers, good["a"].numbers)
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name, folder.name + ".lock"]


def test_a_folder_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    good = {"a": Packed(torch.arange(4), torch.ones(2))}
    assert packed_once(tmp_path / "file" / "x", lambda: good, lambda _: True) == good
    assert "cannot be kept" in caplog.text
