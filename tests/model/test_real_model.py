"""The default model itself, where its weights are installed: it fills, and our loop equals `generate()`."""

from dataclasses import replace

import pytest

from midfill.model.api import (
    ChatMessage,
    ChatRequest,
    Chunk,
    Event,
    FimRequest,
    Finish,
    FinishReason,
    LoadProgress,
    Scope,
    StopRules,
)
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.config import ModelConfig
from midfill.model.prompting import CPU_SUFFIX_TOKENS
from midfill.model.store.local import LocalModel
from midfill.model.store.store import Store
from tests.model.evaluation_data import shared_rows

pytestmark = pytest.mark.real_model

HOLES = [
    ("def add(a, b):\n    return a ", "\n\n\nprint(add(1, 2))\n", "+ b"),
    ("package main\n\nfunc add(a int, b int) int {\n\t", "\n}\n", "return a + b"),
    ("function add(a, b) {\n  return ", ";\n}\n", "a + b"),
]


@pytest.fixture(scope="module")
def local(default_model: str) -> LocalModel:
    return Store().find(default_model)


def ignore(_: LoadProgress) -> None:
    pass


@pytest.fixture(scope="module")
def backend(local: LocalModel) -> TransformersBackend:
    backend = TransformersBackend(ModelConfig(device="cpu"), local)
    info = backend.load(ignore)
    assert (info.dialect, info.can_chat, info.context_tokens) == ("qwen2.5-coder-spm", True, 2048)
    return backend


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk))


@pytest.mark.parametrize(("prefix", "suffix", "wanted"), HOLES)
def test_it_fills_holes_sensibly(
    backend: TransformersBackend, prefix: str, suffix: str, wanted: str
) -> None:
    rules = StopRules(Scope.SINGLE_LINE, prefix.rpartition("\n")[2])
    events = list(backend.stream(FimRequest(prefix, suffix, stop=rules, max_new_tokens=16)))
    assert text(events).strip().removesuffix(";") == wanted  # what the suffix has is trimmed elsewhere


def test_it_fills_a_block_and_stops(backend: TransformersBackend) -> None:
    prefix = "class P:\n    def __init__(self, x, y):"
    suffix = "\n\n    def norm(self):\n        return (self.x**2 + self.y**2) ** 0.5\n"
    rules = StopRules(Scope.BLOCK, "    def __init__(self, x, y):", "    def norm(self):")
    events = list(backend.stream(FimRequest(prefix, suffix, stop=rules, max_new_tokens=48)))
    assert text(events) == "\n        self.x = x\n        self.y = y"
    assert isinstance(events[-1], Finish)
    assert events[-1].reason in (FinishReason.STOP, FinishReason.EOT)


def test_it_chats_and_ends_by_itself(backend: TransformersBackend) -> None:
    question = ChatRequest((ChatMessage("user", "Answer with the one word yes."),), max_new_tokens=16)
    events = list(backend.stream(question))
    assert "yes" in text(events).lower()
    assert isinstance(events[-1], Finish)
    assert events[-1].reason is FinishReason.EOT


@pytest.mark.parametrize(("dialect", "most"), [("auto", 8), ("qwen2.5-coder", CPU_SUFFIX_TOKENS + 32)])
def test_a_key_costs_a_few_tokens_suffix_first_else_the_suffix_and_the_seam(
    backend: TransformersBackend, local: LocalModel, dialect: str, most: int
) -> None:
    if dialect != "auto":
        backend = TransformersBackend(ModelConfig(device="cpu", fim_dialect=dialect), local)
        assert backend.load(ignore).dialect == dialect
    tasks = shared_rows("HumanEval")
    code = "\n".join(row["prompt"] + row["canonical_solution"] for row in tasks)
    at, line = code.index("\n", 30_000) + 1, "    average = sum(values) / max(1, len(values))"[:40]
    keys = [
        FimRequest(code[:at] + line[:typed], "\n" + code[at:], path="a.py", max_new_tokens=1)
        for typed in range(len(line) + 1)
    ]
    list(backend.stream(replace(keys[0], prefill_only=True)))
    for key in keys:
        finish = list(backend.stream(key))[-1]
        assert isinstance(finish, Finish)
        assert finish.usage.prompt_tokens > 1300
        assert finish.usage.prompt_tokens - finish.usage.reused_tokens <= most
