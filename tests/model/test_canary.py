"""Models with markers that they may not have been trained on: tried at load, and what is said."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from midfill.model.api import Chunk, Event, Finish, FinishReason
from midfill.model.backends.hf import canary
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.hf.canary import CANARIES, ENOUGH, answers, fills
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.loader import load_model
from midfill.model.config import ModelConfig
from midfill.model.dialects import CODELLAMA_SPM, QWEN
from midfill.model.errors import BadConfig
from midfill.model.store.store import Store
from tests.model.backends import CONFIG, REQUEST, as_local, ignore, loaded, refused, text

PROBE = CANARIES[0]
END, LIMIT = FinishReason.EOT, FinishReason.LENGTH


def said(*texts: str, ending: FinishReason = LIMIT) -> list[Event]:
    return [*map(Chunk, texts), Finish(ending)]


@pytest.mark.parametrize(
    ("events", "psm", "spm"),
    [
        (said("js", "on", ending=END), True, True),
        (said(" json\n", ending=END), True, True),
        (said("json", "\n\npath = 1"), True, False),  # an Instruct model that does not know when to stop
        (said("json", "\n\npath", ending=END), True, False),
        (said("json"), True, False),
        (said("\n\n", ending=END), False, False),  # what untrained markers got from a real model
        (said(" = 'x'\n"), False, False),
        (said(ending=END), False, False),
        (said(" b\njson"), False, False),
    ],
)
def test_an_answer_is_what_writing_on_from_the_prompts_end_would_not_give(
    events: list[Event], psm: bool, spm: bool
) -> None:
    assert PROBE.answer == "json"
    assert (answers(QWEN, PROBE, events), answers(CODELLAMA_SPM, PROBE, events)) == (psm, spm)


class Scripted:
    """A loop that gives each canary its answer or nonsense, and counts."""

    def __init__(self, *right: bool) -> None:
        self.right, self.asked = right, 0

    def stream(self, cache: Any, job: Any) -> list[Event]:
        index, self.asked = self.asked, self.asked + 1
        return said(CANARIES[index].answer if self.right[index] else "\n", ending=END)


def verdict(passes: Generator[None, None, bool]) -> bool:
    """What a trial says in the end."""
    while True:
        try:
            next(passes)
        except StopIteration as ended:
            return bool(ended.value)


@pytest.mark.parametrize(
    ("right", "believed", "asked"),
    [
        ((True, True, False, False), True, 2),
        ((False, True, False, True), True, 4),
        ((False, False, False, True), False, 3),
        ((True, False, False, False), False, 4),
    ],
)
def test_enough_right_answers_are_believed_and_no_more_are_asked_for(
    save_model: Callable[..., Path], right: tuple[bool, ...], believed: bool, asked: int
) -> None:
    model = load_model(as_local(save_model()), CONFIG, ignore)
    loop = Scripted(*right)
    assert (verdict(fills(model, QWEN, loop)), loop.asked) == (believed, asked)  # type: ignore[arg-type]


def test_markers_that_were_never_trained_are_found_out_and_the_model_writes_left_to_right(
    save_model: Callable[..., Path],
) -> None:
    backend = TransformersBackend(CONFIG, as_local(save_model(), "my-own-model"))
    info = backend.load(ignore)
    assert info.dialect == ""
    assert "qwen2.5-coder's markers" in info.left_to_right
    assert "never trained" in info.left_to_right
    words = backend._ready()[0].tokenizer
    prompt = backend.fim_prompt(REQUEST)
    shown = REQUEST.prefix[: len(REQUEST.prefix) - prompt.hidden_bytes]  # ASCII
    assert words.decode(prompt.ids).endswith(shown)
    assert not [i for i in prompt.ids if i in words.reserved]
    ends = {words.marker_id(marker) for marker in (*QWEN.markers, *QWEN.ends)}
    assert ends <= backend._ready()[0].stop_ids  # past a marker no answer goes on
    assert text(list(backend.stream(REQUEST)))


def test_a_model_known_by_name_is_not_tried(
    save_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "fills", lambda *_: pytest.fail("tried"))
    assert loaded(save_model())[1].dialect == "qwen2.5-coder"
    assert (
        loaded(save_model(), "OpenCoder-1.5B")[1].left_to_right == "OpenCoder's markers were never trained"
    )


def test_a_model_that_passes_fills(
    save_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def passes(*_: object) -> Generator[None, None, bool]:
        yield
        return True

    monkeypatch.setattr(canary, "fills", passes)
    info = loaded(save_model(), "my-own-model")[1]
    assert (info.dialect, info.left_to_right) == ("qwen2.5-coder", "")


def test_the_setting_is_believed_without_a_trial(
    save_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "fills", lambda *_: pytest.fail("tried"))
    folder = save_model()
    asked = replace(CONFIG, fim_dialect="qwen2.5-coder")
    assert loaded(folder, "my-own-model", asked)[1].dialect == "qwen2.5-coder"
    assert loaded(folder, "OpenCoder", asked)[1].dialect == "qwen2.5-coder"
    none = loaded(folder, config=replace(CONFIG, fim_dialect="none"))[1]
    assert (none.dialect, none.left_to_right) == ("", "the setting fimDialect says so")


@pytest.mark.parametrize("name", ["nonsense", "starcoder2", "codellama"])
def test_a_setting_that_cannot_be_honoured_is_refused(save_model: Callable[..., Path], name: str) -> None:
    assert name in refused(save_model(), BadConfig, replace(CONFIG, fim_dialect=name))


@pytest.mark.real_model
@pytest.mark.parametrize("untrained", [False, True])
def test_the_default_model_passes_and_fails_without_its_markers(
    default_model: str, untrained: bool
) -> None:
    model = load_model(Store().find(default_model), ModelConfig(device="cpu"), ignore)
    loop = DecodeLoop(model.model, model.tokenizer.token_bytes, model.context_tokens)
    embeddings = model.model.get_input_embeddings()
    if untrained:
        rows = embeddings.weight.clone()  # what is changed in place goes when mapped weights are let go of
        rows[[model.tokenizer.marker_id(marker) for marker in QWEN.markers]] = rows.mean(0)
        embeddings.weight = torch.nn.Parameter(rows, requires_grad=False)
    assert ENOUGH == 2
    assert verdict(fills(model, QWEN, loop)) is not untrained
