"""Weights on disk to a model that is ready and has been tried out.

Refuses what is damaged or unknown with a sentence. Never runs code from a model's folder, never reads
pickle, never asks a network.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.backends.hf.chat import ChatFormat
from midfill.model.backends.hf.convert import convert_gguf
from midfill.model.backends.hf.device import (
    choose_context,
    choose_device,
    choose_dtype,
    measure_cpu,
    use_threads,
)
from midfill.model.backends.hf.kv import Past
from midfill.model.backends.hf.past import TransformersPast
from midfill.model.backends.hf.quiet import keep_quiet
from midfill.model.backends.hf.vocabulary import read_vocabulary, refuse_own_code
from midfill.model.backends.lean.choice import choose_scheme
from midfill.model.backends.lean.forward import LeanModel
from midfill.model.backends.lean.load import load_lean, read_config
from midfill.model.backends.lean.shape import read_shape
from midfill.model.config import ModelConfig
from midfill.model.dialects import Decision, FimDialect
from midfill.model.errors import DamagedModel, OutOfMemory, UnsafeWeights, UnsupportedModel
from midfill.model.store.local import LocalModel, WeightFormat, converted_dir
from midfill.model.tokens import CodeTokenizer

ATTENTION = "sdpa"
PLAIN_LAYERS = {"full_attention", "sliding_attention"}
"""Layers whose cache is keys and values by position; `kv.py` holds no other state."""


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

    @property
    def dialect(self) -> FimDialect | None:
        """What it is asked to fill in; None: it completes left to right, `fim.reason` says why."""
        return self.fim.dialect


def load_model(local: LocalModel, config: ModelConfig, report: Report) -> Loaded:
    """Bring `local` into memory as `config` asks. Raises ModelError; what `report` raises passes."""
    keep_quiet()
    use_threads(config.threads)
    device = choose_device(config.device)
    folder = _as_folder(local, report)
    report(LoadProgress("load", f"loading {local.name}"))
    names = [local.name, local.path.name]
    refuse_own_code(folder, names)
    settings = _read_settings(folder)
    eos_ids = _eos_ids(folder, settings)
    # A GGUF file's own name: the converted config keeps it under this key.
    names.append(str(getattr(settings, "_model_name_or_path", "")))
    vocabulary = read_vocabulary(folder, names, eos_ids, config.fim_dialect)
    model, dtype, served = _read_model(local, folder, config, device)
    _check_together(model, vocabulary.tokenizer, local.name)
    return Loaded(
        model=model,
        make_past=model.make_past if isinstance(model, LeanModel) else TransformersPast,
        tokenizer=vocabulary.tokenizer,
        fim=vocabulary.fim,
        chat=vocabulary.chat,
        stop_ids=vocabulary.stop_ids,
        bos_id=settings.bos_token_id,
        device=device,
        dtype=dtype,
        served=served,
        context_tokens=choose_context(config, device, settings.max_position_embeddings),
    )


def _as_folder(local: LocalModel, report: Report) -> Path:
    if local.format is WeightFormat.SAFETENSORS:
        if not any(local.path.glob("*.safetensors")):
            if any(local.path.glob("*.bin")):
                raise UnsafeWeights(
                    f"{local.name} has only pickle weights, which can run code: get safetensors or GGUF"
                )
            raise DamagedModel(f"{local.name} has no weights in {local.path}")
        return local.path
    if not local.sha256:
        raise DamagedModel(f"{local.name} has no digest: import it again with `midfill model import`")
    return convert_gguf(local.path, converted_dir(local.sha256), report)


def _read_settings(folder: Path) -> Any:
    try:
        settings = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, TypeError, AttributeError) as error:  # all of them seen for odd configs
        known = (folder / "config.json").is_file()
        kind = UnsupportedModel if known else DamagedModel
        raise kind(
            f"{folder.name}: this is no model that transformers knows ({_first_line(error)})"
        ) from error
    kinds = settings.architectures or []
    if kinds and not any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise UnsupportedModel(f"{folder.name}: {kinds[0]} is no model that writes text from left to right")
    layers = set(getattr(settings, "layer_types", None) or PLAIN_LAYERS)
    if not layers <= PLAIN_LAYERS or not hasattr(settings, "max_position_embeddings"):
        raise UnsupportedModel(f"{folder.name}: models of type {settings.model_type!r} are not supported")
    return settings


def _read_model(
    local: LocalModel, folder: Path, config: ModelConfig, device: torch.device
) -> tuple[Any, torch.dtype, str]:
    """The model, its number format, and what decoding multiplies. Lean where it can be, on a CPU."""
    shape = read_shape(read_config(folder)) if device.type == "cpu" else None
    scheme = choose_scheme(config, device, shape)
    # With quantised kernels for single tokens, only blocks are left to be quick in.
    measure = partial(measure_cpu, steps=0) if scheme else measure_cpu
    dtype = choose_dtype(config.dtype, device, _stored_parameters(folder), measure)
    if shape is None:
        return _read_weights(folder, dtype, device), dtype, str(dtype).removeprefix("torch.")
    try:
        lean = load_lean(folder, shape, scheme, dtype, keep=_packed_beside(local, folder))
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory(f"{folder.name} does not fit into the memory of {device}") from error
    return lean.eval(), dtype, lean.served


def _packed_beside(local: LocalModel, folder: Path) -> Path:
    """Quantised weights lie among the converted: a folder of the user's own is left as it is."""
    if local.format is WeightFormat.GGUF:
        return folder
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.glob("*.safetensors")
    ]
    return converted_dir(hashlib.sha256(f"{folder.resolve()} {sorted(files)}".encode()).hexdigest())


def _read_weights(folder: Path, dtype: torch.dtype, device: torch.device) -> Any:
    try:
        model, about = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation=ATTENTION,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        model = model.to(device).eval()
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory(f"{folder.name} does not fit into the memory of {device}") from error
    except (SafetensorError, OSError) as error:
        raise DamagedModel(f"{folder.name}: its weights cannot be read ({_first_line(error)})") from error
    except (ValueError, RuntimeError, ImportError) as error:
        raise UnsupportedModel(f"{folder.name} cannot be loaded: {_first_line(error)}") from error
    missing = [*about["missing_keys"], *about["mismatched_keys"]]
    if missing:
        raise DamagedModel(
            f"{folder.name}: {len(missing)} of its tensors are missing or of the wrong shape"
        )
    return model


def _check_together(model: Any, tokenizer: CodeTokenizer, name: str) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if tokenizer.size > rows:
        raise DamagedModel(
            f"{name}: tokenizer ({tokenizer.size} tokens) and weights ({rows}) do not belong together"
        )


def _eos_ids(folder: Path, settings: Any) -> frozenset[int]:
    """Qwen ships different ends in its two files (llama.cpp #9606): all of them count."""
    found: list[int] = []
    values = [settings.eos_token_id]
    if (folder / "generation_config.json").is_file():
        values.append(GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id)
    for value in values:
        found += [value] if isinstance(value, int) else value or []
    return frozenset(found)


def _stored_parameters(folder: Path) -> int:
    """About how many there are: two bytes each is how all but the oldest models are stored."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors")) // 2


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
