"""GGUF to safetensors, once: de-quantised to bfloat16, with config and tokenizer beside it.

transformers needs 40–55 s for the default model's GGUF at every load, and under 1 s for what this writes
(measured, 2 cores). bfloat16: a 4-bit file has nothing that float32 would keep, at twice the disk.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import save_file
from tokenizers import Tokenizer, normalizers
from transformers import AutoModelForCausalLM, AutoTokenizer

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.backends.hf.memory import free_memory, is_out_of_memory
from midfill.model.backends.hf.quiet import keep_quiet, without_bars
from midfill.model.errors import DamagedModel, DownloadError, OutOfMemory, TooBig, UnsupportedModel
from midfill.model.store.files import disk_full_named, os_error, require_room
from midfill.model.store.fit import unpacking_refusal
from midfill.model.store.gguf_header import check_gguf

WEIGHTS = "model.safetensors"
DTYPE = torch.bfloat16
POLL_S = 0.5
"""How often a second process says that it is still waiting for the first."""
BYTES_PER_WEIGHT = 2
"""bfloat16."""
NFC_MODEL_TYPES = ("qwen2", "qwen2_moe", "qwen3", "qwen3_moe")
"""Qwen's tokenizers normalise to NFC; a GGUF file does not say so, and transformers 5.23 forgets it."""


def convert_gguf(source: Path, target: Path, report: Report) -> Path:
    """Make the folder `target` from the GGUF file `source`, unless it is there; return `target`.

    `target` appears whole or not at all, also when two processes do this at once or one is killed.
    Raises DamagedModel, UnsupportedModel, DownloadError (disk full), OutOfMemory; and what `report` raises.
    """
    if target.is_dir():
        return target
    weights = check_gguf(source)
    needed = weights * BYTES_PER_WEIGHT
    try:
        with disk_full_named(target, needed):
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(target.with_name(target.name + ".lock"))
            _acquire(lock, report)
            try:
                if not target.is_dir():
                    require_room(target.parent, needed)
                    if sentence := unpacking_refusal(source.name, weights, free_memory().ram):
                        raise TooBig(sentence)
                    _convert(source, target, report)
            finally:
                lock.release()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DownloadError(
            f"the converted model cannot be written to {target.parent}: {reason}"
        ) from error
    return target


def _acquire(lock: FileLock, report: Report) -> None:
    while True:
        try:
            lock.acquire(timeout=POLL_S)
            return
        except Timeout:
            report(LoadProgress("convert", "another Midfill is converting this model"))


def _convert(source: Path, target: Path, report: Report) -> None:
    """With the lock held: nobody else is writing, so what a killed process left can go."""
    prefix = f".{target.name}."
    for left in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        _write(source, folder, report)
        os.replace(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(source: Path, folder: Path, report: Report) -> None:
    keep_quiet()
    report(LoadProgress("convert", "reading the tokenizer (once for each model)", 0.0))
    tokenizer = _read(source, AutoTokenizer)
    report(LoadProgress("convert", "unpacking the weights (once for each model)", 0.2))
    model = _read(source, AutoModelForCausalLM, dtype=DTYPE)
    report(LoadProgress("convert", "saving", 0.9))
    with suppress(AttributeError):
        del model.config.quantization_config  # the saved weights are not quantised
    try:
        model.config.save_pretrained(folder)
        model.generation_config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _restore_normalizer(folder, model.config.model_type)
        _save_weights(model, folder / WEIGHTS)
    except Exception as error:  # tokenizers and safetensors have classes of their own for a full disk
        raise os_error(error) or error from error
    report(LoadProgress("convert", "done", 1.0))


def _read(source: Path, reader: Any, **how: Any) -> Any:
    """What transformers' `reader` makes of the file; its many kinds of exception as ours."""
    try:
        with without_bars():
            return reader.from_pretrained(
                source.parent, gguf_file=source.name, local_files_only=True, trust_remote_code=False, **how
            )
    except Exception as error:
        raise _as_model_error(error, source) from error


def _save_weights(model: torch.nn.Module, path: Path) -> None:
    """One file, tied weights once. `save_pretrained` refuses models that were read from GGUF."""
    tied = set(getattr(model, "all_tied_weights_keys", None) or {})
    state = {
        name: tensor.to(DTYPE).contiguous() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in model.state_dict().items()
        if name not in tied
    }
    save_file(state, path, metadata={"format": "pt"})
    with path.open("rb+") as file:
        os.fsync(file.fileno())  # the rename must not reach the disk before the bytes


def _restore_normalizer(folder: Path, model_type: str) -> None:
    path = str(folder / "tokenizer.json")
    tokenizer = Tokenizer.from_file(path)
    if model_type in NFC_MODEL_TYPES and tokenizer.normalizer is None:
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.save(path)


def _as_model_error(error: Exception, source: Path) -> Exception:
    if isinstance(error, OSError) and error.errno:  # without one it is transformers' own
        return error
    if is_out_of_memory(error):
        return OutOfMemory(f"not enough memory to unpack {source.name}")
    if isinstance(error, ImportError | NotImplementedError) or "not supported" in str(error):
        return UnsupportedModel(f"transformers cannot read {source.name}: {error}")
    return DamagedModel(f"{source.name} cannot be read: the file is damaged ({type(error).__name__})")
