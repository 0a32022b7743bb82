"""What a start imports: models that Midfill computes itself need no transformers, which takes seconds."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.model.backends.hf.model_settings import DEFAULTS, eos_ids, read_settings
from midfill.model.errors import DamagedModel, UnsupportedModel
from tests.model.backends import loaded, refused
from tests.model.tiny import make_model

HEAVY = ("transformers", "accelerate", "torch._dynamo", "torch._inductor", "huggingface_hub", "jinja2")
SERVE = """
import sys
from midfill.model.api import ChatMessage, ChatRequest, Finish, FimRequest
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.config import ModelConfig
from midfill.model.store.local import LocalModel, WeightFormat
from pathlib import Path

local = LocalModel("tiny-qwen2.5-coder", Path(sys.argv[1]), WeightFormat.SAFETENSORS)
backend = TransformersBackend(ModelConfig(device="cpu", threads=1), local)
backend.load(lambda _: None)
for request in (FimRequest("x = ", ""), ChatRequest((ChatMessage("user", "x"),), max_new_tokens=8)):
    *_, end = backend.stream(request)
    assert isinstance(end, Finish) and end.usage.generated_tokens, end
print(*[name for name in sys.argv[2:] if name in sys.modules])
"""


def test_a_model_of_ours_fills_and_chats_without_transformers(save_model: Callable[..., Path]) -> None:
    assert _imported(save_model()) == []


def test_another_model_is_seen_to_import_it(save_model: Callable[..., Path]) -> None:
    assert "transformers" in _imported(save_model(make_model("mistral")))


def _imported(folder: Path) -> list[str]:
    """Which of the heavy packages are there after a fill and an answer of the model in `folder`."""
    command = [sys.executable, "-c", SERVE, str(folder), *HEAVY]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


# What transformers read before, read here.


@pytest.mark.parametrize("family", ["qwen2", "llama"])
def test_what_a_config_leaves_out_is_what_transformers_takes(family: str) -> None:
    ours = type(make_model(family).config)()
    assert {key: getattr(ours, key) for key in DEFAULTS[family]} == DEFAULTS[family]


def test_settings_are_read_as_transformers_reads_them(save_model: Callable[..., Path]) -> None:
    from midfill.model.backends.hf.pretrained import check_settings

    folder = save_model()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    ours = read_settings(folder, config)
    assert ours == check_settings(folder)
    assert ours is not None
    assert len(ours.eos_ids) == 2  # the folder's two files say different ones


@pytest.mark.parametrize(("configured", "wanted"), [(None, {7, 8}), (5, {5, 7, 8}), ([5, 7], {5, 7, 8})])
def test_the_ends_of_both_files_count(
    tmp_path: Path, configured: int | list[int] | None, wanted: set[int]
) -> None:
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [7, 8]}', encoding="utf-8")
    assert eos_ids(tmp_path, configured) == wanted


def test_a_generation_config_that_cannot_be_read_is_damaged(save_model: Callable[..., Path]) -> None:
    folder = save_model()
    (folder / "generation_config.json").write_text("{", encoding="utf-8")
    assert "generation_config.json" in refused(folder, DamagedModel)


@pytest.mark.parametrize(
    "change",
    [
        {"eos_token_id": "<|im_end|>"},
        {"max_position_embeddings": "long"},
        {"hidden_size": None},
        {"num_attention_heads": 0},
        {"num_hidden_layers": "two"},
    ],
)
def test_values_that_make_no_sense_are_refused_with_a_sentence(
    save_model: Callable[..., Path], change: dict[str, object]
) -> None:
    folder = save_model()
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), encoding="utf-8")
    assert folder.name in refused(folder, UnsupportedModel)


def test_a_context_that_the_config_gives_is_kept(save_model: Callable[..., Path]) -> None:
    _, info = loaded(save_model())
    assert info.context_tokens == 1024
