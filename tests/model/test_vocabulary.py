"""What a model's folder says about its tokens, and which families are refused for the code they bring."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer

from midfill.model.api import ChatMessage, ChatRequest, FimRequest, Finish
from midfill.model.backends.hf.vocabulary import read_vocabulary
from midfill.model.dialects import CODELLAMA_SPM, Decision
from midfill.model.errors import UnsafeWeights
from tests.model.backends import loaded
from tests.model.tiny import make_gemma_like, make_tokenizer

SANTACODER = ("<fim-prefix>", "<fim-suffix>", "<fim-middle>")


def with_markers(*markers: str) -> Tokenizer:
    tokenizer = make_tokenizer()
    tokenizer.add_special_tokens([AddedToken(marker, special=True, normalized=False) for marker in markers])
    return tokenizer


def write(folder: Path, name: str, **values: Any) -> None:
    path = folder / name
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(old | values), encoding="utf-8")


@pytest.mark.parametrize("name", ["santacoder", "Refact-1_6B-fim", "codegen25-7b-multi"])
def test_a_family_that_needs_its_own_code_is_refused_with_the_reason(
    save_model: Callable[..., Path], name: str
) -> None:
    folder = save_model(name=name)
    if name.startswith("codegen"):
        (folder / "tokenizer.json").unlink()
    else:
        write(folder, "config.json", auto_map={"AutoModelForCausalLM": "own.Own"})
    with pytest.raises(UnsafeWeights, match=f"{name} runs only with Python code"):
        loaded(folder, name)


def test_the_same_family_without_code_of_its_own_is_loaded(save_model: Callable[..., Path]) -> None:
    backend, info = loaded(save_model(tokenizer=with_markers(*SANTACODER)), "gpt_bigcode-santacoder")
    assert info.dialect == "santacoder"
    ids = backend.fim_prompt(FimRequest("a", "b")).ids
    words = with_markers(*SANTACODER)
    assert [i for i in ids if i in map(words.token_to_id, SANTACODER)] == [
        *map(words.token_to_id, SANTACODER)
    ]


def with_pieces(*pieces: str) -> Tokenizer:
    """A vocabulary that has `pieces` as ordinary ones, as Code Llama's own model has its markers."""
    raw = json.loads(make_gemma_like().to_str())
    raw["model"]["vocab"] |= {piece: 400 + i for i, piece in enumerate(pieces)}
    return Tokenizer.from_str(json.dumps(raw))


def test_markers_that_are_ordinary_pieces_are_used_and_kept_out_of_text(tmp_path: Path) -> None:
    markers = (*CODELLAMA_SPM.markers, *CODELLAMA_SPM.ends)
    with_pieces(*markers).save(str(tmp_path / "tokenizer.json"))
    known = read_vocabulary(tmp_path, ["CodeLlama-7b"], {7})
    ids = {known.tokenizer.marker_id(marker) for marker in markers}
    assert known.fim == Decision(CODELLAMA_SPM)
    assert known.stop_ids == ids | {7}
    assert ids <= known.tokenizer.reserved
    unknown = read_vocabulary(tmp_path, ["my-model"], {7})
    assert unknown.fim.dialect is None
    assert not ids & unknown.tokenizer.reserved


def test_past_a_marker_no_answer_goes_on_whether_the_model_fills_or_not(tmp_path: Path) -> None:
    with_markers("<fim_prefix>", "<fim_pad>", "<|file_sep|>", "<b>").save(str(tmp_path / "tokenizer.json"))
    found = read_vocabulary(tmp_path, ["WizardCoder-15B"], {7})
    assert found.fim.dialect is None
    markers = ("<fim_prefix>", "<fim_pad>", "<|file_sep|>")
    assert found.stop_ids >= {7, *map(found.tokenizer.marker_id, markers)}
    assert found.tokenizer.marker_id("<b>") not in found.stop_ids


TEMPLATE = "{{ '[INST] <<SYS>>' + system + '<</SYS>>' + user + '[/INST]' }}"


@pytest.mark.parametrize("how", ["file", "config", "list", "other list", "none"])
def test_the_models_own_template_is_read_wherever_it_stands(tmp_path: Path, how: str) -> None:
    with_markers("<s>", "</s>").save(str(tmp_path / "tokenizer.json"))
    match how:
        case "file":
            (tmp_path / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
        case "config":
            write(tmp_path, "tokenizer_config.json", chat_template=TEMPLATE)
        case "list":
            templates = [{"name": "default", "template": TEMPLATE}, {"name": "tools", "template": "x"}]
            write(tmp_path, "tokenizer_config.json", chat_template=templates)
        case "other list":
            write(tmp_path, "tokenizer_config.json", chat_template=[{"name": "x", "template": TEMPLATE}])
    chat = read_vocabulary(tmp_path, ["my-model"], {7}).chat
    assert (chat.name if chat else None) == (None if how in ("other list", "none") else "llama-2")


def test_a_damaged_tokenizer_config_is_no_template(tmp_path: Path) -> None:
    with_markers("<s>", "</s>").save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text("{", encoding="utf-8")
    assert read_vocabulary(tmp_path, ["my-model"], {7}).chat is None


def test_a_code_llama_chats_in_its_own_format_and_stops_at_its_end(save_model: Callable[..., Path]) -> None:
    tokenizer = with_markers("<s>", "</s>", "<step>")
    folder = save_model(tokenizer=tokenizer)
    backend, info = loaded(folder, "CodeLlama-70b-Instruct")
    assert info.can_chat
    assert info.dialect == ""
    request = ChatRequest((ChatMessage("user", "x <step> y"),), max_new_tokens=4)
    job = backend._chat_job(request)
    step = tokenizer.token_to_id("<step>")
    assert list(job.prompt).count(step) == 2  # the empty system turn's and the question's
    assert step in job.stop_ids
    assert isinstance(list(backend.stream(request))[-1], Finish)
