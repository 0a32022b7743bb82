"""The whole backend on a tiny random model: FIM and chat."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.model.api import (
    ChatMessage,
    ChatRequest,
    Chunk,
    FimRequest,
    Finish,
    FinishReason,
    ModelInfo,
    Scope,
    StopRules,
)
from midfill.model.backends import make_backend
from midfill.model.backends.base import Backend
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.hf.loader import load_model
from midfill.model.config import ModelConfig
from midfill.model.dialects import TEXT_MARKERS
from midfill.model.errors import (
    GenerationError,
    UnsupportedModel,
)
from midfill.model.prompting import MIN_COLD_TOKENS
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.tokens import CodeTokenizer
from tests.model.backends import CONFIG, QUESTION, REQUEST, as_local, ignore, loaded, text
from tests.model.tiny import make_model, make_tokenizer, write_gguf


def test_the_backend_is_made_by_name_and_not_loaded() -> None:
    backend: Backend = make_backend(ModelConfig())
    assert isinstance(backend, TransformersBackend)
    with pytest.raises(GenerationError):
        backend.count_tokens("x")
    backend.close()


def test_loading_says_what_was_loaded(save_model: Callable[..., Path]) -> None:
    said: list[str] = []
    backend = TransformersBackend(CONFIG, as_local(save_model()))
    info = backend.load(lambda event: said.append(event.stage))
    assert said == ["load", "warm-up"]
    model = make_model("qwen2")
    parameters = sum(p.numel() for p in model.parameters())
    assert info == ModelInfo(
        name="tiny-qwen2.5-coder",
        device="cpu",
        dtype="float32",
        dialect="qwen2.5-coder",
        context_tokens=1024,
        can_chat=True,
        parameters=parameters,
        memory_bytes=4 * parameters,
        load_ms=info.load_ms,
    )


def test_a_prompt_is_prefix_suffix_and_markers(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    ids = make_tokenizer()
    prompt = backend.fim_prompt(REQUEST).ids
    markers = [ids.token_to_id(f"<|fim_{part}|>") for part in ("prefix", "suffix", "middle")]
    raw = [*ids.encode(REQUEST.prefix).ids, *ids.encode(REQUEST.suffix).ids]
    assert [prompt[0], prompt[-1]] == [markers[0], markers[2]]
    assert [i for i in prompt if i not in markers] == raw


def test_a_stream_is_chunks_and_then_one_finish_with_its_figures(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    events = list(backend.stream(REQUEST))
    assert [type(event) for event in events[:-1]] == [Chunk] * (len(events) - 1)
    finish = events[-1]
    assert isinstance(finish, Finish)
    assert finish.usage.prompt_tokens == len(backend.fim_prompt(REQUEST).ids)
    assert finish.usage.prefill_ms > 0
    again = list(backend.stream(REQUEST))
    assert text(again) == text(events)
    assert isinstance(again[-1], Finish)
    assert again[-1].usage.reused_tokens == finish.usage.prompt_tokens - 1


def test_fim_under_a_suspended_chat_disturbs_neither(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    alone, fim = text(list(backend.stream(QUESTION))), text(list(backend.stream(REQUEST)))
    events = []
    for event in backend.stream(QUESTION):
        events.append(event)
        assert text(list(backend.stream(REQUEST))) == fim
    assert text(events) == alone


def test_a_huge_document_is_fitted_into_the_context(save_model: Callable[..., Path]) -> None:
    backend, info = loaded(
        save_model(), config=ModelConfig(device="cpu", dtype="float32", context_tokens=128)
    )
    request = FimRequest("x = 1\n" * 100_000, "y" * 100_000, max_new_tokens=16)
    events = list(backend.stream(request))
    assert isinstance(events[-1], Finish)
    assert info.context_tokens == 128
    assert 60 <= events[-1].usage.prompt_tokens <= 128 - 16


@pytest.mark.parametrize("odd", ["", "\ud800", "\0\x01\ufffe", "<|fim_middle|>", "\u2028\x0c", "😀" * 50])
def test_odd_text_around_the_cursor_is_answered(save_model: Callable[..., Path], odd: str) -> None:
    backend, _ = loaded(save_model())
    events = list(backend.stream(FimRequest(odd, odd, max_new_tokens=4)))
    assert isinstance(events[-1], Finish)
    assert backend.count_tokens(odd) >= 0


def test_no_marker_reaches_the_text(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    for i in range(20):
        events = list(backend.stream(FimRequest(f"x{i}", "", max_new_tokens=30, temperature=2.0)))
        assert not any(marker in text(events) for marker in TEXT_MARKERS)


def test_a_model_without_fim_continues_the_prefix(save_model: Callable[..., Path]) -> None:
    backend, info = loaded(save_model(), name="qwen2.5-0.5b")
    assert info.dialect == ""
    *kept, last = make_tokenizer().encode(REQUEST.prefix).ids
    prompt = backend.fim_prompt(REQUEST)
    assert prompt.ids == kept
    assert prompt.hidden_bytes == len(CodeTokenizer(make_tokenizer()).token_bytes(last))
    assert isinstance(list(backend.stream(REQUEST))[-1], Finish)


def test_prefilling_ahead_generates_nothing(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    ahead = list(backend.stream(FimRequest(REQUEST.prefix, REQUEST.suffix, prefill_only=True)))
    assert text(ahead) == ""
    finish = list(backend.stream(REQUEST))[-1]
    assert isinstance(finish, Finish)
    assert finish.usage.reused_tokens == finish.usage.prompt_tokens - 1


def test_a_base_model_does_not_chat(save_model: Callable[..., Path]) -> None:
    folder = save_model()
    for name in ("config.json", "generation_config.json"):
        settings = json.loads((folder / name).read_text(encoding="utf-8"))
        settings["eos_token_id"] = make_tokenizer().token_to_id("<|endoftext|>")
        (folder / name).write_text(json.dumps(settings), encoding="utf-8")
    backend, info = loaded(folder)
    assert not info.can_chat
    with pytest.raises(UnsupportedModel):
        list(backend.stream(QUESTION))
    assert isinstance(list(backend.stream(REQUEST))[-1], Finish)


def test_a_question_longer_than_the_context_is_an_error(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    with pytest.raises(GenerationError, match="does not fit"):
        list(backend.stream(ChatRequest((ChatMessage("user", "x " * 5000),))))


def test_stop_ids_are_all_ends_and_markers(save_model: Callable[..., Path]) -> None:
    found = load_model(as_local(save_model()), CONFIG, ignore)
    ends = ["endoftext", "im_end", "repo_name", "file_sep"]
    names = [*ends, "fim_prefix", "fim_middle", "fim_suffix", "fim_pad"]
    assert found.stop_ids == {make_tokenizer().token_to_id(f"<|{name}|>") for name in names}


def test_a_gguf_file_is_converted_once_and_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "cache"))
    path = write_gguf(tmp_path / "t.gguf", make_model("qwen2"), make_tokenizer(), "Qwen2.5 Coder Tiny")
    local = LocalModel("mine", path, WeightFormat.GGUF, "ab" * 32)
    backend = TransformersBackend(CONFIG, local)
    assert backend.load(ignore).dialect == "qwen2.5-coder"
    said: list[str] = []
    TransformersBackend(CONFIG, local).load(lambda event: said.append(event.stage))
    assert "convert" not in said


def test_a_closed_backend_can_be_loaded_again(save_model: Callable[..., Path]) -> None:
    backend, info = loaded(save_model())
    first = text(list(backend.stream(REQUEST)))
    backend.close()
    backend.close()
    with pytest.raises(GenerationError):
        list(backend.stream(REQUEST))
    assert backend.load(ignore).dialect == info.dialect
    assert text(list(backend.stream(REQUEST))) == first


# What must be refused, each with a sentence.


def test_finish_reasons_reach_the_caller(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    finish = list(backend.stream(FimRequest("x", "", max_new_tokens=1, stop=StopRules(Scope.BLOCK))))[-1]
    assert isinstance(finish, Finish)
    assert finish.reason in (FinishReason.LENGTH, FinishReason.EOT, FinishReason.STOP)


def test_a_slow_machine_gets_less_of_a_text_that_is_not_prefilled_yet(
    save_model: Callable[..., Path],
) -> None:
    backend, info = loaded(save_model())
    backend._ready()[2].prefill_per_s = 1.0
    request = FimRequest("value = 1\n" * 2000, "\nend\n", max_new_tokens=8)
    cold = backend.fim_prompt(request).ids
    list(backend.stream(replace(request, prefill_only=True)))
    warm = backend.fim_prompt(request).ids
    assert len(cold) <= MIN_COLD_TOKENS + 8 < len(warm) <= info.context_tokens
    assert backend._documents.held(warm) == len(warm)
