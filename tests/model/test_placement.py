"""Where weights go and in which format, on machines that are not here; spreading for real on this one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from midfill.model.backends.hf import convert, loader
from midfill.model.backends.hf.memory import free_memory, has_bitsandbytes, load_arguments
from midfill.model.backends.hf.placement import Memory, Placement, place
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig, TooBig
from midfill.model.store.catalogue import by_name
from midfill.model.store.estimate import Serving
from midfill.model.store.shapes import sizes_of
from tests.model.backends import REQUEST, ignore, loaded, refused, text
from tests.model.tiny import make_model, make_tokenizer, write_gguf

GB = 1_000_000_000
BF16, CUDA, MPS, CPU = "bfloat16", "cuda", "mps", "cpu"


def placed(
    gpus: tuple[int, ...] = (),
    ram: int = 16,
    has_bitsandbytes: bool = True,
    device: str = CUDA,
    index: int | None = None,
    **settings: object,
) -> Placement:
    """Code Llama 7B: 13.5 GB in 16 bits, 7.0 in 8, 4.2 in 4; 8.6 GB of keys and values at 16k tokens."""
    entry = by_name("codellama-7b")
    assert entry is not None
    config = ModelConfig(**settings)  # type: ignore[arg-type]
    serving = Serving(device, BF16, config.context_tokens or 16_384)
    memory = Memory(ram * GB, tuple(gpu * GB for gpu in gpus))
    return place("codellama-7b", sizes_of(entry), serving, config, index, memory, has_bitsandbytes)


@pytest.mark.parametrize(
    ("machine", "format", "context", "devices"),
    [
        ({"gpus": (24,)}, BF16, 16_384, ()),
        ({"gpus": (16,)}, BF16, 4096, ()),  # one device goes before a long context
        ({"gpus": (8, 24), "index": 1}, BF16, 16_384, ()),
        ({"gpus": (12, 12)}, BF16, 16_384, (0, 1)),
        ({"gpus": (12, 12), "index": 0}, "int8", 8192, ()),  # this device and no other
        ({"gpus": (9,)}, "int8", 2048, ()),
        ({"gpus": (6,)}, "int4", 2048, ()),
        ({"gpus": (9,), "quantization": "none"}, BF16, 16_384, (0, CPU)),
        ({"gpus": (9,), "has_bitsandbytes": False}, BF16, 16_384, (0, CPU)),
        ({"gpus": (24,), "quantization": "int4"}, "int4", 16_384, ()),
        ({"gpus": (24,), "quantization": "int8", "context_tokens": 2048}, "int8", 2048, ()),
        ({"gpus": (24,), "device": MPS, "has_bitsandbytes": False}, BF16, 16_384, ()),
        ({"ram": 30, "device": CPU}, BF16, 8192, ()),
    ],
)
def test_where_code_llama_7b_goes(machine, format, context, devices) -> None:
    found = placed(**machine)
    assert (found.format, found.context_tokens, tuple(found.max_memory)) == (format, context, devices)


@pytest.mark.parametrize(
    ("machine", "error", "says"),
    [
        ({"gpus": (9,), "device": MPS}, TooBig, "9.0 GB of mps memory are free"),
        ({"gpus": (3,), "ram": 4}, TooBig, "does not fit"),
        ({"gpus": (16,), "ram": 2, "context_tokens": 16_384, "quantization": "none"}, TooBig, "int8"),
        ({"ram": 8, "device": CPU}, TooBig, "8.0 GB of memory are free"),
        ({"gpus": (4,), "quantization": "int4"}, TooBig, "does not fit"),
        (
            {"gpus": (24,), "quantization": "int8", "has_bitsandbytes": False},
            BadConfig,
            "pip install",
        ),
        ({"gpus": (24,), "quantization": "int4", "device": MPS}, BadConfig, "CPUs and NVIDIA GPUs alone"),
        ({"gpus": (24,), "quantization": "int3"}, BadConfig, "unknown quantization"),
    ],
)
def test_what_is_refused_and_why(machine, error, says) -> None:
    with pytest.raises(error, match=says):
        placed(**machine)


def test_shares_leave_room_for_keys_and_values() -> None:
    shares = placed((12, 12)).max_memory
    assert sum(shares.values()) < 16 * GB
    assert sum(shares.values()) >= 13_477_093_376
    assert placed((12, 12)).title == "bfloat16, on 2 devices"
    assert "CPU" in placed((9,), quantization="none").title


def test_a_placement_becomes_arguments() -> None:
    device = torch.device("cuda", 1)
    assert load_arguments(Placement(BF16, 1), device) == {}
    spread = load_arguments(Placement(BF16, 1, {0: 5, "cpu": 7}), device)
    assert spread == {"device_map": "auto", "max_memory": {0: 5, "cpu": 7}}
    int8 = load_arguments(Placement("int8", 1), device)
    assert int8["device_map"] == {"": device}
    assert int8["quantization_config"].load_in_8bit
    nf4 = load_arguments(Placement("int4", 1), device)["quantization_config"]
    assert (nf4.load_in_4bit, nf4.bnb_4bit_quant_type) == (True, "nf4")
    assert nf4.bnb_4bit_compute_dtype is torch.bfloat16


def test_memory_and_bitsandbytes_are_looked_up() -> None:
    assert free_memory().ram > 0
    assert len(free_memory().gpus) == torch.cuda.device_count() or torch.backends.mps.is_available()
    assert isinstance(has_bitsandbytes(), bool)


@pytest.fixture
def spread_over_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Embeddings and layer 1 on disk, the rest in memory: what accelerate can do without a GPU."""
    device_map = {"model.embed_tokens": "disk", "model.layers.0": "cpu", "model.layers.1": "disk"}
    device_map |= {"model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}
    how = {"device_map": device_map, "offload_folder": str(tmp_path / "offloaded")}
    from midfill.model.backends.hf import pretrained

    monkeypatch.setattr(pretrained, "load_arguments", lambda placed, device: how)


def test_a_spread_model_answers_as_a_whole_one(save_model: Callable[..., Path], request) -> None:
    folder = save_model(make_model("mistral"))  # no architecture of the lean pass
    whole = text(list(loaded(folder)[0].stream(REQUEST)))
    request.getfixturevalue("spread_over_disk")
    backend, _ = loaded(folder)
    weight = backend._loaded.model.model.layers[1].mlp.up_proj.weight
    assert weight.device.type == "meta"  # it is on disk indeed
    assert text(list(backend.stream(REQUEST))) == whole


def test_loading_asks_for_room_first(save_model: Callable[..., Path], monkeypatch) -> None:
    monkeypatch.setattr(loader, "free_memory", lambda: Memory(300_000))
    lean = save_model(name="lean")
    assert "does not fit: it needs" in refused(lean, TooBig)
    assert "does not fit: it needs" in refused(save_model(make_model("mistral"), name="other"), TooBig)
    monkeypatch.setattr(loader, "free_memory", lambda: Memory(1_000_000))
    assert loaded(lean)[1].context_tokens == 1024


def test_unpacking_asks_for_room_first(tmp_path: Path, monkeypatch) -> None:
    source = write_gguf(tmp_path / "m.gguf", make_model("qwen2"), make_tokenizer())
    monkeypatch.setattr(convert, "free_memory", lambda: Memory(100_000))
    with pytest.raises(TooBig, match="cannot be unpacked"):
        convert.convert_gguf(source, tmp_path / "target", ignore)
    assert not (tmp_path / "target").exists()
