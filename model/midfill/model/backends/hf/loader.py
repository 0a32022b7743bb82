"""Weights on disk to a model that is ready and has been tried out.

Refuses what is damaged or unknown with a sentence. Never runs code from a model's folder, never reads
pickle, never asks a network.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.backends.hf.chat import ChatFormat
from midfill.model.backends.hf.context import choose_context, context_limit
from midfill.model.backends.hf.device import (
    choose_device,
    choose_dtype,
    measure_cpu,
    use_threads,
)
from midfill.model.backends.hf.folder import as_folder
from midfill.model.backends.hf.kv import Past
from midfill.model.backends.hf.memory import free_memory, has_bitsandbytes, is_out_of_memory
from midfill.model.backends.hf.model_settings import ModelSettings, read_json, read_settings
from midfill.model.backends.hf.placement import place
from midfill.model.backends.hf.vocabulary import check_together, read_vocabulary, refuse_own_code
from midfill.model.backends.lean.choice import choose_scheme
from midfill.model.backends.lean.load import load_lean
from midfill.model.backends.lean.memory import trim_heap
from midfill.model.backends.lean.schemes import SCHEMES
from midfill.model.backends.lean.shape import Shape, read_shape
from midfill.model.config import ModelConfig
from midfill.model.dialects import Decision, FimDialect
from midfill.model.errors import OutOfMemory
from midfill.model.store.estimate import Serving, read_sizes
from midfill.model.store.fit import context_that_fits, stored_bytes
from midfill.model.store.local import LocalModel, WeightFormat, converted_dir, weights_key
from midfill.model.tokens import CodeTokenizer

log = logging.getLogger(__name__)


class Read(NamedTuple):
    """A model in memory, before its vocabulary is known: see `Loaded`."""

    model: Any
    make_past: Callable[[], Past]
    dtype: torch.dtype
    served: str
    context_tokens: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory and what its files say about it."""

    model: Any
    """A transformers causal language model, or the lean one in its place."""
    make_past: Callable[[], Past]
    """Empty keys and values for it."""
    tokenizer: CodeTokenizer
    fim: Decision
    chat: ChatFormat | None
    stop_ids: frozenset[int]
    bos_id: int | None
    device: torch.device
    dtype: torch.dtype
    """Of what is computed with the weights as they are stored: everything, or a prompt's blocks alone."""
    served: str
    """What decoding multiplies: the name of `dtype`, or of a quantised format."""
    context_tokens: int
    note: str
    """What of the settings could not be had; mostly empty."""

    @property
    def dialect(self) -> FimDialect | None:
        """What it is asked to fill in; None: it completes left to right, `fim.reason` says why."""
        return self.fim.dialect


def load_model(local: LocalModel, config: ModelConfig, report: Report) -> Loaded:
    """Bring `local` into memory as `config` asks. Raises ModelError; what `report` raises passes."""
    use_threads(config.threads)
    device = choose_device(config.device)
    folder = as_folder(local, report)
    report(LoadProgress("load", f"loading {local.name}"))
    names = [local.name, local.path.name]
    refuse_own_code(folder, names)
    shape, settings = _read_settings(folder, device)
    names.append(settings.given_name)
    vocabulary = read_vocabulary(folder, names, settings.eos_ids, config.fim_dialect)
    limit = context_limit(read_json(folder / "config.json"), settings.context_tokens, names)
    context, note = choose_context(config, device.type, limit)
    read = _read_gpu_model if shape is not None and _serves_on_gpu(device) else _read_model
    found = read(local, folder, shape, config, device, context)
    check_together(vocabulary.tokenizer, found.model.get_input_embeddings().weight.shape[0], local.name)
    trim_heap()
    return Loaded(
        model=found.model,
        make_past=found.make_past,
        tokenizer=vocabulary.tokenizer,
        fim=vocabulary.fim,
        chat=vocabulary.chat,
        stop_ids=vocabulary.stop_ids,
        bos_id=settings.bos_id,
        device=device,
        dtype=found.dtype,
        served=found.served,
        context_tokens=found.context_tokens,
        note="; ".join(filter(None, (note, found.note))),
    )


def _read_settings(folder: Path, device: torch.device) -> tuple[Shape | None, ModelSettings]:
    """The shape of a model that a lean pass computes here, else None; and what its files say of it."""
    lean = device.type == "cpu" or _serves_on_gpu(device)
    config = read_json(folder / "config.json") if lean else {}
    shape, settings = read_shape(config), read_settings(folder, config)
    if shape is not None and settings is not None:
        return shape, settings
    from midfill.model.backends.hf.pretrained import check_settings

    return None, check_settings(folder)


def _read_model(
    local: LocalModel,
    folder: Path,
    shape: Shape | None,
    config: ModelConfig,
    device: torch.device,
    context: int,
) -> Read:
    """The model as a CPU computes it, or transformers. Raises TooBig before anything is read."""
    scheme = choose_scheme(config, device, shape) if device.type == "cpu" else None
    # With quantised kernels for single tokens, only blocks are left to be quick in.
    measure = partial(measure_cpu, steps=0) if scheme else measure_cpu
    dtype = choose_dtype(config.dtype, device, stored_bytes(folder) // 2, measure)
    sizes = read_sizes(read_json(folder / "config.json"), stored_bytes(folder))
    name = scheme.name if scheme else str(dtype).removeprefix("torch.")
    serving, free = Serving(device.type, name, context), free_memory()
    if shape is None:
        from midfill.model.backends.hf.past import TransformersPast
        from midfill.model.backends.hf.pretrained import read_weights

        placed = place(local.name, sizes, serving, config, device.index, free, has_bitsandbytes())
        model = read_weights(folder, dtype, device, placed)
        return Read(model, TransformersPast, dtype, placed.title, placed.context_tokens)
    asked = config.context_tokens > 0
    context = context_that_fits(local.name, sizes, serving, free.ram, asked, tuple(SCHEMES))
    try:
        lean = load_lean(folder, shape, scheme, dtype, keep=_packed_beside(local, folder))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(f"{folder.name} does not fit into the memory of {device}") from error
    return Read(lean.eval(), lean.make_past, dtype, lean.served, context)


def _serves_on_gpu(device: torch.device) -> bool:
    """Whether lean shapes have a forward pass of their own on `device`."""
    if device.type != "cuda":
        return False
    from midfill.model.backends.lean.gpu.choice import choose_path  # here: a CPU needs none of that room

    return choose_path() != "transformers"


def _read_gpu_model(
    local: LocalModel,
    folder: Path,
    shape: Shape | None,
    config: ModelConfig,
    device: torch.device,
    context: int,
) -> Read:
    """The lean model on one GPU, or, where that has no room for it, spread as transformers can: then the
    weights are as stored, which a note says to whoever asked for other ones."""
    from midfill.model.backends.lean.gpu.serve import load_gpu

    assert shape is not None, "asked for lean shapes alone"
    parameters = stored_bytes(folder) // 2
    dtype = choose_dtype(config.dtype, device, parameters)
    try:
        model = load_gpu(folder, shape, config, device, dtype, context, parameters).eval()
        return Read(model, model.make_past, dtype, model.served, model.context_tokens)
    except (OutOfMemory, MemoryError, RuntimeError) as error:
        if not isinstance(error, OutOfMemory) and not is_out_of_memory(error):
            raise
        said = str(error).partition("\n")[0]
        log.warning("%s does not fit on %s, transformers spreads it: %s", local.name, device, said)
        torch.cuda.empty_cache()
    found = _read_model(local, folder, None, replace(config, quantization="none"), device, context)
    if config.quantization in ("auto", "none"):
        return found
    return found._replace(
        note=f"quantization {config.quantization!r} was given up: even so {local.name} does not fit on "
        f"{device}; its weights are {found.served}"
    )


def _packed_beside(local: LocalModel, folder: Path) -> Path:
    """Quantised weights lie among the converted: a folder of the user's own is left as it is."""
    if local.format is not WeightFormat.SAFETENSORS:
        return folder
    return converted_dir(weights_key(folder))
