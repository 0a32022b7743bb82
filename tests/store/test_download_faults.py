import errno
import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from midfill.model.errors import DamagedModel, DownloadError
from midfill.model.store import files
from midfill.model.store.client import make_client
from midfill.model.store.download import Patience, RemoteFile, fetch
from midfill.model.store.meter import Meter, ignore
from tests.store.making import sha256
from tests.store.serving import Fault, FileServer

CONTENT = bytes(range(256)) * 12_000  # 3 MB: three blocks

HALF = len(CONTENT) // 2


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "m.gguf"


@pytest.fixture
def remote(server: FileServer) -> RemoteFile:
    server.files["/m.gguf"] = CONTENT
    return RemoteFile(f"{server.url}/m.gguf", len(CONTENT), sha256(CONTENT))


def get(remote: RemoteFile, target: Path, patience: Patience, report: Any = ignore) -> str:
    with make_client(patience) as client:
        return fetch(client, remote, target, Meter(report, "m", remote.size), patience)


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir()) if target.parent.exists() else []


Usage = namedtuple("Usage", "total used free")


def test_a_body_that_always_ends_early_is_an_error_and_no_file(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.faults["/m.gguf"] = [Fault(drop_after=0, no_length=True) for _ in range(9)]
    with pytest.raises(DownloadError, match="broke off"):
        get(remote, target, patience)
    assert not target.exists()
    assert len(server.requests) == 5


def test_a_truncated_body_without_length_is_noticed_and_completed(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.faults["/m.gguf"] = [Fault(drop_after=HALF, no_length=True)]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT


def test_a_file_of_another_length_is_refused_before_it_is_fetched(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    with pytest.raises(DamagedModel, match="another file"):
        get(RemoteFile(remote.url, len(CONTENT) + 1, remote.sha256), target, patience)
    assert left_over(target) == []


@pytest.mark.parametrize(
    ("status", "says"), [(404, "does not exist"), (401, "HF_TOKEN"), (418, "answered 418")]
)
def test_a_refusal_is_one_sentence_and_is_not_tried_again(
    status: int, says: str, server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.faults["/m.gguf"] = [Fault(status=status)]
    with pytest.raises(DownloadError, match=says):
        get(remote, target, patience)
    assert len(server.requests) == 1


def test_a_server_in_trouble_is_asked_again_with_growing_waits(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience, waits: list[float]
) -> None:
    server.faults["/m.gguf"] = [Fault(status=503), Fault(status=429), Fault(status=500)]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    assert waits == [1.0, 2.0, 4.0]


def test_a_server_that_stays_in_trouble_is_given_up(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.faults["/m.gguf"] = [Fault(status=503) for _ in range(9)]
    with pytest.raises(DownloadError, match="503"):
        get(remote, target, patience)
    assert len(server.requests) == 5


def test_progress_gives_new_tries(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience, waits: list[float]
) -> None:
    server.faults["/m.gguf"] = [Fault(drop_after=400_000) for _ in range(7)]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    assert waits == [1.0] * 7


def test_no_network_is_one_clear_sentence(
    tmp_path: Path, target: Path, patience: Patience, waits: list[float]
) -> None:
    stopped = FileServer()
    stopped.start()()
    with pytest.raises(
        DownloadError, match=r"cannot be reached: there is no network.*midfill model import"
    ):
        get(RemoteFile(f"{stopped.url}/m.gguf"), target, patience)
    assert waits == [1.0]
    assert left_over(target) == []


def test_a_disk_too_small_is_known_ahead(
    remote: RemoteFile, target: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 2_000_000))
    with pytest.raises(DownloadError) as caught:
        get(remote, target, patience)
    assert "3 MB are needed, 2 MB are free in" in str(caught.value)
    assert str(target.parent) in str(caught.value)
    assert left_over(target) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(
    remote: RemoteFile, target: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def filling_up(path: Path, *args: Any, **kwargs: Any) -> Any:
        file = real(path, *args, **kwargs)
        return FullDisk(file) if path.name.endswith(".part") else file

    monkeypatch.setattr(Path, "open", filling_up)
    with pytest.raises(DownloadError, match="disk is too full"):
        get(remote, target, patience)
    assert left_over(target) == []


class FullDisk:
    """A file on a disk with room for one block."""

    def __init__(self, file: Any) -> None:
        self.file, self.written = file, 0

    def write(self, block: bytes) -> int:
        self.written += len(block)
        if self.written > HALF:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self.file.write(block))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> "FullDisk":
        return self

    def __exit__(self, *args: Any) -> None:
        self.file.close()
