"""Which torch to install, decided from facts alone: it runs nothing and asks nothing.

Owns the rule "never pull gigabytes of CUDA packages to a machine without an NVIDIA GPU".
Must not know: the network, pip's configuration, the file system. `setup.py` beside it gathers and acts.
"""

import re
from dataclasses import dataclass

MINIMUM = (2, 6)
"""The oldest torch that Midfill runs on (pyproject.toml says the same)."""
REQUIREMENT = "torch>=2.6"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the machine and the package indexes that pip is configured with."""

    system: str
    """As `platform.system()` says it: Linux, Darwin, Windows."""
    has_nvidia_gpu: bool = False
    installed: str = ""
    """The version of torch that the environment sees already; empty: none."""
    offered: tuple[str, ...] = ()
    """Every version of torch that pip could install here, local labels such as `+cpu` included."""
    override: str = ""
    """A requirement that the user insists on (MIDFILL_TORCH)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`commands` are modules with arguments, for the environment's own `python -m`, in order."""

    commands: tuple[tuple[str, ...], ...]
    reason: str


def release(version: str) -> tuple[int, ...]:
    """The numbers a version starts with: `2.8.0a0+5228.nv25` → (2, 8, 0); empty when there are none."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in numbers.group().split(".")) if numbers else ()


def newest_cpu_build(offered: tuple[str, ...]) -> str:
    """The newest final version labelled `+cpu` that is new enough; empty when there is none."""
    builds = [v for v in offered if re.fullmatch(r"[\d.]+\+cpu", v) and release(v) >= MINIMUM]
    return max(builds, key=release, default="")


def choose_without_asking(facts: Facts) -> Choice | None:
    """The choice where `offered` does not matter; None where pip must be asked what it offers."""
    if facts.override:
        return Choice((_pip(facts.override),), f"MIDFILL_TORCH asks for {facts.override}")
    if facts.installed and release(facts.installed) >= MINIMUM:
        return Choice((), f"torch {facts.installed} is here already and new enough: kept")
    if facts.has_nvidia_gpu:
        return Choice((_pip(REQUIREMENT),), "an NVIDIA GPU is here: the ordinary build with CUDA")
    if facts.system != "Linux":
        return Choice((_pip(REQUIREMENT),), f"ordinary builds for {facts.system} hold no CUDA")
    return None


def choose(facts: Facts) -> Choice:
    """How to bring torch into the environment, and why (one line for a human)."""
    if settled := choose_without_asking(facts):
        return settled
    if build := newest_cpu_build(facts.offered):
        return Choice((_pip(f"torch=={build}"),), "no NVIDIA GPU, and pip offers a build for CPUs")
    uv = ("uv", "pip", "install", "--torch-backend=cpu", REQUIREMENT)
    reason = "no NVIDIA GPU, and pip offers no build for CPUs alone: uv knows where they lie"
    return Choice((_pip("uv"), uv), reason)


def _pip(requirement: str) -> tuple[str, ...]:
    return ("pip", "install", requirement)
