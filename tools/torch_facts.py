"""What `torch_choice` must know about a machine, gathered for one Python: runs commands, changes nothing.

Any Python ≥ 3.11, standard library only: `setup.py` and an editor's installer use it before anything else
is installed.
"""

import dataclasses
import os
import platform
import shutil
import subprocess
from pathlib import Path

import torch_choice

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
INDEX_TIMEOUT_S = 120
"""For asking pip which versions of torch there are: longer than its own retries take."""


def answer_of(*command: str | Path, timeout_s: float | None = None) -> str:
    """What a command prints; empty when it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else ""


def installed_torch(python: Path) -> str:
    """The version of torch that `python` sees, without importing it; empty: none."""
    code = "import importlib.metadata as m; print(*[d.version for d in m.distributions(name='torch')][:1])"
    return answer_of(python, "-c", code)


def has_nvidia_gpu() -> bool:
    """Whether a driver is loaded: a card without one is of no use."""
    tool = shutil.which("nvidia-smi")
    return NVIDIA_DRIVER.exists() or (tool is not None and "GPU" in answer_of(tool, "--list-gpus"))


def offered_versions(python: Path) -> tuple[str, ...]:
    """Every version of torch that pip could install there. Costs one look-up and no download."""
    try:
        answer = answer_of(python, "-m", "pip", "index", "versions", "torch", timeout_s=INDEX_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return ()
    for line in answer.splitlines():
        label, _, versions = line.partition(":")
        if label.strip() == "Available versions":
            return tuple(version.strip() for version in versions.split(","))
    return ()


def choose_for(python: Path) -> torch_choice.Choice:
    """Which torch the environment of `python` gets. Asks pip only where its answer counts."""
    facts = torch_choice.Facts(
        system=platform.system(),
        has_nvidia_gpu=has_nvidia_gpu(),
        installed=installed_torch(python),
        override=os.environ.get("MIDFILL_TORCH", ""),
    )
    if torch_choice.choose_without_asking(facts) is None:
        facts = dataclasses.replace(facts, offered=offered_versions(python))
    return torch_choice.choose(facts)
