"""The ways to name a model in a setting: a hub id with its commit, a folder, a file."""

from pathlib import Path

import pytest

from midfill.model.errors import NoModel, UnknownModel
from midfill.model.store.local import WeightFormat
from tests.store.making import gguf_bytes, repo_files, write_folder

COMMIT = "1a2b3c4d" * 5


@pytest.fixture
def pulled(hub, get):
    hub.add_repo("Own/Coder", repo_files(), commit=COMMIT)
    return get("Own/Coder")


@pytest.mark.parametrize(
    "spec", ["Own/Coder", "own/coder", f"Own/Coder@{COMMIT}", "Own/Coder@1a2b3c4", "coder"]
)
def test_what_was_pulled_is_found_by_its_id_and_commit(store, pulled, spec):
    assert store.find(spec) == pulled
    assert store.use(spec) == pulled


def test_another_commit_is_not_taken_for_it(store, pulled):
    with pytest.raises(UnknownModel, match="installed at commit 1a2b3c4d1a2b, not at 9999999"):
        store.find("Own/Coder@9999999")
    with pytest.raises(UnknownModel, match="Name it Own/Coder@1a2b3c4d1a2b"):
        store.find("Own/Coder@main")


def test_what_was_not_pulled_is_named_with_the_way_to_get_it(store, pulled):
    for spec in ("Own/Other", "Own/Other@main", "Own/Coder/other-q8.gguf"):
        with pytest.raises(
            NoModel, match=f"{spec} is not installed: get it with `midfill model pull {spec}`"
        ):
            store.find(spec)


def test_one_file_of_a_repository_is_found_by_its_id(store, hub, get, tiny_hub, tiny):
    found = get(f"{tiny.repo}/{tiny.file}")
    assert store.find(f"{tiny.repo}/{tiny.file}@ccccccc") == found


def test_a_folder_or_a_file_of_that_name_is_a_path(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = write_folder(tmp_path / "own" / "coder", repo_files())
    assert store.find("own/coder").path == folder
    assert store.find(str(folder)).format is WeightFormat.SAFETENSORS
    (tmp_path / "own" / "m.gguf").write_bytes(gguf_bytes())
    assert store.find("own/m.gguf").format is WeightFormat.GGUF
    with pytest.raises(UnknownModel, match="There is no file or folder"):
        store.find(str(Path("own") / "sub" / "none"))
    with pytest.raises(UnknownModel, match="There is no file or folder"):
        store.find("/nowhere/m.gguf")
    with pytest.raises(UnknownModel, match="There is no file or folder"):
        store.find("own/none.gguf")
