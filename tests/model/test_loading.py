"""What loading refuses, and how it chooses device, number format, threads and context."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import AddedToken, normalizers, pre_tokenizers

from midfill.model.backends.hf.device import choose_device, choose_dtype, use_threads
from midfill.model.config import ModelConfig
from midfill.model.errors import (
    BadConfig,
    DamagedModel,
    GenerationError,
    UnsafeWeights,
    UnsupportedModel,
)
from tests.model.backends import REQUEST, loaded, refused
from tests.model.tiny import make_model, make_tokenizer


def test_truncated_weights_are_damaged(save_model: Callable[..., Path]) -> None:
    folder = save_model()
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    refused(folder, DamagedModel)


def test_missing_tensors_are_damaged_and_not_filled_with_noise(save_model: Callable[..., Path]) -> None:
    from safetensors.torch import load_file, save_file

    path = (folder := save_model()) / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    assert "missing" in refused(folder, DamagedModel)


def test_a_tokenizer_with_more_tokens_than_the_weights_is_damaged(save_model: Callable[..., Path]) -> None:
    tokenizer = make_tokenizer()
    tokenizer.add_tokens([AddedToken(f"word{i}", special=False) for i in range(200)])
    assert "do not belong together" in refused(save_model(tokenizer=tokenizer), DamagedModel)


def test_another_familys_smaller_tokenizer_is_damaged(save_model: Callable[..., Path]) -> None:
    model = make_model("qwen2")
    model.resize_token_embeddings(4096)
    assert "do not belong together" in refused(save_model(model), DamagedModel)


def test_weights_of_another_size_than_the_config_says_are_named(save_model: Callable[..., Path]) -> None:
    change_config(folder := save_model(), vocab_size=600)
    assert refused(folder, DamagedModel).startswith(f"{folder.name}: ")


LOSSES = {
    "spaces": {"normalizer": normalizers.Replace(" ", "")},
    "tabs": {"normalizer": normalizers.Replace("\t", "    ")},
    "what leads": {"normalizer": normalizers.Strip(left=True, right=False)},
    "what trails": {"normalizer": normalizers.Strip(left=False, right=True)},
    "blank lines": {"normalizer": normalizers.Replace("\n\n", "\n")},
    # What transformers 5.0–5.10 made of DeepSeek-Coder's (transformers #46489).
    "Metaspace on bytes": {"pre_tokenizer": pre_tokenizers.Metaspace()},
}


@pytest.mark.parametrize("lost", LOSSES)
def test_a_tokenizer_that_loses_whitespace_is_damaged(save_model: Callable[..., Path], lost: str) -> None:
    tokenizer = make_tokenizer()
    for part, wrong in LOSSES[lost].items():
        setattr(tokenizer, part, wrong)
    assert "give back the text" in refused(save_model(tokenizer=tokenizer), DamagedModel)


def test_a_bad_tokenizer_is_damaged_and_none_is_unsupported(
    save_model: Callable[..., Path],
) -> None:
    folder = save_model()
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    refused(folder, DamagedModel)
    (folder / "tokenizer.json").unlink()
    refused(folder, UnsupportedModel)


def test_pickle_weights_are_unsafe(save_model: Callable[..., Path]) -> None:
    folder = save_model()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    refused(folder, UnsafeWeights)


def change_config(folder: Path, **changes: Any) -> None:
    """Write config.json anew; a value of None takes its key out."""
    path = folder / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in settings.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


@pytest.mark.parametrize("kind", ["nonsense", "mamba", "bert"])
@pytest.mark.parametrize("keep_the_rest", [False, True])
def test_an_unknown_architecture_is_unsupported_and_named(
    save_model: Callable[..., Path], caplog: pytest.LogCaptureFixture, kind: str, keep_the_rest: bool
) -> None:
    folder = save_model()
    if not keep_the_rest:
        (folder / "config.json").write_text("{}", encoding="utf-8")
    change_config(folder, model_type=kind, architectures=[f"{kind}ForMaskedLM"])
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)  # its own writes where stderr was when it was imported
    said = refused(folder, UnsupportedModel)
    logger.removeHandler(caplog.handler)
    assert kind in said
    assert str(folder.parent) not in said
    assert caplog.records == []  # it would print the whole config


def test_a_config_that_names_no_type_is_unsupported(save_model: Callable[..., Path]) -> None:
    change_config(folder := save_model(), model_type=None)
    assert "what type of model" in refused(folder, UnsupportedModel)


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_config_that_cannot_be_read_is_damaged(save_model: Callable[..., Path], content: str) -> None:
    (folder := save_model()).joinpath("config.json").write_text(content, encoding="utf-8")
    assert "config.json cannot be read" in refused(folder, DamagedModel)


def test_code_in_a_models_folder_is_never_run(save_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = save_model()
    change_config(
        folder,
        model_type="own",
        auto_map={"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"},
    )
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    assert "which Midfill never runs" in refused(folder, UnsafeWeights)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("family", ["qwen2", "mistral"])  # the lean pass, and transformers
@pytest.mark.parametrize("name", ["qwen2.5-coder-tiny", "somebodys-model"])  # believed, and tried out
def test_weights_that_compute_no_numbers_are_refused_with_a_way_out(
    save_model: Callable[..., Path], family: str, name: str
) -> None:
    model = make_model(family)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight.fill_(torch.nan)
    said = refused(save_model(model, name=name), GenerationError)
    assert "NaN" in said
    assert "get it again" in said
    assert "`dtype` to float32" in said


@pytest.mark.parametrize(
    "change",
    [
        {"device": "nonsense"},
        {"device": "cuda:99"},
        {"device": "meta"},
        {"dtype": "int3"},
        {"quantization": "int3"},
        {"threads": -1},
        {"context_tokens": -1},
    ],
)
def test_settings_that_cannot_be_honoured_are_said(
    save_model: Callable[..., Path], change: dict[str, Any]
) -> None:
    values = {"device": "cpu", "dtype": "float32", "threads": 1, **change}
    refused(save_model(), BadConfig, ModelConfig(**values))


def test_loading_and_answering_are_silent(
    save_model: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = save_model()
    capfd.readouterr()
    backend, _ = loaded(folder)
    list(backend.stream(REQUEST))
    assert capfd.readouterr() == ("", "")


# Choices by machine.


@pytest.mark.parametrize(
    ("cuda_devices", "mps", "asked", "got"),
    [
        (1, True, "auto", "cuda"),
        (0, True, "auto", "mps"),
        (0, False, "auto", "cpu"),
        (2, False, "cuda:1", "cuda:1"),
        (2, False, "cuda:2", "this machine has 2 CUDA devices"),
        (0, False, "cuda", "this machine has 0 CUDA devices"),
        (0, False, "mps", "it needs an Apple GPU"),
        (0, True, "mps", "mps"),
    ],
)
def test_the_device_is_the_first_that_is_there_or_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch, cuda_devices: int, mps: bool, asked: str, got: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda_devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda_devices)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    if " " in got:
        with pytest.raises(BadConfig, match=got):
            choose_device(asked)
    else:
        assert choose_device(asked) == torch.device(got)


def test_the_number_format_is_what_was_measured_faster() -> None:
    cpu = torch.device("cpu")
    seconds = {torch.float32: 1.0, torch.bfloat16: 2.0}
    assert choose_dtype("auto", cpu, 1000, seconds.__getitem__) is torch.float32
    seconds[torch.bfloat16] = 0.5
    assert choose_dtype("auto", cpu, 1000, seconds.__getitem__) is torch.bfloat16
    assert choose_dtype("auto", cpu, 10**15, lambda _: pytest.fail("measured")) is torch.bfloat16
    assert choose_dtype("float16", cpu, 1000) is torch.float16


def test_the_real_measurement_ends() -> None:
    assert choose_dtype("auto", torch.device("cpu"), 1000) in (torch.float32, torch.bfloat16)


def test_threads_have_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from midfill.model.backends.hf import device

    before = torch.get_num_threads()
    for cores, threads in ((1, 1), (8, 7)):
        monkeypatch.setattr(device, "_cores", lambda cores=cores: cores)
        assert use_threads(0) == threads
        assert use_threads(1000) == cores
    assert use_threads(2) == torch.get_num_threads() == 2
    torch.set_num_threads(before)
