from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.model.api import LoadProgress
from midfill.model.errors import DamagedModel, DownloadError, ModelError, UnknownModel, UnsafeWeights
from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.store.store import Store
from tests.store.making import gguf_bytes, repo_files, write_folder
from tests.store.serving import Fault, FileServer

COMMIT = "c" * 40
TINY = "/Tiny/Tiny-Instruct-GGUF/resolve/" + COMMIT + "/tiny-instruct-q4_k_m.gguf"

Get = Callable[..., LocalModel]


class StoppedError(Exception):
    pass


def test_a_model_of_the_catalogue_comes_from_the_hub_at_a_commit_with_its_licence(
    tiny_hub: FileServer, tiny: CatalogueEntry, store: Store, get: Get, asked: list[CatalogueEntry]
) -> None:
    model = get("Tiny-Instruct")
    assert (model.name, model.format, model.sha256) == (tiny.name, WeightFormat.GGUF, tiny.sha256)
    assert model.path.read_bytes() == gguf_bytes()
    assert (model.path.parent / "LICENSE").read_bytes() == b"Apache"
    manifest = store.manifest(tiny.name)
    assert (manifest.repo, manifest.commit) == (tiny.repo, COMMIT)
    assert f"Commit: {COMMIT}" in (model.path.parent / "LICENCE.txt").read_text()
    assert asked == []
    assert list((store.root / "partial").iterdir()) == []


def test_the_first_model_pulled_is_in_use_and_a_second_does_not_push_it_out(
    tiny_hub: FileServer, store: Store, get: Get
) -> None:
    get("tiny-instruct")
    assert store.find("").name == "tiny-instruct"
    tiny_hub.add_repo("o/second", repo_files())
    get("o/second")
    assert store.find("").name == "tiny-instruct"


def test_trouble_with_the_model_in_use_does_not_fail_a_pull(
    tiny_hub: FileServer, store: Store, tmp_path: Path, get: Get
) -> None:
    folder = write_folder(tmp_path / "mine", repo_files())
    store.use(str(folder))
    folder.rename(tmp_path / "gone")
    assert get("tiny-instruct").name == "tiny-instruct"
    assert store.in_use() == str(folder)


def test_what_is_installed_is_not_asked_for_again(
    tiny_hub: FileServer, tiny: CatalogueEntry, get: Get
) -> None:
    get("tiny-instruct")
    before = len(tiny_hub.requests)
    assert get("tiny-instruct") == get(tiny.repo)
    assert len(tiny_hub.requests) == before


def test_a_damaged_model_is_mended_by_pulling_it_again(
    tiny_hub: FileServer, store: Store, get: Get
) -> None:
    get("tiny-instruct").path.write_bytes(b"GGUF")
    get("tiny-instruct")
    assert store.find("tiny-instruct").path.read_bytes() == gguf_bytes()


def test_a_hub_that_offers_other_bytes_under_a_known_name_is_refused_ahead(
    tiny_hub: FileServer, tiny: CatalogueEntry, store: Store, get: Get
) -> None:
    tiny_hub.add_repo(tiny.repo, {tiny.file: gguf_bytes(7.0)})
    with pytest.raises(DamagedModel, match="digest is not the known one"):
        get("tiny-instruct")
    assert tiny_hub.asked(TINY) == []


def test_bytes_damaged_on_their_way_are_refused_and_the_next_pull_starts_clean(
    tiny_hub: FileServer, store: Store, get: Get
) -> None:
    tiny_hub.files[TINY] = gguf_bytes()[:-1] + b"!"
    with pytest.raises(DamagedModel, match="wrong digest"):
        get("tiny-instruct")
    assert store.names() == []
    tiny_hub.files[TINY] = gguf_bytes()
    assert get("tiny-instruct").path.read_bytes() == gguf_bytes()


def test_a_pull_that_was_stopped_goes_on_even_when_the_hub_has_a_newer_commit(
    tiny_hub: FileServer, tiny: CatalogueEntry, store: Store, get: Get
) -> None:
    tiny_hub.faults[TINY] = [Fault(drop_after=300)]

    def stop(progress: LoadProgress) -> None:
        if progress.fraction:
            raise StoppedError

    with pytest.raises(StoppedError):
        get("tiny-instruct", stop)
    assert store.names() == []
    tiny_hub.add_repo(tiny.repo, {tiny.file: gguf_bytes()}, commit="d" * 40)
    get("tiny-instruct")
    again = tiny_hub.asked(TINY.replace(COMMIT, "d" * 40))[0]
    assert again.headers["range"] == "bytes=300-"
    assert store.manifest("tiny-instruct").commit == "d" * 40


def test_a_pinned_revision_that_is_gone_is_said_and_what_is_installed_stays(
    hub: FileServer, store: Store, get: Get
) -> None:
    hub.add_repo("o/r", repo_files())
    installed = get(f"o/r@{COMMIT}")
    gone = "b" * 40
    fault = Fault(status=404, error_code="RevisionNotFound")
    hub.faults[f"/api/models/o/r/revision/{gone}"] = [fault]
    with pytest.raises(UnknownModel, match=rf"o/r has no revision '{gone}'.*`midfill model pull o/r`"):
        get(f"o/r@{gone}")
    assert list((store.root / "partial").iterdir()) == []
    assert store.find(installed.name) == installed


def test_a_safetensors_repository_arrives_whole_without_pickles_and_code(
    hub: FileServer, store: Store, get: Get, asked: list[CatalogueEntry]
) -> None:
    hub.add_repo("Own-Er/Some-Model", repo_files(), licence="mit")
    model = get("Own-Er/Some-Model")
    assert (model.name, model.format) == ("some-model", WeightFormat.SAFETENSORS)
    assert {path.name for path in model.path.iterdir()} == {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "LICENSE",
        "LICENCE.txt",
        "manifest.json",
    }
    assert store.find("own-er/some-model") == model
    assert store.manifest("some-model").licence == "MIT"
    assert asked == []


def test_a_broken_off_repository_keeps_the_files_that_are_whole(
    hub: FileServer, store: Store, get: Get
) -> None:
    hub.add_repo("o/r", repo_files(), licence="mit")
    config = f"/o/r/resolve/{COMMIT}/config.json"
    hub.faults[config] = [Fault(status=503) for _ in range(5)]
    with pytest.raises(DownloadError):
        get("o/r")
    assert store.names() == []
    get("o/r")
    assert len(hub.asked(f"/o/r/resolve/{COMMIT}/model.safetensors")) == 1


def test_a_repository_with_only_pickles_is_refused(hub: FileServer, get: Get) -> None:
    hub.add_repo("o/pickled", {"config.json": b"{}", "pytorch_model.bin": b"\x80"})
    with pytest.raises(UnsafeWeights):
        get("o/pickled")


def test_weights_that_are_not_what_they_claim_are_not_installed(
    hub: FileServer, store: Store, get: Get
) -> None:
    hub.add_repo("o/bad", {**repo_files(), "model.safetensors": b"not a tensor"})
    with pytest.raises(DamagedModel):
        get("o/bad")
    assert store.names() == []
    assert list((store.root / "partial").iterdir()) == []


@pytest.mark.parametrize("spec", ["o/r", "codellama-7b"])
def test_a_licence_that_is_not_open_source_is_asked_for_before_anything_is_fetched(
    hub: FileServer, store: Store, get: Get, spec: str, asked: list[CatalogueEntry]
) -> None:
    hub.add_repo("o/r", repo_files(), licence="llama2")
    hub.add_repo("codellama/CodeLlama-7b-hf", repo_files(), licence="llama2")
    with pytest.raises(DownloadError, match=f"was not accepted. `midfill model pull {spec}` in a terminal"):
        get(spec, accept_licence=lambda entry: False)
    assert all(request.path.startswith("/api/") for request in hub.requests)
    assert store.names() == []
    get(spec)
    assert [entry.open_source for entry in asked] == [False]


def test_another_model_under_the_same_name_is_not_overwritten(
    hub: FileServer, store: Store, get: Get
) -> None:
    hub.add_repo("one/same", repo_files(1.0), licence="mit")
    hub.add_repo("two/same", repo_files(2.0), licence="mit")
    get("one/same")
    with pytest.raises(ModelError, match="installed already, from one/same"):
        get("two/same")


def test_a_local_file_is_taken_in_without_a_network(
    store: Store, tmp_path: Path, get: Get, hub: FileServer
) -> None:
    folder = write_folder(tmp_path / "here", repo_files())
    assert get(str(folder)).name == "here"
    assert hub.requests == []


def test_a_spec_that_means_nothing_gets_suggestions_and_no_request(hub: FileServer, get: Get) -> None:
    with pytest.raises(UnknownModel, match=r"Did you mean codellama-7b"):
        get("codellama-7")
    assert hub.requests == []


def test_offline_is_honoured_for_every_way_that_needs_a_network(
    hub: FileServer, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for spec in ("", "o/r", f"{hub.url}/m.gguf"):
        with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
            get(spec)
    assert hub.requests == []
