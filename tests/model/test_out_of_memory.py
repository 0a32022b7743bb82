"""Memory that runs out while a model answers: this request is lost, the next is smaller, it comes back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from midfill.model import CancelToken, FimRequest, Finish, FinishReason, Lane, Worker
from midfill.model.backends.hf import loader, pretrained
from midfill.model.errors import OutOfMemory
from midfill.model.headroom import LEAST_TOKENS, RECOVERY_ANSWERS, Headroom
from tests.model.backends import loaded, refused
from tests.model.tiny import make_model
from tests.unit.fakes import TIMEOUT_S, Inbox, Loaded

LONG = FimRequest("x = 1\n" * 300, "", max_new_tokens=2)


class ShortOfMemory(torch.nn.Module):
    """Fails as a GPU does when a pass would make it hold more than `room` tokens."""

    def __init__(self, model: Any, room: int) -> None:
        super().__init__()
        self.model, self.room = model, room

    def forward(self, input_ids: torch.Tensor, past_key_values: Any, **more: Any) -> Any:
        if past_key_values.get_seq_length() + input_ids.shape[1] > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.model(input_ids=input_ids, past_key_values=past_key_values, **more)


def test_the_next_request_is_smaller_and_the_worker_lives(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    whole = len(backend.fim_prompt(LONG).ids)
    backend._loop._passes._model = ShortOfMemory(backend._loop._passes._model, room=whole // 3)
    start = Loaded(Worker(lambda: backend))
    backend.load = lambda report: None  # it is loaded
    start.load()
    start.wait()

    def ask() -> Finish:
        inbox = Inbox()
        start.worker.submit(LONG, CancelToken(), inbox.deliver, Lane.FIM)
        return inbox.wait()

    lost = ask()
    assert (lost.reason, lost.message) == (
        FinishReason.ERROR,
        "not enough memory for this request; the model stays loaded",
    )
    assert ask().reason is FinishReason.ERROR  # a half is still too long
    answered = ask()
    assert answered.reason is FinishReason.LENGTH
    assert 0 < answered.usage.prompt_tokens <= whole // 3
    assert start.worker.close(TIMEOUT_S)


NO_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB, max allowed: 9.07 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]
"""As each platform says it."""


@pytest.mark.parametrize("error", NO_MEMORY)
def test_every_platforms_word_for_it_is_understood_in_a_pass(
    save_model: Callable[..., Path], error: Exception
) -> None:
    backend, _ = loaded(save_model())
    backend._loop._passes._model = Mock(side_effect=error)
    with pytest.raises(OutOfMemory, match="the model stays loaded"):
        list(backend.stream(LONG))


@pytest.mark.parametrize("error", NO_MEMORY)
@pytest.mark.parametrize("family", ["qwen2", "mistral"])  # the lean pass, and transformers
def test_every_platforms_word_for_it_is_understood_while_loading(
    save_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, error: Exception, family: str
) -> None:
    folder, failing = save_model(make_model(family)), Mock(side_effect=error)
    monkeypatch.setattr(loader, "load_lean", failing)
    monkeypatch.setattr(pretrained.AutoModelForCausalLM, "from_pretrained", failing)
    assert "does not fit into the memory of cpu" in refused(folder, OutOfMemory)


def test_other_documents_make_room_for_the_next_request(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    other = replace(LONG, prefix="y = 2\n" * 40, path="other.py")
    list(backend.stream(other))
    assert backend._documents.held(backend.fim_prompt(other).ids) > 0
    backend._loop._passes._model = Mock(side_effect=NO_MEMORY[0])
    with pytest.raises(OutOfMemory):
        list(backend.stream(LONG))
    assert backend._documents.held(backend.fim_prompt(other).ids) == 0


def test_the_prompt_grows_again_while_all_goes_well(save_model: Callable[..., Path]) -> None:
    backend, _ = loaded(save_model())
    whole = len(backend.fim_prompt(LONG).ids)
    headroom = backend._prompts.headroom
    headroom.ran_out(whole)
    halved = len(backend.fim_prompt(LONG).ids)
    assert halved <= whole // 2 + 5  # markers
    for _ in range(RECOVERY_ANSWERS):
        list(backend.stream(FimRequest("x", "", max_new_tokens=1)))
    elsewhere = replace(LONG, path="other.py")  # a prompt keeps its left edge while one types
    assert halved < len(backend.fim_prompt(elsewhere).ids) < whole


def test_the_limit_halves_grows_slowly_and_goes() -> None:
    headroom = Headroom()
    headroom.went_well(1000)
    assert headroom.allow(900) == 900
    headroom.ran_out(800)
    assert headroom.allow(900) == 400
    assert headroom.allow(100) == 100
    for _ in range(RECOVERY_ANSWERS - 1):
        headroom.went_well(1000)
    assert headroom.limit == 400
    headroom.went_well(1000)
    assert headroom.limit == 500
    for _ in range(4 * RECOVERY_ANSWERS):
        headroom.went_well(1000)
    assert headroom.limit is None
    headroom.ran_out(10)
    assert headroom.limit == LEAST_TOKENS


@pytest.mark.parametrize("failed_after", [0, RECOVERY_ANSWERS - 1])
def test_a_second_failure_starts_the_count_anew(failed_after: int) -> None:
    headroom = Headroom()
    headroom.ran_out(800)
    for _ in range(failed_after):
        headroom.went_well(10_000)
    headroom.ran_out(400)
    for _ in range(RECOVERY_ANSWERS - 1):
        headroom.went_well(10_000)
    assert headroom.limit == 200
