"""Quantised weights on a disk that is full: they stay in memory, and nothing half-written stays at all."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from safetensors import SafetensorError

from midfill.model.backends.hf import loader
from midfill.model.backends.lean import packed
from midfill.model.backends.lean.kernels import Packed
from midfill.model.backends.lean.packed import packed_once
from tests.model.backends import as_local

FULL = "No space left on device"
WRITES: dict[str, tuple[Any, str, Exception]] = {
    "parents": (Path, "mkdir", OSError(errno.ENOSPC, FULL)),
    "lock": (packed.FileLock, "acquire", OSError(errno.ENOSPC, FULL)),
    "folder": (packed.tempfile, "mkdtemp", OSError(errno.ENOSPC, FULL)),
    "weights": (packed, "save_file", SafetensorError(f"I/O error: {FULL} (os error 28)")),
    "sync": (packed.os, "fsync", OSError(errno.ENOSPC, FULL)),
    "rename": (packed.os, "replace", OSError(errno.ENOSPC, FULL)),
}
GOOD = {"a": Packed(torch.arange(4_000), torch.ones(2_000))}


@pytest.fixture
def make() -> Callable[[], dict[str, Packed]]:
    return Mock(return_value=GOOD)


@pytest.mark.parametrize("write", WRITES)
def test_a_disk_that_is_full_at_any_write_costs_only_time(
    tmp_path: Path,
    make: Mock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    write: str,
) -> None:
    owner, name, error = WRITES[write]
    folder = tmp_path / "made" / "a-int4-v1-x"
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, Mock(side_effect=error))
        assert packed_once(folder, make, lambda _: True) == GOOD
    assert make.call_count == 1  # quantising takes seconds: once is enough
    assert FULL in caplog.text
    assert "(40 kB) cannot be kept" in caplog.text
    left = [path.name for path in tmp_path.glob("made/*") if path.suffix != ".lock"]
    assert left == []
    assert packed_once(folder, make, lambda _: True)["a"].numbers.equal(GOOD["a"].numbers)
    assert folder.is_dir()


def test_weights_that_changed_in_place_are_quantised_anew(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    weights = folder / "model.safetensors"
    weights.write_bytes(b"weights")
    local = as_local(folder)
    before = loader._packed_beside(local, folder)
    assert loader._packed_beside(local, folder) == before
    os.utime(weights, ns=(1, 1))  # as long as before, and written at another time
    assert loader._packed_beside(local, folder) != before
    assert folder not in before.parents  # a folder of the user's own is left as it is
