import errno
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from midfill.model.errors import DamagedModel, DownloadError, UnknownModel
from midfill.model.store import files, licences
from midfill.model.store.manifest import is_kept
from midfill.model.store.store import Store
from midfill.model.store.transfer import export_model, import_model
from tests.store.making import gguf_bytes, repo_files, safetensors_bytes, sha256, write_folder


def test_an_installed_model_does_not_change_with_the_file_it_was_imported_from(
    store: Store, gguf: Path, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "trained", repo_files())
    file, weights = import_model(store, gguf), import_model(store, folder)
    for original, other in (
        (gguf, gguf_bytes(2.0)),
        (folder / "model.safetensors", safetensors_bytes(2.0)),
    ):
        with original.open("r+b") as opened:  # as `cp` and a training run do
            opened.write(other)
    assert file.path.read_bytes() == gguf_bytes()
    assert (weights.path / "model.safetensors").read_bytes() == safetensors_bytes()


def test_a_link_to_a_file_is_followed(store: Store, gguf: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    try:
        link.symlink_to(gguf)
    except OSError:
        pytest.skip("this user may make no links here")
    model = import_model(store, link)
    assert not model.path.is_symlink()
    assert model.path.read_bytes() == gguf_bytes()


def test_what_lies_in_the_stores_own_scratch_is_taken_without_a_copy(store: Store, gguf: Path) -> None:
    own = store.scratch() / "joined.gguf"
    own.write_bytes(gguf_bytes())
    inode = own.stat().st_ino
    assert import_model(store, own).path.stat().st_ino == inode
    assert import_model(store, gguf, "another").path.stat().st_ino != gguf.stat().st_ino


def test_a_disk_without_room_is_said_before_anything_is_copied(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[Any] = []
    monkeypatch.setattr(files, "_cloned", lambda *paths: False)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: Mock(free=files.SPARE_BYTES))
    monkeypatch.setattr(files.shutil, "copyfile", lambda *paths: copied.append(paths))
    with pytest.raises(DownloadError, match="disk is too full"):
        import_model(store, gguf)
    assert copied == []
    assert list((store.root / "partial").iterdir()) == []


def test_where_blocks_can_be_shared_no_room_is_asked_for(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clone(source: Path, target: Path) -> bool:
        target.write_bytes(source.read_bytes())
        return True

    monkeypatch.setattr(files, "_cloned", clone)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: Mock(free=0))
    assert import_model(store, gguf).path.read_bytes() == gguf_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="the call is Linux's")
@pytest.mark.parametrize("works", [True, False])
def test_blocks_are_shared_where_the_file_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    import fcntl

    asked: list[int] = []

    def ioctl(file: int, request: int, source: int) -> int:
        asked.append(request)
        if not works:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        os.write(file, os.read(source, 100))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(files.shutil, "copyfile", lambda source, target: target.write_bytes(b"copied"))
    (tmp_path / "a").write_bytes(b"bytes")
    files.copy_files({tmp_path / "a": tmp_path / "b"})
    assert (tmp_path / "b").read_bytes() == (b"bytes" if works else b"copied")
    assert asked == [0x40049409]  # FICLONE


@pytest.mark.parametrize("name", ["LICENCE.txt", "licence.TXT"])
def test_a_publishers_own_licence_file_stays_theirs_whatever_its_name(
    store: Store, elsewhere: Store, tmp_path: Path, name: str
) -> None:
    folder = write_folder(tmp_path / "theirs", {**repo_files(), name: b"Theirs"})
    model = import_model(store, folder)
    assert store.find("theirs") == model
    assert (model.path / name).read_bytes() == b"Theirs"
    ours = (model.path / "midfill.txt").read_text()
    assert sha256(b"Theirs") in ours
    assert name in next(line for line in ours.splitlines() if line.startswith("Its text:"))
    assert import_model(elsewhere, export_model(store, "theirs", tmp_path / "out")).name == "theirs"
    assert (elsewhere.folder("theirs") / name).read_bytes() == b"Theirs"


def test_our_text_is_no_name_that_a_models_file_can_have() -> None:
    assert not is_kept(licences._OTHER_TEXT)


def test_a_file_of_any_name_is_taken_under_the_name_that_is_given(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "模型.gguf"
    file.write_bytes(gguf_bytes())
    with pytest.raises(UnknownModel, match="give one with --name"):
        import_model(store, file)
    model = import_model(store, file, "mine")
    assert (model.name, model.path.name) == ("mine", "mine.gguf")
    assert store.find("mine") == model
    other = import_model(store, file, "notice")
    assert store.find("notice") == other


@pytest.mark.parametrize("folder", ["Downloads", "模型"])
@pytest.mark.parametrize("file", ["Qwen (1).gguf", "模型.gguf", "LICENSE.gguf"])
def test_a_folder_with_one_gguf_file_of_any_name_is_taken(
    store: Store, tmp_path: Path, folder: str, file: str
) -> None:
    path = write_folder(tmp_path / folder, {file: gguf_bytes(), "config.json": b"{}"})
    model = import_model(store, path, None if folder.isascii() else "mine")
    assert store.find(model.name) == model
    assert model.name == ("downloads" if folder.isascii() else "mine")
    assert model.path.read_bytes() == gguf_bytes()
    assert {record.path for record in store.manifest(model.name).files} == {
        "config.json",
        f"{model.name}.gguf",
    }


@pytest.mark.parametrize("theirs", [b'{"name": "webapp"}', b"[]", b'{"manifest": {"v": 1}}', b'"text"'])
def test_somebody_elses_manifest_is_no_hindrance_and_stays_behind(
    store: Store, tmp_path: Path, theirs: bytes
) -> None:
    folder = write_folder(tmp_path / "theirs", {**repo_files(), "manifest.json": theirs})
    model = import_model(store, folder)
    assert store.find("theirs") == model
    assert "manifest.json" not in {record.path for record in store.manifest("theirs").files}


@pytest.mark.parametrize("ours", [b"", b'{"manifest": 1, "na', b'{"manifest": 1}', b'{"manifest": 2}'])
def test_a_damaged_manifest_of_ours_is_still_refused(store: Store, tmp_path: Path, ours: bytes) -> None:
    folder = write_folder(tmp_path / "out", {**repo_files(), "manifest.json": ours})
    with pytest.raises(DamagedModel):
        import_model(store, folder)


def test_a_copy_that_may_take_minutes_is_announced(store: Store, gguf: Path) -> None:
    said: list[str] = []
    import_model(store, gguf, None, lambda progress: said.append(progress.message))
    assert said[0] == "Copying Model V1.gguf"
    assert said[1].startswith("Checking Model V1.gguf")
