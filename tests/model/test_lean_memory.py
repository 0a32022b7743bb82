"""Memory that is given back: which weights may be let go of, when, and that they come back the same."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from midfill.model.backends.lean.forward import RELEASE_AFTER_ROWS
from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.load import load_lean, read_config
from midfill.model.backends.lean.memory import MappedWeights, trim_heap
from midfill.model.backends.lean.schemes import SCHEMES
from midfill.model.backends.lean.shape import read_shape
from tests.model.looping import random_ids

linux = pytest.mark.skipif(sys.platform != "linux", reason="pages are given back on Linux alone")


def resident_bytes(path: Path) -> int:
    """How much of a mapped file is in this process' memory."""
    found, ours = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            ours = line.endswith(f" {path}")
        elif ours and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


def mapped(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 — it is no mapping


@linux
def test_mapped_weights_leave_memory_and_come_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    wanted = {name: torch.randn(300, 100) for name in "abc"}
    save_file(wanted, path)
    found = mapped(path)
    assert all(torch.equal(found[name], wanted[name]) for name in "abc")  # touches every page
    before = resident_bytes(path)
    MappedWeights([found["a"], found["b"]]).release()
    assert before - resident_bytes(path) >= 2 * (300 * 100 * 4 - 2 * 4096)
    assert all(torch.equal(found[name], wanted[name]) for name in "abc")


def test_weights_that_were_made_in_memory_are_never_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(300, 100)}, path)
    copies = [torch.ones(300, 100), *(one.to(torch.bfloat16) for one in mapped(path).values())]
    assert MappedWeights(copies).spans == []
    MappedWeights(copies).release()
    assert all(bool((one == 1).all()) for one in copies)


def test_giving_back_what_the_allocator_keeps_does_no_harm() -> None:
    trim_heap()


class Counted(MappedWeights):
    """Counts its releases."""

    def __init__(self, real: MappedWeights) -> None:
        self.spans, self.count = real.spans, 0

    def release(self) -> None:
        self.count += 1
        super().release()


@pytest.fixture
def lean(save_model: Callable[..., Path]) -> Any:
    if not SCHEMES["int4"].works():
        pytest.skip("torch has no quantised kernels on this machine")
    folder = save_model()
    shape = read_shape(read_config(folder))
    assert shape is not None
    model = load_lean(folder, shape, SCHEMES["int4"], torch.float32, keep=None)
    model._block_weights = Counted(model._block_weights)
    return model


def feed(model: Any, past: Any, rows: int, seed: int = 1) -> torch.Tensor:
    logits: torch.Tensor = model(torch.tensor([random_ids(rows, seed)]), past, logits_to_keep=1).logits
    return logits


@linux
def test_the_weights_of_blocks_are_let_go_of_when_single_tokens_follow(lean: Any) -> None:
    assert len(lean._block_weights.spans) > 0
    past = lean.make_past()
    feed(lean, past, 40)
    assert lean._block_weights.count == 0
    feed(lean, past, FEW_ROWS)
    assert lean._block_weights.count == 1


def test_letting_go_is_spread_over_many_rows_so_that_it_stays_cheap(lean: Any) -> None:
    past = lean.make_past()
    for rows, wanted in [
        (40, 0), (1, 1), (1, 1), (40, 1), (1, 1), (RELEASE_AFTER_ROWS - 40, 1), (1, 1), (9, 1), (1, 2),
    ]:  # fmt: skip
        feed(lean, past, rows)
        assert lean._block_weights.count == wanted


def test_a_model_computes_the_same_after_letting_go(lean: Any) -> None:
    first = feed(lean, lean.make_past(), 40)
    past = lean.make_past()
    feed(lean, past, 1)
    assert lean._block_weights.count == 1
    assert torch.equal(feed(lean, lean.make_past(), 40), first)
