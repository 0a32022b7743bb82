import pytest

from midfill.model.errors import DownloadError, UnknownModel, UnsafeWeights
from midfill.model.store.download import Patience
from midfill.model.store.hub import HubFile, HubRepo, look_up, remote_file, wanted_files
from midfill.model.store.hub_id import parse_id
from tests.store.making import repo_files, sha256
from tests.store.serving import Fault, FileServer

COMMIT = "c" * 40


def repo_of(*names: str) -> HubRepo:
    return HubRepo("o/r", COMMIT, "mit", tuple(HubFile(name, 1, "") for name in names))


def taken(*names: str, file: str = "") -> set[str]:
    return {entry.path for entry in wanted_files(repo_of(*names), file)}


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("Qwen/Qwen2.5-Coder-0.5B", ("Qwen/Qwen2.5-Coder-0.5B", "", "")),
        ("o/r@abc123", ("o/r", "", "abc123")),
        ("o/r/f.q4_k_m.gguf@v1.0", ("o/r", "f.q4_k_m.gguf", "v1.0")),
        ("plain", None),
        ("../r", None),
        ("a/b/c", None),
        ("/abs/path", None),
    ],
)
def test_hub_ids_are_told_from_names_and_paths(spec: str, parts: tuple[str, str, str] | None) -> None:
    assert parse_id(spec) == parts


def test_only_safetensors_configuration_tokenizer_and_licence_are_wanted() -> None:
    assert taken(*repo_files(), "onnx/model.safetensors", "tokenizer.model", "USE_POLICY.md") == {
        "config.json",
        "tokenizer.json",
        "tokenizer.model",
        "model.safetensors",
        "LICENSE",
        "USE_POLICY.md",
    }


def test_of_two_forms_of_the_same_weights_one_is_wanted() -> None:
    sharded = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    index = "model.safetensors.index.json"
    assert taken(*sharded, index, "consolidated.safetensors") == {*sharded, index}
    assert taken("model.safetensors", "model.fp16.safetensors") == {"model.safetensors"}


def test_of_several_gguf_files_the_one_named_or_the_usual_one_is_wanted() -> None:
    names = ("m-q2_k.gguf", "m-q4_k_m.gguf", "m-q8_0.gguf", "LICENSE", "config.json")
    assert taken(*names) == {"m-q4_k_m.gguf", "LICENSE"}
    assert taken(*names, file="m-q8_0.gguf") == {"m-q8_0.gguf", "LICENSE"}
    with pytest.raises(UnknownModel, match="name one as o/r/FILE"):
        taken("m-q2_k.gguf", "m-q8_0.gguf")


def test_a_repository_with_only_pickles_is_refused() -> None:
    with pytest.raises(UnsafeWeights, match="only pickle"):
        taken("config.json", "pytorch_model.bin")
    with pytest.raises(UnknownModel, match="holds no weights"):
        taken("config.json", "README.md")


def test_the_mirror_is_asked_and_the_commit_pinned(
    hub: FileServer, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.add_repo("o/r", repo_files())
    found = look_up("o/r", "main", patience)
    assert found.commit == COMMIT
    weights = next(file for file in found.files if file.path == "model.safetensors")
    assert weights.sha256 == sha256(repo_files()["model.safetensors"])
    remote = remote_file(found, weights)
    assert remote.url == f"{hub.url}/o/r/resolve/{COMMIT}/model.safetensors"
    assert hub.requests[0].headers["authorization"] == "Bearer hf_secret"
    assert "hf_secret" not in repr(remote)


def test_no_such_repository_no_access_and_trouble_each_have_their_sentence(
    hub: FileServer, patience: Patience
) -> None:
    with pytest.raises(UnknownModel, match="There is no model o/none"):
        look_up("o/none", "main", patience)
    for code, says in [
        ("RepoNotFound", "There is no model"),
        ("RevisionNotFound", "has no revision 'main'.*taken away"),
    ]:
        hub.faults["/api/models/o/r/revision/main"] = [Fault(status=404, error_code=code)]
        with pytest.raises(UnknownModel, match=says):
            look_up("o/r", "main", patience)
    with pytest.raises(UnknownModel, match=r"There is no model o/r at .* or it has no revision 'v9'"):
        look_up("o/r", "v9", patience)  # a mirror, that does not say which of the two
    hub.faults["/api/models/o/r/revision/main"] = [
        Fault(status=403, error_code="GatedRepo"),
        Fault(status=500),
    ]
    with pytest.raises(DownloadError, match="accept its licence"):
        look_up("o/r", "main", patience)
    with pytest.raises(DownloadError, match=r"status 500"):
        look_up("o/r", "main", patience)


def test_no_network_is_one_clear_sentence(patience: Patience, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = FileServer()
    stopped.start()()
    monkeypatch.setenv("HF_ENDPOINT", stopped.url)
    with pytest.raises(DownloadError, match=r"is there a network\?.*midfill model import"):
        look_up("o/r", "main", patience)


@pytest.mark.parametrize("value", ["1", "true", "ON"])
def test_offline_means_that_nobody_is_asked(
    hub: FileServer, patience: Patience, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        look_up("o/r", "main", patience)
    assert hub.requests == []
