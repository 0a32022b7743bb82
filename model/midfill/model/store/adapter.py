"""What a LoRA adapter's folder says of it (arXiv 2106.09685; the files are PEFT's). Never reads a tensor.

Plain LoRA on linear layers is taken; whatever else PEFT can write is refused by name.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midfill.model.errors import DamagedModel, UnsupportedModel
from midfill.model.store.files import sha256_of
from midfill.model.store.local import ADAPTER_WEIGHTS

CONFIG = "adapter_config.json"
_UNSUPPORTED = {
    "use_dora": "DoRA",
    "use_qalora": "QALoRA",
    "modules_to_save": "whole modules of its own",
    "lora_bias": "biases of its own",
    "layer_replication": "replicated layers",
    "target_parameters": "single parameters as targets",
    "trainable_token_indices": "tokens of its own",
    "fan_in_fan_out": "transposed weights",
}
"""Keys of the configuration that change what must be added, and what they mean."""
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq")
"""Ways to begin that leave another base model behind than the one that is named."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A plain LoRA: W + scale · B · A for some linear weights W of the model `base`."""

    folder: Path
    base: str
    """The base model as whoever trained the adapter named it: a hub id, or a path of theirs."""
    alpha: float
    rank_stabilised: bool = False
    """alpha / √r in place of alpha / r (arXiv 2312.03732)."""
    alphas: Mapping[str, float] = field(default_factory=dict)
    """Patterns of module names → their own alpha."""

    def scale(self, module: str, rank: int) -> float:
        """What B · A of `module` is multiplied by."""
        own = (a for pattern, a in self.alphas.items() if re.match(rf"(.*\.)?({pattern})$", module))
        alpha = next(own, self.alpha)
        return alpha / (math.sqrt(rank) if self.rank_stabilised else rank)

    def digest(self) -> str:
        """Of its weights and its configuration."""
        both = sha256_of(self.folder / ADAPTER_WEIGHTS) + sha256_of(self.folder / CONFIG)
        return hashlib.sha256(both.encode()).hexdigest()


def read_adapter(folder: Path) -> Adapter:
    """The adapter in `folder`. Raises DamagedModel, and UnsupportedModel for what is no plain LoRA."""
    config = _read(folder / CONFIG)
    kind = str(config.get("peft_type", ""))
    if kind.upper() != "LORA":
        raise UnsupportedModel(
            f"{folder.name} is an adapter of kind {kind or 'unknown'}: only LoRA is taken"
        )
    odd = [meaning for key, meaning in _UNSUPPORTED.items() if config.get(key)]
    if config.get("bias") not in (None, "none"):
        odd.append("biases of its own")
    if str(config.get("init_lora_weights")).lower().startswith(_CHANGES_BASE):
        odd.append(f"a base model changed by {config['init_lora_weights']}")
    if odd:
        raise UnsupportedModel(f"{folder.name} is a LoRA with {', '.join(odd)}: only plain LoRA is taken")
    try:
        base = str(config["base_model_name_or_path"] or "")
        alphas = {str(name): float(alpha) for name, alpha in (config.get("alpha_pattern") or {}).items()}
        found = Adapter(folder, base, float(config["lora_alpha"]), bool(config.get("use_rslora")), alphas)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedModel(f"{folder.name}: its {CONFIG} lacks what a LoRA needs ({error})") from error
    if not base:
        raise DamagedModel(f"{folder.name}: its {CONFIG} does not name the model that it was made for")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError
    except (OSError, ValueError) as error:
        raise DamagedModel(f"{path} cannot be read.") from error
    return found
