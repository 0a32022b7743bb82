"""A whole load and a completion in a process of its own, that may be told to be another machine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from midfill.model.store.local import CACHE_ENV

MACHINES = {
    "this": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "default": {"ATEN_CPU_CAPABILITY": "default"},
}
"""Name → the environment that makes torch and oneDNN believe it (it has more)."""
SERVE = """
import json, sys
from pathlib import Path
import torch
from midfill.model.api import Chunk, FimRequest
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.config import ModelConfig
from midfill.model.store.local import LocalModel, WeightFormat

folder, name, settings, lacking, request = json.loads(sys.argv[1])
for op in lacking:  # a torch that was built without it: the name is not there
    real = torch.ops.aten.__class__.__getattr__
    def missing(self, wanted, real=real, op=op):
        if wanted == op:
            raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute {op!r}")
        return real(self, wanted)
    torch.ops.aten.__dict__.pop(op, None)
    torch.ops.aten.__class__.__getattr__ = missing
local = LocalModel(name, Path(folder), WeightFormat.SAFETENSORS)
backend = TransformersBackend(ModelConfig(model=name, device="cpu", threads=1, **settings), local)
info = backend.load(lambda _: None)
events = list(backend.stream(FimRequest(**request)))
said = "".join(event.text for event in events if isinstance(event, Chunk))
print(json.dumps({"served": info.dtype, "said": said, "cpu": torch.backends.cpu.get_cpu_capability()}))
"""


def serve(
    folder: Path,
    request: dict[str, Any],
    machine: str = "this",
    lacking: tuple[str, ...] = (),
    name: str = "tiny-qwen2.5-coder",
    **settings: str,
) -> dict[str, str]:
    """`served`, `said` and `cpu` of the model in `folder` on a machine whose torch is `lacking` operators.

    What is quantised stays in memory: weights packed for another machine would replace this one's.
    """
    asked = json.dumps([str(folder), name, settings, lacking, request])
    ended = subprocess.run(
        [sys.executable, "-c", SERVE, asked],
        env=os.environ | MACHINES[machine] | {CACHE_ENV: os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"exit code {ended.returncode}: {ended.stderr}"
    found: dict[str, str] = json.loads(ended.stdout)
    return found
