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
from midfill.model.store.store import Store
from midfill.model.store.transfer import import_model
from tests.model.backends import as_local
from tests.store.making import repo_files, write_folder

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


def test_two_environments_with_a_torch_each_keep_each_others_weights(tmp_path: Path, make: Mock) -> None:
    first, second = (tmp_path / f"a-int4-v3-avx2-torch2.{minor}" for minor in (12, 13))
    for _ in range(3):
        packed_once(first, make, lambda _: True)
        packed_once(second, make, lambda _: True)
    assert make.call_count == 2


def test_of_torches_that_came_and_went_the_latest_stay_and_of_older_formats_nothing(
    tmp_path: Path, make: Mock
) -> None:
    oldest_first = ("a-int4-v3-avx2-torch2.9", "a-int4-v3-avx2-torch2.12", "a-int4-v2-avx2-torch2.13")
    for day, name in enumerate(oldest_first):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1e9 + day, 1e9 + day))
    (tmp_path / "a-int8-v2-avx2-torch2.9").mkdir()  # another scheme's
    packed_once(tmp_path / "a-int4-v3-avx2-torch2.13", make, lambda _: True)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "a-int4-v3-avx2-torch2.12",
        "a-int4-v3-avx2-torch2.13",
        "a-int8-v2-avx2-torch2.9",
    }


def test_quantised_weights_go_with_the_installed_model_they_were_made_from(
    tmp_path: Path, make: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "root"))
    store = Store()
    models = [import_model(store, write_folder(tmp_path / name, repo_files())) for name in ("one", "two")]
    folders = [packed.packed_dir(loader._packed_beside(model, model.path), "int4") for model in models]
    for folder in folders:
        packed_once(folder, make, lambda _: True)
    store.remove("one")
    assert [folder.exists() for folder in folders] == [False, True]


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
