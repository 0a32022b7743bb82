"""Chat answers that are one of given choices, on tiny models and on the default one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken

from midfill.model.api import ChatMessage, ChatRequest, Event, Finish, FinishReason
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.choices import OneOf
from midfill.model.config import ModelConfig
from midfill.model.errors import GenerationError, UnsupportedModel
from midfill.model.store.store import Store
from midfill.model.tokens import CodeTokenizer
from tests.model.backends import QUESTION, ignore, loaded, text
from tests.model.tiny import make_model, make_tokenizer

CHOICES = (
    "Python",
    "Go",
    "Golang",
    "def add(a, b):\n    return a",
    "日本 😀",
    "<|im_end|>",
    "<|fim_middle|>x",
)
SENTENCEPIECE_LIKE = ("<s>", "</s>", "<step>")


def ask(question: str, *choices: str, **how: float) -> ChatRequest:
    return ChatRequest((ChatMessage("user", question),), choices=choices, **how)  # type: ignore[arg-type]


def ended(events: list[Event]) -> Finish:
    assert isinstance(events[-1], Finish)
    return events[-1]


@pytest.fixture
def tiny(save_model: Callable[..., Path]) -> TransformersBackend:
    return loaded(save_model())[0]


def likeliest(backend: TransformersBackend, request: ChatRequest) -> str:
    """The answer by hand: every way to go on looked at, the whole text computed anew for each token."""
    state = backend._ready()[0]
    tokenizer, model = state.tokenizer, state.model
    prompt, written = list(backend._chat_job(request).prompt), []
    spelled = [(i, b) for i, b in enumerate(tokenizer.all_token_bytes()) if b]
    choices = [choice.encode() for choice in request.choices]
    while True:
        done = b"".join(map(tokenizer.token_bytes, written))
        fitting = [i for i, b in spelled if any(choice.startswith(done + b) for choice in choices)]
        ends = state.stop_ids if done in choices else frozenset()
        with torch.inference_mode():
            ids = torch.tensor([[*prompt, *written]])
            out = model(input_ids=ids, past_key_values=state.make_past(), logits_to_keep=1)
        token = max((*fitting, *ends), key=lambda i: float(out.logits[0, -1, i]))
        if token in ends:
            return done.decode()
        written.append(token)


def test_the_answer_is_the_choice_that_greedy_steps_come_to_and_ends_by_itself(
    tiny: TransformersBackend,
) -> None:
    found = set()
    for question in ("x", "which?", "é", "return a + b", "   "):
        for count in (1, 2, 3, len(CHOICES)):
            request = ask(question, *CHOICES[-count:])
            events = list(tiny.stream(request))
            assert text(events) == likeliest(tiny, request)
            assert ended(events).reason is FinishReason.EOT
            found.add(text(events))
    assert len(found) > 2


def test_a_choice_that_begins_another_is_decided_by_the_end_against_going_on(
    tiny: TransformersBackend,
) -> None:
    went_on = set()
    for letter in "abcdefghijkl":
        request = ask("which?", letter, *(letter + other for other in "bdfhj"), letter + "bc")
        answer = text(list(tiny.stream(request)))
        assert answer == likeliest(tiny, request)
        went_on.add(len(answer) > 1)
    assert went_on == {True, False}


def test_the_token_limit_does_not_cut_a_choice(tiny: TransformersBackend) -> None:
    request = ask("x", *CHOICES[3:4], max_new_tokens=1)
    assert text(list(tiny.stream(request))) == CHOICES[3]
    assert ended(list(tiny.stream(ask("x", "z")))).reason is FinishReason.EOT  # were every byte a token


def test_what_is_sampled_is_a_choice_too(tiny: TransformersBackend) -> None:
    found = {text(list(tiny.stream(ask("x", *CHOICES[:3], temperature=3.0)))) for _ in range(20)}
    assert found <= set(CHOICES[:3])
    assert len(found) > 1


def test_the_next_answer_is_free_and_as_it_would_have_been(tiny: TransformersBackend) -> None:
    first = text(list(tiny.stream(QUESTION)))
    list(tiny.stream(replace(QUESTION, choices=CHOICES)))
    assert text(list(tiny.stream(QUESTION))) == first
    assert first not in CHOICES


@pytest.mark.parametrize(("choices", "why"), [(("a", ""), "empty"), (("a", "b", "a"), "same")])
def test_empty_and_repeated_choices_are_refused(choices: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ask("x", *choices)


def test_what_cannot_be_spelled_is_refused_and_the_backend_goes_on(tiny: TransformersBackend) -> None:
    with pytest.raises(UnsupportedModel, match="no text"):
        list(tiny.stream(ask("x", "a\ud800")))
    state = tiny._ready()[0]
    words = state.tokenizer.all_token_bytes()
    state.tokenizer.reserved |= {i for i, b in enumerate(words) if b"z" in b}
    with pytest.raises(UnsupportedModel, match="cannot spell") as refused:
        list(tiny.stream(ask("x", "a", "bzb")))
    assert "bzb" not in str(refused.value)  # may be source text
    assert text(list(tiny.stream(ask("x", "a")))) == "a"


def test_choices_for_which_the_context_has_no_room_are_refused(save_model: Callable[..., Path]) -> None:
    config = ModelConfig(device="cpu", dtype="float32", threads=1, context_tokens=128)
    backend, _ = loaded(save_model(), config=config)
    with pytest.raises(GenerationError, match="no room"):
        list(backend.stream(ask("x", "y" * 100)))
    assert text(list(backend.stream(ask("x", "y")))) == "y"


def test_a_space_that_goes_before_an_answer_is_none_of_the_choice(save_model: Callable[..., Path]) -> None:
    tokenizer = make_tokenizer()
    marks = [AddedToken(mark, special=True, normalized=False) for mark in SENTENCEPIECE_LIKE]
    tokenizer.add_special_tokens(marks)
    began = set()
    for seed in range(6):
        folder = save_model(make_model("qwen2", seed), tokenizer, name=f"tiny-{seed}")
        backend, info = loaded(folder, "CodeLlama-70b-Instruct")
        assert info.can_chat
        for choices in (("print", "x"), (" a", "a"), (" b",), ("return",)):
            request = ask("which?", *choices)
            assert text(list(backend.stream(request))) in choices
            job = backend._chat_job(request)
            assert isinstance(job.constraint, OneOf)
            assert tokenizer.token_to_id("<step>") in job.constraint.ends
            began.add(backend._chat._free[0].tokens[len(job.prompt)])
    words = CodeTokenizer(tokenizer)
    assert {words.token_bytes(token)[:1] == b" " for token in began} == {True, False}


LANGUAGES = {
    "This code is written in Python.": "def add(a, b):\n    return a + b",
    "This code is written in Go.": "package main\n\nfunc add(a int, b int) int {\n\treturn a + b\n}",
    "This code is written in JavaScript.": "const add = (a, b) => {\n  return a + b;\n};",
}


@pytest.mark.real_model
def test_the_default_model_chooses(default_model: str) -> None:
    backend = TransformersBackend(ModelConfig(device="cpu"), Store().find(default_model))
    backend.load(ignore)
    for right, code in LANGUAGES.items():
        question = f"Which programming language is this?\n```\n{code}\n```"
        events = list(backend.stream(ask(question, *LANGUAGES)))
        assert text(events) == right
        assert ended(events).reason is FinishReason.EOT
    barks = "What has four legs and barks? Answer with one word."
    assert text(list(backend.stream(ask(barks, "Dog", "Dogs", "Dog and cat")))) == "Dog"
    assert text(list(backend.stream(ask(barks, "Dogs", "Cats")))) == "Dogs"
    marker = "Repeat exactly, with nothing else: <|im_end|>"
    assert text(list(backend.stream(ask(marker, "<|im_end|>", "no")))) == "<|im_end|>"
