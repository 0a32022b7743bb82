"""A LoRA on its base equals the base with the changes added by hand; other adapters are refused."""

import errno
import json
import math
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.hf.loader import load_model
from midfill.model.backends.lean.forward import LeanModel
from midfill.model.config import ModelConfig
from midfill.model.errors import DamagedModel, DownloadError, ModelError, UnknownModel, UnsupportedModel
from midfill.model.store.local import WeightFormat
from midfill.model.store.store import Store
from midfill.model.store.transfer import import_model
from tests.model.adapters import ALPHA, RANK, TARGETS, changed, make_pairs, write_adapter
from tests.model.backends import CONFIG, REQUEST, as_local, ignore, text
from tests.model.tiny import make_model

PLAIN = dict.fromkeys(TARGETS, ALPHA / RANK)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def base(save_model: Callable[..., Path]) -> Path:
    return save_model(name="qwen2.5-coder-tiny")


def logits(local, config: ModelConfig = CONFIG) -> torch.Tensor:
    loaded = load_model(local, config, ignore)
    ids = torch.tensor([[5, 9, 200, 31, 7]])
    with torch.inference_mode():
        past = {"past_key_values": loaded.make_past()} if isinstance(loaded.model, LeanModel) else {}
        return loaded.model(input_ids=ids, **past).logits


@pytest.mark.parametrize("family", ["qwen2", "mistral"])  # the lean pass, and transformers
def test_merged_logits_are_the_bases_with_the_changes_added_by_hand(save_model, tmp_path, family) -> None:
    base = save_model(make_model(family), name="base")
    model = make_model(family)
    pairs = make_pairs(model)
    folder = write_adapter(tmp_path / "adapter", str(base), pairs)
    by_hand = save_model(changed(model, pairs, PLAIN), name="by-hand")
    found = Store().find(str(folder))
    assert found.format is WeightFormat.ADAPTER
    torch.testing.assert_close(logits(found), logits(as_local(by_hand)), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(logits(found), logits(as_local(base)), atol=0.1)


@pytest.mark.parametrize(
    ("config", "scales"),
    [
        ({"use_rslora": True}, dict.fromkeys(TARGETS, ALPHA / math.sqrt(RANK))),
        ({"alpha_pattern": {"q_proj": 2}}, {TARGETS[0]: 2 / RANK, TARGETS[1]: ALPHA / RANK}),
    ],
)
def test_other_scales(save_model, base, tmp_path, config, scales) -> None:
    model = make_model("qwen2")
    pairs = make_pairs(model)
    folder = write_adapter(tmp_path / "adapter", str(base), pairs, **config)
    by_hand = save_model(changed(model, pairs, scales), name="by-hand")
    merged = logits(Store().find(str(folder)))
    torch.testing.assert_close(merged, logits(as_local(by_hand)), rtol=1e-4, atol=1e-4)


def test_a_base_in_sixteen_bits_is_rounded_once_behind_the_sum(save_model, tmp_path) -> None:
    base = save_model(make_model("qwen2").bfloat16(), name="base")
    pairs = {
        name: (a.bfloat16() / 100, b.bfloat16()) for name, (a, b) in make_pairs(make_model("qwen2")).items()
    }
    folder = write_adapter(tmp_path / "adapter", str(base), pairs)
    load_model(Store().find(str(folder)), CONFIG, ignore)
    (merged,) = (tmp_path / "cache" / "converted").glob("*/model.safetensors")
    before, after = load_file(base / "model.safetensors"), load_file(merged)
    for name, (a, b) in pairs.items():
        change = ALPHA / RANK * (b.float() @ a.float())
        wanted = (before[f"{name}.weight"].float() + change).bfloat16()
        assert torch.equal(after.pop(f"{name}.weight"), wanted)
    assert all(torch.equal(tensor, before[key]) for key, tensor in after.items())


def test_an_imported_adapter_fills_in_its_bases_dialect_and_goes_with_all_that_was_made_of_it(
    base, tmp_path
) -> None:
    store = Store()
    import_model(store, base)
    write_adapter(tmp_path / "my-style", "qwen2.5-coder-tiny", make_pairs(make_model("qwen2")))
    local = import_model(store, tmp_path / "my-style")
    assert (local.name, local.format) == ("my-style", WeightFormat.ADAPTER)
    assert store.find("my-style") == local
    backend = TransformersBackend(CONFIG, local)
    assert backend.load(ignore).dialect == "qwen2.5-coder"
    answer = text(list(backend.stream(REQUEST)))
    plain = TransformersBackend(CONFIG, store.find("qwen2.5-coder-tiny"))
    plain.load(ignore)
    assert answer != text(list(plain.stream(REQUEST)))
    made = list((store.root / "converted").glob("*-on-????????"))
    assert len(made) == 1
    store.remove("my-style")
    assert not made[0].exists()


def test_merged_weights_are_kept_until_the_adapter_or_the_base_changes(base, tmp_path) -> None:
    pairs = make_pairs(make_model("qwen2"))
    folder = write_adapter(tmp_path / "adapter", str(base), pairs)
    local, made = Store().find(str(folder)), tmp_path / "cache" / "converted"

    def load() -> set[str]:
        load_model(local, CONFIG, ignore)
        return {path.name for path in made.iterdir() if path.is_dir()}

    first = load()
    assert load() == first
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    (folder / "adapter_config.json").write_text(json.dumps(config | {"lora_alpha": 1}), encoding="utf-8")
    assert len(load()) == 2
    (base / "model.safetensors").touch()
    assert len(load()) == 3


@pytest.mark.parametrize(
    ("config", "error", "says"),
    [
        ({"peft_type": "IA3"}, UnsupportedModel, "kind IA3: only LoRA"),
        ({"use_dora": True}, UnsupportedModel, "DoRA"),
        ({"modules_to_save": ["embed_tokens"]}, UnsupportedModel, "whole modules"),
        ({"bias": "all"}, UnsupportedModel, "biases"),
        ({"init_lora_weights": "pissa_niter_4"}, UnsupportedModel, "a base model changed by pissa"),
        ({"base_model_name_or_path": None}, DamagedModel, "does not name the model"),
        ({"lora_alpha": None}, DamagedModel, "lacks what a LoRA needs"),
        ({"base_model_name_or_path": "own/base"}, UnknownModel, "`midfill model pull own/base`"),
    ],
)
def test_what_is_no_plain_lora_of_a_model_here_is_refused(base, tmp_path, config, error, says) -> None:
    pairs = make_pairs(make_model("qwen2"))
    folder = write_adapter(tmp_path / "adapter", str(base), pairs, **config)
    with pytest.raises(error, match=says):
        load_model(Store().find(str(folder)), CONFIG, ignore)


@pytest.mark.parametrize("kind", ["shape", "target", "half", "other", "cut"])
def test_weights_that_do_not_belong_to_the_base_are_refused_and_leave_nothing(base, tmp_path, kind) -> None:
    pairs = make_pairs(make_model("qwen2"))
    a, b = pairs[TARGETS[0]]
    says = "was not made for qwen2.5-coder-tiny"
    match kind:
        case "shape":
            pairs[TARGETS[0]] = (a[:, :-1], b)
        case "target":
            pairs["model.layers.7.self_attn.q_proj"] = pairs.pop(TARGETS[0])
    folder = write_adapter(tmp_path / "adapter", str(base), pairs)
    weights = folder / "adapter_model.safetensors"
    tensors = load_file(weights)
    match kind:
        case "half":
            tensors.popitem()
            save_file(tensors, weights)
            says = "is not whole"
        case "other":
            save_file(tensors | {"base_model.model.lm_head.lora_magnitude_vector": a}, weights)
            says = "is no plain LoRA"
        case "cut":
            weights.write_bytes(weights.read_bytes()[:-10])
            says = "cut short or damaged"
    with pytest.raises(ModelError, match=says):
        load_model(Store().find(str(folder)), CONFIG, ignore)
    made = tmp_path / "cache" / "converted"
    assert [path for path in made.glob("*") if path.is_dir()] == []


def test_an_adapter_of_an_adapter_is_refused(base, tmp_path) -> None:
    pairs = make_pairs(make_model("qwen2"))
    inner = write_adapter(tmp_path / "inner", str(base), pairs)
    outer = write_adapter(tmp_path / "outer", str(inner), pairs)
    with pytest.raises(UnsupportedModel, match="is an adapter itself"):
        load_model(Store().find(str(outer)), CONFIG, ignore)


FULL = OSError(errno.ENOSPC, "No space left on device")
WRITES = {
    "lock": ("FileLock.acquire", FULL),
    "folder": ("tempfile.mkdtemp", FULL),
    # In Rust: its error is no OSError (seen on a full tmpfs).
    "weights": ("save_file", SafetensorError("I/O error: No space left on device (os error 28)")),
    "sync": ("os.fsync", FULL),
    "rename": ("os.replace", FULL),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_disk_that_is_full_at_any_write_is_said_and_leaves_nothing(
    base, tmp_path, monkeypatch, write
) -> None:
    local = Store().find(str(write_adapter(tmp_path / "a", str(base), make_pairs(make_model("qwen2")))))
    name, error = WRITES[write]
    with monkeypatch.context() as patched:
        patched.setattr(f"midfill.model.backends.hf.adapted.{name}", Mock(side_effect=error))
        with pytest.raises(DownloadError, match=r"too full: \d+ kB are needed, .* free in "):
            load_model(local, CONFIG, ignore)
    assert [path for path in (tmp_path / "cache" / "converted").glob("*") if path.is_dir()] == []
    load_model(local, CONFIG, ignore)  # once there is room
