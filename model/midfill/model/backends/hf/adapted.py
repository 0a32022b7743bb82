"""An adapter and its base model to one folder of weights, once: every other part then sees a plain model.

Merged in float32 and rounded to the base's own format, a shard at a time. The folder appears whole or not
at all, and lies among the converted models under the adapter's digest.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.errors import DamagedModel, DownloadError, UnsupportedModel
from midfill.model.store.adapter import Adapter
from midfill.model.store.files import disk_full_named, link_or_copy, os_error, require_room
from midfill.model.store.fit import stored_bytes
from midfill.model.store.local import ADAPTER_WEIGHTS, MERGED_DIGITS, converted_dir, weights_key

PREFIX = "base_model.model."
"""What PEFT puts before the base model's own names."""
PARTS = (".lora_A.weight", ".lora_B.weight")
CONFIG = "config.json"
GIVEN_NAME = "_model_name_or_path"
"""Key under which the merged config keeps the base's name: dialects go by names."""

Pairs = dict[str, tuple[torch.Tensor, torch.Tensor]]
"""Module → A [rank, columns] and B [rows, rank]."""


def merged_folder(adapter: Adapter, base: Path, base_name: str, report: Report) -> Path:
    """The folder of the base model in folder `base` with `adapter` merged in; made if it is not there.

    Raises DamagedModel, UnsupportedModel, DownloadError (disk full), and what `report` raises.
    """
    target = _target(adapter, base)
    if target.is_dir():
        return target
    pairs = _read_pairs(adapter)
    try:
        with disk_full_named(target, stored_bytes(base)):
            target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(target.with_name(target.name + ".lock")):
                if not target.is_dir():
                    require_room(target.parent, stored_bytes(base))
                    _make(adapter, pairs, base, base_name, target, report)
    except SafetensorError as error:
        raise DamagedModel(f"{base_name}: its weights cannot be read ({error})") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DownloadError(f"the merged model cannot be written to {target.parent}: {reason}") from error
    return target


def _target(adapter: Adapter, base: Path) -> Path:
    plain = converted_dir(adapter.digest())
    return plain.with_name(f"{plain.name}-on-{weights_key(base)[:MERGED_DIGITS]}")


def _read_pairs(adapter: Adapter) -> Pairs:
    parts: dict[str, dict[str, torch.Tensor]] = {}
    try:
        with safe_open(adapter.folder / ADAPTER_WEIGHTS, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 — it is no mapping
                part = next((part for part in PARTS if key.endswith(part)), None)
                if part is None or not key.startswith(PREFIX):
                    raise UnsupportedModel(f"{adapter.folder.name} is no plain LoRA: it holds {key}")
                module = key.removeprefix(PREFIX).removesuffix(part)
                parts.setdefault(module, {})[part] = file.get_tensor(key)
    except (SafetensorError, OSError) as error:
        raise DamagedModel(f"{adapter.folder.name}: its weights cannot be read ({error})") from error
    halves = [module for module, found in parts.items() if len(found) != len(PARTS)]
    if halves or not parts:
        raise DamagedModel(f"{adapter.folder.name} is not whole: {halves[0] if halves else 'it is empty'}")
    return {module: (found[PARTS[0]], found[PARTS[1]]) for module, found in parts.items()}


def _make(adapter: Adapter, pairs: Pairs, base: Path, base_name: str, target: Path, report: Report) -> None:
    """With the lock held: what a killed process left can go."""
    prefix = f".{target.name}."
    for left in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        shards = sorted(base.glob("*.safetensors"))
        merged: set[str] = set()
        for done, shard in enumerate(shards):
            message = "merging the adapter into its base model (once)"
            report(LoadProgress("convert", message, done / len(shards)))
            merged |= _merge_shard(adapter, pairs, shard, folder / shard.name, base_name)
        if unknown := sorted(pairs.keys() - merged):
            raise UnsupportedModel(
                f"{adapter.folder.name} was not made for {base_name}, which has no {unknown[0]}.weight"
            )
        for path in base.iterdir():
            if path.is_file() and path.name != CONFIG and path not in shards:
                link_or_copy(path, folder / path.name)
        config = json.loads((base / CONFIG).read_text(encoding="utf-8"))
        config.setdefault(GIVEN_NAME, base_name)
        (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
        os.replace(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _merge_shard(adapter: Adapter, pairs: Pairs, source: Path, target: Path, base_name: str) -> set[str]:
    """Write `source` with the adapter's changes to `target`; return the modules that it held."""
    with safe_open(source, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 — it is no mapping
    here = {module for module in pairs if f"{module}.weight" in tensors}
    for module in here:
        weight = tensors[f"{module}.weight"]
        a, b = pairs[module]
        if a.dim() != 2 or b.dim() != 2 or (b.shape[0], a.shape[1]) != weight.shape or b.shape[1] != len(a):
            raise DamagedModel(
                f"{adapter.folder.name} was not made for {base_name}: {module} is {tuple(weight.shape)} "
                f"there, and {tuple(b.shape)} times {tuple(a.shape)} here"
            )
        change = adapter.scale(module, len(a)) * (b.float() @ a.float())
        tensors[f"{module}.weight"] = (weight.float() + change).to(weight.dtype)
    try:
        save_file(tensors, target, metadata={"format": "pt"})
    except SafetensorError as error:  # the base was read: this is the disk
        raise os_error(error) or OSError(0, str(error)) from error
    with target.open("rb+") as file:
        os.fsync(file.fileno())  # the rename must not reach the disk before the bytes
    return here
