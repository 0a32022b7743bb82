import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from midfill.model.errors import DamagedModel, ModelError, NoModel, UnknownModel
from midfill.model.store import digests
from midfill.model.store.catalogue import DEFAULT_MODEL, CatalogueEntry
from midfill.model.store.local import MERGED_DIGITS, WeightFormat, converted_dir, weights_key
from midfill.model.store.store import Store
from midfill.model.store.transfer import import_model
from tests.store.making import gguf_bytes, repo_files, sha256, write_folder


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "Mein Modell é.gguf"
    path.write_bytes(gguf_bytes())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "Some-Model", repo_files())


def test_importing_the_store_imports_no_network_and_no_tensor_library() -> None:
    code = (
        "import sys, midfill.model.store, midfill.model.store.store as s; s.Store().list();"
        "print(sorted({'httpx2', 'huggingface_hub', 'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_empty_store_says_how_to_get_a_model(store: Store) -> None:
    assert store.list() == []
    with pytest.raises(NoModel, match="`midfill model pull`"):
        store.find("")


def test_the_default_model_is_found_without_being_chosen(
    store: Store, gguf: Path, tiny: CatalogueEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midfill.model.store.store.DEFAULT_MODEL", tiny.name)
    import_model(store, gguf)
    assert store.find("").name == tiny.name


def test_with_models_but_none_in_use_it_says_which_there_are(store: Store, gguf: Path) -> None:
    import_model(store, gguf, "mine")
    with pytest.raises(NoModel, match=r"mine with `midfill model use NAME`"):
        store.find("")


def test_use_lasts_and_takes_paths(store: Store, gguf: Path, folder: Path) -> None:
    import_model(store, gguf, "mine")
    store.use("MINE")
    assert Store(store.root).find("").name == "mine"
    store.use(str(folder))
    found = Store(store.root).find("")
    assert (found.path, found.format) == (folder, WeightFormat.SAFETENSORS)


def test_use_of_what_is_not_there_changes_nothing(store: Store, gguf: Path) -> None:
    import_model(store, gguf, "mine")
    store.use("mine")
    with pytest.raises(NoModel):
        store.use(DEFAULT_MODEL)
    assert store.in_use() == "mine"


def test_a_damaged_note_of_what_is_in_use_says_what_to_do(store: Store, gguf: Path) -> None:
    import_model(store, gguf, "mine")
    (store.root / "in-use.json").write_text("{")
    with pytest.raises(DamagedModel, match="midfill model use NAME"):
        store.find("")
    store.use("mine")
    assert store.find("").name == "mine"


def test_a_known_name_that_is_not_installed_is_no_model_yet(store: Store) -> None:
    with pytest.raises(NoModel, match="`midfill model pull codellama-7b`"):
        store.find("CodeLlama-7B")
    with pytest.raises(NoModel, match="`midfill model pull codellama-7b-python`"):
        store.find("codellama/CodeLlama-7b-Python-hf")


def test_a_mistyped_name_gets_suggestions(store: Store, gguf: Path) -> None:
    import_model(store, gguf, "my-own-model")
    with pytest.raises(UnknownModel, match=r"Did you mean codellama-7b\b"):
        store.find("codelama-7b")
    with pytest.raises(UnknownModel, match="my-own-model"):
        store.find("my-own-modle")


@pytest.mark.parametrize("name", ["../evil", "con", "x" * 200, ".hidden"])
def test_names_that_are_no_names_never_become_folders(store: Store, gguf: Path, name: str) -> None:
    with pytest.raises(UnknownModel):
        import_model(store, gguf, name)
    with pytest.raises(UnknownModel):
        store.remove(name)
    assert store.names() == []


def test_a_loose_gguf_file_is_found_with_its_digest_computed_once(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = store.find(str(gguf))
    assert (model.path, model.format, model.sha256) == (gguf, WeightFormat.GGUF, sha256(gguf_bytes()))
    monkeypatch.setattr(digests, "sha256_of", lambda path: "computed again")
    assert store.find(str(gguf)).sha256 == sha256(gguf_bytes())
    os.utime(gguf, ns=(1, 1))
    assert store.find(str(gguf)).sha256 == "computed again"


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_cache_that_cannot_be_written_costs_only_time(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(path: Path, value: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(digests, "write_json", refuse)
    assert store.find(str(gguf)).sha256 == sha256(gguf_bytes())


def test_an_installed_name_goes_before_a_folder_of_the_workspace(
    store: Store, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "work" / "mine", repo_files())
    monkeypatch.chdir(tmp_path / "work")
    import_model(store, gguf, "mine")
    assert store.find("mine").format is WeightFormat.GGUF


def test_an_installed_file_that_was_cut_is_noticed_and_can_be_installed_again(
    store: Store, gguf: Path
) -> None:
    model = import_model(store, gguf, "mine")
    model.path.write_bytes(b"GGUF")
    with pytest.raises(DamagedModel, match="midfill model remove mine"):
        store.find("mine")
    assert store.list() == []
    assert store.names() == ["mine"]
    import_model(store, gguf, "mine")
    assert store.find("mine").path.read_bytes() == gguf_bytes()


def test_remove_takes_the_model_and_what_was_made_from_it(store: Store, gguf: Path) -> None:
    model = import_model(store, gguf, "mine")
    store.use("mine")
    converted = converted_dir(model.sha256, store.root)
    converted.mkdir(parents=True)
    converted.with_name(f"{converted.name}.lock").touch()
    other = converted_dir("f" * 64, store.root)
    other.mkdir()
    store.partial("mine", "an old try")
    store.remove("mine")
    assert store.list() == []
    assert not converted.exists()
    assert other.exists()
    assert list((store.root / "partial").iterdir()) == []
    assert store.in_use() == ""
    assert gguf.read_bytes() == gguf_bytes()
    with pytest.raises(UnknownModel):
        store.remove("mine")


def test_adapters_merged_into_a_model_go_with_it(store: Store, gguf: Path, folder: Path) -> None:
    converted = converted_dir(import_model(store, gguf, "a").sha256, store.root)
    write_folder(converted, {"model.safetensors": b"weights"})
    bases = [converted, import_model(store, folder, "b").path]
    merged = [
        converted.with_name(f"{'f' * 16}-v1-on-{weights_key(base)[:MERGED_DIGITS]}{end}")
        for base in bases
        for end in ("", "-int4-v3-avx2-torch2.13")
    ]
    for made in merged:
        made.mkdir()
    store.remove("a")
    assert [made.exists() for made in merged] == [False, False, True, True]
    store.remove("b")
    assert not any(made.exists() for made in merged)


def test_remove_keeps_what_another_model_with_the_same_bytes_needs(store: Store, gguf: Path) -> None:
    import_model(store, gguf, "one")
    model = import_model(store, gguf, "two")
    converted_dir(model.sha256, store.root).mkdir(parents=True)
    store.remove("one")
    assert converted_dir(model.sha256, store.root).exists()


def test_remove_does_not_wait_for_a_pull_that_is_running(store: Store, gguf: Path) -> None:
    import_model(store, gguf, "mine")
    with store.lock("mine"), pytest.raises(ModelError, match="Another Midfill is working on mine"):
        store.remove("mine")
    assert store.find("mine")


def test_files_held_open_by_a_program_stay_whole(
    store: Store, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_model(store, gguf, "mine")

    def held(source: Path, target: Path) -> None:  # as Windows does for a folder with mapped files
        raise PermissionError(13, "in use", str(source))

    monkeypatch.setattr("midfill.model.store.scratch.os.replace", held)
    with pytest.raises(ModelError, match="close your editors"):
        store.remove("mine")
    assert store.find("mine").path.read_bytes() == gguf_bytes()


def test_what_is_half_done_never_counts(store: Store) -> None:
    half = store.partial("mine", "key")
    (half / "m.gguf").write_bytes(gguf_bytes())
    (store.root / "models" / "empty").mkdir(parents=True)
    assert store.list() == []
    with pytest.raises(DamagedModel, match="lost its manifest"):
        store.find("empty")
