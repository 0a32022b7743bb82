"""The GPU's path behind the whole backend. On a CPU the loader is told that it serves there too."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from midfill.model.api import FimRequest, LoadProgress
from midfill.model.backends.hf import loader
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.lean.forward import LeanModel
from midfill.model.backends.lean.gpu import choice
from midfill.model.backends.lean.gpu.choice import PATH_VARIABLE
from midfill.model.backends.lean.gpu.model import GpuModel
from midfill.model.errors import BadConfig, DamagedModel
from tests.gpu.places import CUDA, Recorder
from tests.model.backends import CONFIG, QUESTION, REQUEST, as_local, ignore, loaded, refused, text
from tests.model.tiny import make_model


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=CUDA)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where lean shapes are served as on a GPU."""
    monkeypatch.setenv(PATH_VARIABLE, "graphs")
    if request.param == "cpu":
        monkeypatch.setattr(loader, "_serves_on_gpu", lambda _: True)
    return str(request.param)


def test_it_answers_as_the_cpu_does(save_model: Callable[..., Path], device: str) -> None:
    folder = save_model()
    ours, info = loaded(folder, config=replace(CONFIG, device=device))
    assert isinstance(ours._ready()[0].model, GpuModel)
    assert (info.dtype, info.context_tokens, info.can_chat) == ("float32", 1024, True)
    model = make_model("qwen2")
    assert info.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert info.memory_bytes == 4 * info.parameters
    wanted = TransformersBackend(replace(CONFIG, quantization="none"), as_local(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "_serves_on_gpu", lambda _: False)
        wanted.load(ignore)
    assert isinstance(wanted._ready()[0].model, LeanModel)
    for request in (REQUEST, QUESTION, FimRequest("x = ", "", max_new_tokens=30)):
        assert text(list(ours.stream(request))) == text(list(wanted.stream(request))) != ""


def test_fim_under_a_suspended_chat_disturbs_neither(save_model: Callable[..., Path], device: str) -> None:
    backend, _ = loaded(save_model(), config=replace(CONFIG, device=device))
    alone, fim = text(list(backend.stream(QUESTION))), text(list(backend.stream(REQUEST)))
    events = []
    for event in backend.stream(QUESTION):
        events.append(event)
        assert text(list(backend.stream(REQUEST))) == fim
    assert text(events) == alone


def test_warming_up_reports_its_share_and_leaves_recorded_steps(
    save_model: Callable[..., Path], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "cpu":
        monkeypatch.setattr("midfill.model.backends.lean.gpu.serve.cuda_capture", lambda _: Recorder())
    said: list[LoadProgress] = []
    backend = TransformersBackend(replace(CONFIG, device=device), as_local(save_model()))
    backend.load(said.append)
    shares = [event.fraction for event in said if event.fraction is not None]
    assert shares == sorted(shares)
    assert (shares[-1], said[-1].stage) == (1.0, "warm-up")
    past: Any = backend._documents.take((), "").cache.past
    assert len(past.captured) == len(shares)
    assert text(list(backend.stream(REQUEST))) != ""


def test_other_architectures_and_comparisons_are_left_to_transformers(
    save_model: Callable[..., Path], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, _ = loaded(save_model(make_model("mistral")), config=replace(CONFIG, device=device))
    assert not isinstance(backend._ready()[0].model, GpuModel)


def test_which_devices_take_this_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    assert [loader._serves_on_gpu(torch.device(name)) for name in ("cpu", "mps", "cuda")] == [
        False,
        False,
        True,
    ]
    monkeypatch.setenv(PATH_VARIABLE, "transformers")
    assert not loader._serves_on_gpu(torch.device("cuda"))


def test_quantisation_without_its_package_is_refused_with_its_name(
    save_model: Callable[..., Path], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "is_there", lambda: False)
    said = refused(save_model(), BadConfig, replace(CONFIG, device=device, quantization="int8"))
    assert "pip install torchao" in said


def test_damaged_weights_are_refused(save_model: Callable[..., Path], device: str) -> None:
    from safetensors.torch import load_file, save_file

    config, folder = replace(CONFIG, device=device), save_model()
    path = folder / "model.safetensors"
    weights = load_file(path)
    lost = weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, path, metadata={"format": "pt"})
    assert "missing" in refused(folder, DamagedModel, config)
    save_file({**weights, "model.layers.1.mlp.up_proj.weight": lost[:-1]}, path, metadata={"format": "pt"})
    said = refused(folder, DamagedModel, config)
    assert said.startswith(f"{folder.name}: ")
    assert "config says" in said
    path.write_bytes(path.read_bytes()[:-1000])
    assert "cannot be read" in refused(folder, DamagedModel, config)


def test_documents_take_turns_on_the_buffers_whose_steps_were_recorded(
    save_model: Callable[..., Path], device: str
) -> None:
    backend, _ = loaded(save_model(), config=replace(CONFIG, device=device))
    pasts = set()
    for path in ("a.py", "b.py", "a.py"):
        request = FimRequest(f"{path} = 1\n" * 60, "", path=path, max_new_tokens=2)
        list(backend.stream(request))
        pasts |= {id(kept.cache.past) for kept in backend._documents._kept}
    assert len(pasts) == 1


@pytest.mark.parametrize(
    ("error", "left_to_transformers"),
    [
        (torch.OutOfMemoryError("no"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("shapes differ"), False),
    ],
)
def test_what_has_no_room_is_left_to_transformers_and_a_fault_is_said(
    save_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    error: Exception,
    left_to_transformers: bool,
) -> None:
    from midfill.model.backends.lean.gpu import serve

    monkeypatch.setattr(serve, "load_gpu", Mock(side_effect=error))
    folder, config = save_model(), replace(CONFIG, device=device)
    if left_to_transformers:
        backend, info = loaded(folder, config=config)
        assert info.note == ""  # nothing that was asked for by name is lacking
        assert isinstance(backend._ready()[0].model, torch.nn.Module)
        assert not isinstance(backend._ready()[0].model, GpuModel | LeanModel)
    else:
        with pytest.raises(RuntimeError, match="shapes differ"):
            loaded(folder, config=config)


def test_a_named_quantisation_that_is_given_up_for_want_of_room_is_said(
    save_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    device: str,
) -> None:
    from midfill.model.backends.lean.gpu import serve

    monkeypatch.setattr(serve, "load_gpu", Mock(side_effect=torch.OutOfMemoryError("no room")))
    _, info = loaded(save_model(), config=replace(CONFIG, device=device, quantization="int4"))
    assert info.note.startswith("quantization 'int4' was given up")
    assert info.note.endswith("its weights are float32")
    assert "does not fit" in caplog.text
