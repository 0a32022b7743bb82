"""The default model itself, where its weights are installed: it fills, and our loop equals `generate()`."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

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
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.lean.load import load_lean, read_config
from midfill.model.backends.lean.shape import read_shape
from midfill.model.config import ModelConfig
from midfill.model.prompting import CPU_SUFFIX_TOKENS
from midfill.model.store.local import LocalModel, converted_dir
from midfill.model.store.store import Store
from tests.model.evaluation_data import shared_rows
from tests.model.looping import make_cache

pytestmark = pytest.mark.real_model

TIE = 0.001
"""Logits closer than this (of a spread of ~20) may fall either way: kernels for a block and for one token
round differently (inference.md §3.7)."""
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
    assert (info.dialect, info.can_chat, info.context_tokens) == ("qwen2.5-coder", True, 2048)
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


def test_a_key_costs_the_suffix_and_the_seam(backend: TransformersBackend) -> None:
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
        assert finish.usage.prompt_tokens - finish.usage.reused_tokens <= CPU_SUFFIX_TOKENS + 32


def test_the_lean_float32_path_equals_generate_up_to_ties(
    backend: TransformersBackend, local: LocalModel
) -> None:
    folder = converted_dir(local.sha256)
    shape = read_shape(read_config(folder))
    assert shape is not None
    lean = load_lean(folder, shape, None, torch.float32, keep=None)
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    loop = DecodeLoop(lean, lambda i: f"{i} ".encode(), 2048, 16)
    cache = make_cache(lean)
    for prefix, suffix, _ in HOLES:
        prompt = backend.fim_prompt(FimRequest(prefix, suffix))
        events = list(loop.stream(cache, Job(prompt, 12, frozenset())))
        assert_same_up_to_ties(theirs, prompt, list(map(int, text(events).split())))


def assert_same_up_to_ties(model: Any, prompt: list[int], ours: list[int]) -> None:
    """Equal token for token, or parted at a place where `generate()` itself nearly chose ours."""
    out = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=len(ours),
        do_sample=False,
        eos_token_id=None,
        output_logits=True,
        return_dict_in_generate=True,
    )
    theirs = out.sequences[0, len(prompt) :].tolist()
    for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        if mine != other:
            logits = out.logits[i][0].float()
            assert float(logits[other] - logits[mine]) <= TIE, f"token {i}: {ours} against {theirs}"
            return
