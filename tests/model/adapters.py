"""LoRA adapters made on the spot, as PEFT writes them: for test_adapter.py."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

TARGETS = ("model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj")
RANK, ALPHA = 4, 16


def make_pairs(model: Any, targets: tuple[str, ...] = TARGETS) -> dict[str, tuple[Any, Any]]:
    """A [rank, columns] and B [rows, rank] for each target, large enough to change every answer."""
    torch.manual_seed(3)
    pairs = {}
    for target in targets:
        rows, columns = model.get_submodule(target).weight.shape
        pairs[target] = (torch.randn(RANK, columns), torch.randn(rows, RANK))
    return pairs


def write_adapter(folder: Path, base: str, pairs: dict[str, tuple[Any, Any]], **config: Any) -> Path:
    folder.mkdir(parents=True)
    about = {"peft_type": "LORA", "base_model_name_or_path": base, "lora_alpha": ALPHA, "r": RANK}
    about |= {
        "bias": "none",
        "task_type": "CAUSAL_LM",
        "modules_to_save": None,
        "use_dora": False,
        **config,
    }
    (folder / "adapter_config.json").write_text(json.dumps(about), encoding="utf-8")
    tensors = {}
    for target, (a, b) in pairs.items():
        tensors[f"base_model.model.{target}.lora_A.weight"] = a.contiguous()
        tensors[f"base_model.model.{target}.lora_B.weight"] = b.contiguous()
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def changed(model: Any, pairs: dict[str, tuple[Any, Any]], scales: dict[str, float]) -> Any:
    """`model` with the changes added by hand."""
    with torch.no_grad():
        for target, (a, b) in pairs.items():
            model.get_submodule(target).weight += scales[target] * (b @ a)
    return model
