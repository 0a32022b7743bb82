import json
from pathlib import Path

import pytest

from midfill.model.errors import DamagedModel, UnknownModel, UnsafeWeights
from midfill.model.store import weights
from midfill.model.store.store import Store
from midfill.model.store.transfer import import_model
from tests.store.making import gguf_bytes, repo_files, write_folder


def test_a_path_that_does_not_exist_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="There is no file or folder"):
        store.find(str(tmp_path / "nowhere"))
    with pytest.raises(UnknownModel, match="There is no file or folder"):
        store.find("sub/nowhere.gguf")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_a_folder_with_only_pickle_weights_is_refused_with_the_reason(
    store: Store, tmp_path: Path, name: str
) -> None:
    folder = write_folder(tmp_path / "pickled", {"config.json": b"{}", name: b"\x80\x04"})
    for attempt in (store.find, lambda spec: import_model(store, Path(spec))):
        with pytest.raises(UnsafeWeights, match="can run any code"):
            attempt(str(folder))
        with pytest.raises(UnsafeWeights):
            attempt(str(folder / name))


def test_folders_that_hold_no_whole_model_each_say_why(store: Store, tmp_path: Path) -> None:
    good = repo_files()
    cases = {
        "holds no weights": {"config.json": b"{}"},
        "no config.json": {"model.safetensors": good["model.safetensors"]},
        "cut short": {"config.json": b"{}", "model.safetensors": good["model.safetensors"][:-1]},
        "damaged": {"config.json": b"{}", "model.safetensors": b"\xff" * 50},
        "several GGUF files: name one of a.gguf, b.gguf": {"a.gguf": gguf_bytes(), "b.gguf": gguf_bytes()},
        "missing .model-00002-of-00002": {
            "config.json": b"{}",
            "model-00001-of-00002.safetensors": good["model.safetensors"],
            weights.INDEX: json.dumps(
                {
                    "weight_map": {
                        "a": "model-00001-of-00002.safetensors",
                        "b": "model-00002-of-00002.safetensors",
                    }
                }
            ).encode(),
        },
    }
    for number, (says, files) in enumerate(cases.items()):
        folder = write_folder(tmp_path / f"case{number}", files)
        with pytest.raises((UnknownModel, DamagedModel), match=says):
            store.find(str(folder))


def test_a_truncated_gguf_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(gguf_bytes()[:-40])
    with pytest.raises(DamagedModel, match="cut short"):
        store.find(str(path))
    with pytest.raises(DamagedModel, match="cut short"):
        import_model(store, path)
    assert store.names() == []
