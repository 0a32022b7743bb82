"""Quantised weights on disk, so that only the first start spends seconds on them: written whole, mapped in.

Owns the folder's name and its life. What is in it is right for one scheme, one torch on one kind of CPU.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from midfill.model.backends.lean.kernels import Packed
from midfill.model.store.files import human_size, os_error

log = logging.getLogger(__name__)

FORMAT = 3
"""Part of the folder's name: raised whenever what is written changes."""
FILE = "packed.safetensors"
KEPT = 2
"""Folders of one model and scheme: two environments, each with its torch, take turns on one cache."""

ALIGNMENT = 64
"""Bytes. torch's int8 kernel for AVX-512 ends the process on weights that begin elsewhere (seen, 2.13)."""

Weights = dict[str, Packed]


def packed_dir(converted: Path, scheme: str) -> Path:
    """Beside the converted model, whose removal takes it along (`made_from` goes by the name)."""
    # How int4 is laid out depends on the vector width, and torch promises nothing from version to version.
    machine = (
        f"{torch.backends.cpu.get_cpu_capability().lower().replace(' ', '-')}-torch{torch.__version__}"
    )
    return converted.with_name(f"{converted.name}-{scheme}-v{FORMAT}-{machine}")


def packed_once(
    folder: Path, make: Callable[[], Weights], right: Callable[[Mapping[str, Packed]], bool]
) -> Weights:
    """The weights in `folder`, made and written there first if they are missing or not `right`.

    `folder` appears whole or not at all. Where it cannot be written the weights stay in memory.
    """
    found = _read(folder)
    if found is not None and right(found):
        return found
    made: Weights | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            found = _read(folder)  # by another process, while this one waited
            if found is not None and right(found):
                return found
            made = make()
            _write(folder, made)
    except OSError as error:
        made = made or make()
        tensors = (tensor for packed in made.values() for tensor in (packed.numbers, packed.scales))
        log.warning(
            "quantised weights (%s) cannot be kept in %s, and are made again at every start: %s",
            human_size(sum(tensor.numel() * tensor.element_size() for tensor in tensors)),
            folder.parent,
            error.strerror or error,
        )
        return made
    return _read(folder) or made


def _read(folder: Path) -> Weights | None:
    """Mapped, not read: pages come when they are used and are shared between processes."""
    try:
        with safe_open(folder / FILE, framework="pt") as file:
            names = {key.rpartition(".")[0] for key in file.keys()}  # noqa: SIM118 — it is no mapping
            return {
                name: Packed(_aligned(file, f"{name}.numbers"), _aligned(file, f"{name}.scales"))
                for name in names
            }
    except (OSError, SafetensorError):
        return None


def _aligned(file: Any, key: str) -> torch.Tensor:
    tensor: torch.Tensor = file.get_tensor(key)
    return tensor if tensor.data_ptr() % ALIGNMENT == 0 else tensor.clone()


def _save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """safetensors aligns to 8 bytes; its header is lengthened so that the tensors begin where they must."""
    try:
        save_file(tensors, path, metadata={"padding": ""})
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        save_file(tensors, path, metadata={"padding": " " * (-(8 + length) % ALIGNMENT)})
    except SafetensorError as error:
        raise os_error(error) or OSError(0, f"writing {path.name} failed: {error}") from error


def _write(folder: Path, weights: Weights) -> None:
    tensors: dict[str, torch.Tensor] = {}
    for name, packed in weights.items():
        tensors |= {f"{name}.numbers": packed.numbers, f"{name}.scales": packed.scales}
    prefix = f".{folder.name}."
    for left in (*folder.parent.glob(f"{prefix}*"), *_others(folder)):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        _save(tensors, fresh / FILE)
        with (fresh / FILE).open("rb+") as file:
            os.fsync(file.fileno())  # the rename must not reach the disk before the bytes
        shutil.rmtree(folder, ignore_errors=True)  # there only if it was not right
        os.replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _others(folder: Path) -> list[Path]:
    """What other versions left for the same model and scheme, but for the latest made for another torch."""
    start, _, version = folder.name.rpartition("-v")
    others = [
        path for path in folder.parent.glob(f"{start}-v*") if path.is_dir() and path.name != folder.name
    ]
    usable = [path for path in others if path.name.startswith(f"{start}-v{version.partition('-')[0]}-")]
    kept = sorted(usable, key=lambda path: path.stat().st_mtime_ns)[-(KEPT - 1) :]
    return [path for path in others if path not in kept]
