import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from midfill.model.errors import DamagedModel, DownloadError, ModelError, UnknownModel
from midfill.model.store import files
from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.local import WeightFormat
from midfill.model.store.scratch import STALE_S
from midfill.model.store.store import Store
from midfill.model.store.transfer import export_model, import_model
from tests.store.making import gguf_bytes, repo_files, safetensors_bytes, sha256, write_folder


def test_an_imported_file_gets_a_name_of_its_own(store: Store, gguf: Path) -> None:
    model = import_model(store, gguf)
    assert (model.name, model.format, model.sha256) == ("model-v1", WeightFormat.GGUF, sha256(gguf_bytes()))
    assert store.find("model-v1") == model
    assert store.list() == [model]
    assert sha256(gguf_bytes()) in (model.path.parent / "LICENCE.txt").read_text()


def test_a_file_with_a_known_digest_gets_its_known_name_and_licence(
    store: Store, gguf: Path, tiny: CatalogueEntry
) -> None:
    model = import_model(store, gguf)
    assert model.name == tiny.name
    assert store.manifest(tiny.name).licence == "Apache-2.0"
    assert "Licence: Apache-2.0" in (model.path.parent / "LICENCE.txt").read_text()
    assert "Apache License" in (model.path.parent / "LICENSE-Apache-2.0.txt").read_text()


def test_a_file_may_not_take_a_known_name_that_is_not_its_own(
    store: Store, tmp_path: Path, tiny: CatalogueEntry
) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(gguf_bytes(2.0))
    with pytest.raises(DamagedModel, match="its digest differs"):
        import_model(store, path, tiny.name)
    assert store.names() == []


def test_importing_the_same_bytes_twice_is_no_error_but_others_may_not_take_the_name(
    store: Store, gguf: Path, tmp_path: Path
) -> None:
    assert import_model(store, gguf, "mine") == import_model(store, gguf, "mine")
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf_bytes(2.0))
    with pytest.raises(ModelError, match="--name"):
        import_model(store, other, "mine")
    assert store.find("mine").sha256 == sha256(gguf_bytes())


def test_where_hard_links_cannot_be_made_the_file_is_copied(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("this disk knows no hard links")

    monkeypatch.setattr(files.os, "link", refuse)
    model = import_model(store, gguf)
    assert model.path.read_bytes() == gguf_bytes()
    assert model.path.stat().st_nlink == 1


def test_an_imported_folder_leaves_pickles_and_code_behind(store: Store, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "Qwen2.5-Own", repo_files())
    model = import_model(store, folder)
    assert (model.name, model.format) == ("qwen2.5-own", WeightFormat.SAFETENSORS)
    taken = {path.name for path in model.path.iterdir()}
    assert taken == {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "LICENSE",
        "LICENCE.txt",
        "manifest.json",
    }


def test_a_disk_that_fills_up_during_an_import_leaves_nothing(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "link", full)
    monkeypatch.setattr(files.shutil, "copyfile", full)
    with pytest.raises(DownloadError, match="disk is too full"):
        import_model(store, gguf)
    assert store.names() == []
    assert list((store.root / "partial").iterdir()) == []


def test_what_a_killed_import_left_goes_after_a_day(store: Store, gguf: Path) -> None:
    old, fresh = store.scratch(), store.scratch()
    os.utime(old, (old.stat().st_mtime - STALE_S - 60,) * 2)
    import_model(store, gguf)
    assert not old.exists()
    assert fresh.exists()


@pytest.mark.parametrize("target", ["model.tar", "a folder"])
@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_an_export_is_taken_in_again_whole(
    store: Store, elsewhere: Store, gguf: Path, tmp_path: Path, target: str, kind: str
) -> None:
    source = gguf if kind == "gguf" else write_folder(tmp_path / "repo", repo_files())
    original = import_model(store, source, "mine")
    written = export_model(store, "mine", tmp_path / "stick" / target)
    arrived = import_model(elsewhere, written)
    assert (arrived.name, arrived.format, arrived.sha256) == ("mine", original.format, original.sha256)
    assert elsewhere.manifest("mine") == store.manifest("mine")
    assert [path.name for path in (tmp_path / "stick").iterdir()] == [target]


def test_an_export_never_overwrites(store: Store, gguf: Path, tmp_path: Path) -> None:
    import_model(store, gguf, "mine")
    (tmp_path / "there.tar").write_bytes(b"precious")
    with pytest.raises(ModelError, match="is there already"):
        export_model(store, "mine", tmp_path / "there.tar")
    assert (tmp_path / "there.tar").read_bytes() == b"precious"
    assert export_model(store, "mine", tmp_path) == tmp_path / "mine"


def test_an_export_with_changed_bytes_is_refused(
    store: Store, elsewhere: Store, gguf: Path, tmp_path: Path
) -> None:
    name = import_model(store, gguf, "mine").path.name
    written = export_model(store, "mine", tmp_path / "out")
    (written / name).write_bytes(gguf_bytes(3.0))
    with pytest.raises(DamagedModel, match="not what was exported"):
        import_model(elsewhere, written)
    (written / name).unlink()
    with pytest.raises(ModelError):
        import_model(elsewhere, written)
    assert elsewhere.names() == []


def test_a_model_that_went_bad_is_not_exported(store: Store, gguf: Path, tmp_path: Path) -> None:
    path = import_model(store, gguf, "mine").path
    path.unlink()
    path.write_bytes(gguf_bytes(3.0))
    with pytest.raises(DamagedModel, match="digests"):
        export_model(store, "mine", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tar_cut_short_is_refused(store: Store, elsewhere: Store, gguf: Path, tmp_path: Path) -> None:
    import_model(store, gguf, "mine")
    written = export_model(store, "mine", tmp_path / "m.tar")
    content = written.read_bytes()
    for size in (0, 100, 700, 3000, len(content) // 2):
        written.write_bytes(content[:size])
        with pytest.raises(ModelError):
            import_model(elsewhere, written)
    assert elsewhere.names() == []


def test_a_foreign_tar_is_refused(store: Store, gguf: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(gguf, "m.gguf")
    with pytest.raises(UnknownModel, match="not an export"):
        import_model(store, tmp_path / "x.tar")


@pytest.mark.parametrize(
    "path",
    [
        "../../evil.json",
        "/etc/evil.json",
        "C:\\evil.json",
        "model.bin",
        "code.py",
        "manifest.json",
        "nul.json",
    ],
)
def test_a_manifest_from_outside_cannot_name_other_places_or_pickles(
    store: Store, elsewhere: Store, gguf: Path, tmp_path: Path, path: str
) -> None:
    import_model(store, gguf, "mine")
    written = export_model(store, "mine", tmp_path / "out")
    manifest = json.loads((written / "manifest.json").read_text())
    manifest["files"].append({"path": path, "size": 1, "sha256": "0" * 64})
    (written / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DamagedModel, match="refused"):
        import_model(elsewhere, written)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"manifest": 2}', '{"manifest": 1, "files": 3}', "\xff"])
def test_an_unreadable_manifest_is_damage_and_can_be_removed(store: Store, gguf: Path, text: str) -> None:
    folder = import_model(store, gguf, "mine").path.parent
    (folder / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(DamagedModel):
        store.find("mine")
    store.remove("mine")
    assert store.names() == []


def test_progress_is_told_while_digests_are_computed(store: Store, tmp_path: Path) -> None:
    seen: list[float | None] = []
    files = {**repo_files(), "model.safetensors": safetensors_bytes()}
    import_model(
        store, write_folder(tmp_path / "r", files), None, lambda progress: seen.append(progress.fraction)
    )
    assert seen[-1] == 1.0
