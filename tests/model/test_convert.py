"""GGUF to safetensors: the same model comes out, whole or not at all."""

import errno
import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import GenerationConfig, PretrainedConfig, PreTrainedTokenizerBase

from midfill.model.api import LoadProgress
from midfill.model.backends.hf import convert
from midfill.model.backends.hf.convert import convert_gguf
from midfill.model.errors import DamagedModel, DownloadError, UnsupportedModel
from tests.model.tiny import make_model, make_tokenizer, write_gguf


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", make_model("qwen2"), make_tokenizer())


def ignore(_: LoadProgress) -> None:
    pass


def left_behind(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.suffix != ".lock")


def test_the_weights_and_the_tokenizer_come_out_as_they_went_in(gguf_file: Path, tmp_path: Path) -> None:
    said: list[LoadProgress] = []
    target = convert_gguf(gguf_file, tmp_path / "made" / "it", said.append)
    assert left_behind(target) == ["it"]
    assert {event.stage for event in said} == {"convert"}
    assert [event.fraction for event in said] == sorted(event.fraction or 0.0 for event in said)
    weights = load_file(target / "model.safetensors")
    for name, tensor in make_model("qwen2").state_dict().items():
        torch.testing.assert_close(weights[name], tensor.to(torch.bfloat16))
    assert "quantization_config" not in (target / "config.json").read_text(encoding="utf-8")
    made, original = Tokenizer.from_file(str(target / "tokenizer.json")), make_tokenizer()
    text = "def add(a, b):\n    return a + b  # 日本 😀"
    assert made.encode(text).ids == original.encode(text).ids
    assert made.normalizer is not None  # NFC, as Qwen's own tokenizer has it


def test_a_converted_model_is_not_converted_again(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = convert_gguf(gguf_file, tmp_path / "it", ignore)
    monkeypatch.setattr(convert, "_convert", lambda *_: pytest.fail("converted twice"))
    assert convert_gguf(gguf_file, target, ignore) == target


def test_a_second_process_waits_says_so_and_finds_it_done(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "it"
    monkeypatch.setattr(convert, "_convert", lambda *_: pytest.fail("converted twice"))
    monkeypatch.setattr(convert, "POLL_S", 0.01)
    waiting = threading.Event()
    with FileLock(tmp_path / "it.lock"):
        thread = threading.Thread(target=convert_gguf, args=(gguf_file, target, lambda _: waiting.set()))
        thread.start()
        assert waiting.wait(30)
        target.mkdir()
    thread.join(30)
    assert not thread.is_alive()


def test_what_a_killed_process_left_is_cleared_away(gguf_file: Path, tmp_path: Path) -> None:
    (tmp_path / ".it.abc").mkdir()
    target = convert_gguf(gguf_file, tmp_path / "it", ignore)
    assert left_behind(target) == ["it"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.99])
def test_a_truncated_file_is_damaged_and_leaves_nothing(
    gguf_file: Path, tmp_path: Path, share: float
) -> None:
    whole = gguf_file.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DamagedModel):
        convert_gguf(cut, tmp_path / "made" / "it", ignore)
    assert not (tmp_path / "made").exists() or left_behind(tmp_path / "made" / "it") == []


def test_an_architecture_transformers_does_not_know_is_unsupported(gguf_file: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(gguf_file.read_bytes().replace(b"qwen2", b"qwenX"))
    with pytest.raises(UnsupportedModel):
        convert_gguf(strange, tmp_path / "made" / "it", ignore)
    assert left_behind(tmp_path / "made" / "it") == []


FULL = "No space left on device"
WRITES: dict[str, tuple[Any, str, Exception]] = {
    "parents": (Path, "mkdir", OSError(errno.ENOSPC, FULL)),
    "lock": (convert.FileLock, "acquire", OSError(errno.ENOSPC, FULL)),
    "folder": (convert.tempfile, "mkdtemp", OSError(errno.ENOSPC, FULL)),
    "config": (PretrainedConfig, "save_pretrained", OSError(errno.ENOSPC, FULL)),
    "generation config": (GenerationConfig, "save_pretrained", OSError(errno.ENOSPC, FULL)),
    # These two write in Rust, and their errors are no OSError (seen on a full tmpfs).
    "tokenizer": (PreTrainedTokenizerBase, "save_pretrained", Exception(f"{FULL} (os error 28)")),
    "weights": (convert, "save_file", SafetensorError(f"I/O error: {FULL} (os error 28)")),
    "sync": (convert.os, "fsync", OSError(errno.ENOSPC, FULL)),
    "quota": (convert.os, "fsync", OSError(errno.EDQUOT, "Disk quota exceeded")),
    "rename": (convert.os, "replace", OSError(errno.ENOSPC, FULL)),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_disk_that_is_full_at_any_write_is_said_and_leaves_nothing(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    owner, name, error = WRITES[write]
    target = tmp_path / "made" / "it"
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, Mock(side_effect=error))
        with pytest.raises(DownloadError, match=r"too full: \d+ kB are needed, .* free in "):
            convert_gguf(gguf_file, target, ignore)
    assert not target.parent.exists() or left_behind(target) == []
    assert convert_gguf(gguf_file, target, ignore) == target  # once there is room


def test_a_disk_that_fails_otherwise_is_not_called_full(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "save_file", Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with pytest.raises(DownloadError, match=r"cannot be written to .*: Input/output error"):
        convert_gguf(gguf_file, tmp_path / "it", ignore)
    assert left_behind(tmp_path / "it") == []


class AbandonedError(Exception):
    pass


def test_a_report_that_raises_abandons_the_conversion(gguf_file: Path, tmp_path: Path) -> None:
    def report(event: LoadProgress) -> None:
        if event.message == "saving":
            raise AbandonedError

    with pytest.raises(AbandonedError):
        convert_gguf(gguf_file, tmp_path / "made" / "it", report)
    assert left_behind(tmp_path / "made" / "it") == []


def test_converting_is_silent(gguf_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    convert_gguf(gguf_file, tmp_path / "it", ignore)
    assert capfd.readouterr() == ("", "")


def test_a_disk_without_room_is_said_before_the_work_begins(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(folder: Path, needed: int) -> None:
        raise DownloadError(f"{needed} are needed")

    weights = sum(tensor.numel() for tensor in make_model("qwen2").state_dict().values())
    monkeypatch.setattr(convert, "require_room", no_room)
    with pytest.raises(DownloadError, match=f"^{2 * weights} are needed"):
        convert_gguf(gguf_file, tmp_path / "it", ignore)
    assert left_behind(tmp_path / "it") == []
