"""An adapter's files come and go as a model's do: pulled, exported, imported, found."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from midfill.model.errors import UnsafeWeights, UnsupportedModel
from midfill.model.store.local import WeightFormat
from midfill.model.store.store import Store
from midfill.model.store.transfer import export_model, import_model
from tests.store.making import write_folder


def adapter_files(**config: object) -> dict[str, bytes]:
    about = {"peft_type": "LORA", "base_model_name_or_path": "o/base", "lora_alpha": 8} | config
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    pair = {key.format(half): np.ones((2, 2), dtype=np.float32) for half in "AB"}
    return {
        "adapter_config.json": json.dumps(about).encode(),
        "adapter_model.safetensors": save(pair),
        "README.md": b"# Adapter",
    }


def test_an_adapter_is_pulled_exported_and_imported_elsewhere(
    hub, get, store: Store, tmp_path: Path
) -> None:
    hub.add_repo("Own/Style", adapter_files())
    pulled = get("Own/Style")
    assert (pulled.name, pulled.format) == ("style", WeightFormat.ADAPTER)
    assert store.find("Own/Style") == pulled
    written = export_model(store, "style", tmp_path / "style.tar")
    elsewhere = Store(tmp_path / "elsewhere")
    assert import_model(elsewhere, written).format is WeightFormat.ADAPTER
    assert elsewhere.find("style").path == elsewhere.folder("style")


def test_an_adapter_that_nothing_here_can_merge_is_not_installed(store: Store, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "odd", adapter_files(use_dora=True))
    with pytest.raises(UnsupportedModel, match="DoRA"):
        import_model(store, folder)
    pickled = {"adapter_config.json": b"{}", "adapter_model.bin": b"\x80\x04"}
    with pytest.raises(UnsafeWeights):
        import_model(store, write_folder(tmp_path / "pickled", pickled))
    assert store.names() == []
