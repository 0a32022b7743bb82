"""The compiled kernels: built once by the C compiler here, kept in the user's cache, called by ctypes.

Where there is no compiler, no AVX-512 VNNI, or `MIDFILL_NATIVE=off`, there is no library, and torch's own
kernels serve. Threads are torch's: the OpenMP that torch has loaded is found by name at load.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.shape import Shape
from midfill.model.store.local import cache_root

FOLDER = Path(__file__).parent
SOURCES = ("linear.c", "attention.c", "block.c", "layers.c", "likeliest.c", "pool.c")
HEADERS = ("activations.h", "functions.h", "pool.h", "vector.h")
FEATURES = ("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni", "f16c", "fma")
"""As Linux names them in /proc/cpuinfo. Without its underscore each is a compiler's option."""
OPTIONS = ("-O3", "-std=gnu11", "-fno-math-errno", "-fPIC", "-fopenmp", "-pthread")
SWITCH = "MIDFILL_NATIVE"
COMPILE_TIMEOUT_S = 120
"""It takes 2 s (gcc 12)."""

Pointer, Long = ctypes.c_void_p, ctypes.c_long


class Library:
    """The C functions, with tensors in place of addresses. Raises MemoryError where memory is short."""

    def __init__(self, path: Path) -> None:
        functions = ctypes.CDLL(str(path))
        self._linear, self._place = functions.midfill_linear, functions.midfill_place
        self._attend, self._likeliest = functions.midfill_attend, functions.midfill_likeliest
        self._linear.argtypes = (
            *(ctypes.c_int, Pointer, Pointer, Long, Long, Pointer, Long, Pointer, ctypes.c_float),
            *(ctypes.c_int, Pointer, ctypes.c_int),
        )
        self._place.argtypes = (*[Pointer] * 4, *[Long] * 4, Pointer, Pointer, Long, Long)
        self._place.restype = None
        self._attend.argtypes = (Pointer, *[Long] * 4, Pointer, Pointer, Long, Long, Pointer)
        self._attend_block = functions.midfill_attend_block
        self._attend_block.argtypes = self._attend.argtypes
        self._layers = functions.midfill_layers
        self._layers.argtypes = [
            Pointer,
            Long,
            Pointer,
            *[Long] * 4,
            ctypes.c_float,
            Pointer,
            Pointer,
            Pointer,
            Long,
            Pointer,
        ]
        self._likeliest.argtypes = (Pointer, Long, Long, Pointer, Pointer)
        self._likeliest.restype = None

    def linear(
        self,
        bits: int,
        numbers: torch.Tensor,
        scales: torch.Tensor,
        rows: torch.Tensor,
        out: torch.Tensor,
        *,
        norm: torch.Tensor | None = None,
        epsilon: float = 0.0,
        gated: bool = False,
        add: bool = False,
    ) -> None:
        """Write `rows` [n, columns] times the weight to `out` [n, rows of the weight], or `add` it to what
        is there. `rows` become RMSNorm(rows) first where there is a `norm`; where it is `gated`, `out` is
        half as wide: silu(left half) * right half. All in float32 and contiguous.
        """
        n, wide = out.shape
        failed = self._linear(
            *(bits, numbers.data_ptr(), scales.data_ptr(), 2 * wide if gated else wide),
            *(rows.shape[1], rows.data_ptr(), n),
            *(None if norm is None else norm.data_ptr(), epsilon, gated, out.data_ptr(), add),
        )
        _check(failed)

    def place(
        self,
        mixed: torch.Tensor,
        bias: torch.Tensor | None,
        cos: torch.Tensor,
        sin: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        begin: int,
    ) -> None:
        """Turn the heads of `mixed` [n, heads and twice kv_heads, dim] and write its keys and values to
        the buffers [1, kv_heads, capacity, dim], from position `begin` on.
        """
        n, heads, dim = mixed.shape
        _, kv_heads, capacity, _ = keys.shape
        self._place(
            *(mixed.data_ptr(), None if bias is None else bias.data_ptr(), cos.data_ptr(), sin.data_ptr()),
            *(n, heads - 2 * kv_heads, kv_heads, dim, keys.data_ptr(), values.data_ptr(), capacity, begin),
        )

    def attend(
        self, mixed: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, begin: int, out: torch.Tensor
    ) -> None:
        """Attention of placed queries, each over the positions up to its own; `out` [n, heads times dim].
        The buffers as in `place`.
        """
        n, heads, dim = mixed.shape
        _, kv_heads, capacity, _ = keys.shape
        attend = self._attend if n <= FEW_ROWS else self._attend_block
        failed = attend(
            *(mixed.data_ptr(), n, heads - 2 * kv_heads, kv_heads, dim),
            *(keys.data_ptr(), values.data_ptr(), capacity, begin, out.data_ptr()),
        )
        _check(failed)

    def layers(
        self,
        structs: "ctypes.Array[Any]",
        rows: torch.Tensor,
        shape: Shape,
        cos: torch.Tensor,
        sin: torch.Tensor,
        spans: "ctypes.Array[Any]",
        kept: "ctypes.Array[Any]",
    ) -> None:
        """`rows` [n, hidden] through all layers, in place: see `stack.py`."""
        failed = self._layers(
            *(ctypes.addressof(structs), len(structs), rows.data_ptr(), len(rows)),
            *(shape.heads, shape.kv_heads, shape.head_dim, shape.epsilon),
            *(cos.data_ptr(), sin.data_ptr()),
            *(ctypes.addressof(spans), len(spans), ctypes.addressof(kept)),
        )
        _check(failed)

    def likeliest(self, logits: torch.Tensor) -> list[tuple[int, float]]:
        """Of each row of `logits` [rows, vocabulary]: the likeliest token, its log-probability; NaN where
        a logit is none."""
        rows, n = logits.shape
        tokens, logprobs = torch.empty(rows, dtype=torch.int32), torch.empty(rows)
        self._likeliest(logits.data_ptr(), rows, n, tokens.data_ptr(), logprobs.data_ptr())
        return list(zip(tokens.tolist(), logprobs.tolist(), strict=True))


def library() -> Library:
    """The library. Raises RuntimeError, with the reason, where this machine has none."""
    found = _found()
    if isinstance(found, str):
        raise RuntimeError(found)
    return found


@cache
def _found() -> Library | str:
    reason = _obstacle()
    compiler = _compiler()
    if reason or compiler is None:
        return reason or "there is no C compiler (cc, gcc or clang)"
    try:
        try:
            return Library(_built(compiler, _kept_folder()))
        except PermissionError:  # a cache that cannot be written: built again at every start
            with tempfile.TemporaryDirectory(prefix="midfill-native-") as folder:
                return Library(_built(compiler, Path(folder)))
    except (OSError, subprocess.SubprocessError) as error:
        return f"the kernels cannot be built: {_said(error)}"


def _obstacle() -> str:
    if os.environ.get(SWITCH) == "off":
        return f"{SWITCH} is off"
    if sys.platform != "linux":
        return "they are there for Linux alone"
    # torch's word counts too: ATEN_CPU_CAPABILITY makes it leave instructions out.
    if torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "NO AVX", "AVX2"):
        return "this machine has no AVX-512"
    missing = [feature for feature in FEATURES if feature not in _cpu_features()]
    return f"this machine has no {missing[0]}" if missing else ""


def _cpu_features() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())


def _compiler() -> str | None:
    wanted = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    return next((path for name in wanted if name and (path := shutil.which(name))), None)


def _kept_folder() -> Path:
    """In the user's cache. Raises PermissionError where it cannot be made."""
    folder = cache_root() / "native"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionError(str(error)) from error
    return folder


def _built(compiler: str, folder: Path) -> Path:
    """The library's file in `folder`, built if need be; another name for other sources or compilers."""
    options = [*OPTIONS, *(f"-m{feature.replace('_', '')}" for feature in FEATURES)]
    digest = hashlib.sha256(b"".join((FOLDER / name).read_bytes() for name in (*SOURCES, *HEADERS)))
    digest.update(f"{options} {compiler} {Path(compiler).stat().st_mtime_ns}".encode())
    name = f"kernels-{digest.hexdigest()[:16]}.so"
    path = folder / name
    if not path.is_file():
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder) as made:
            objects = [f"{made}/{source}.o" for source in SOURCES]
            for source, compiled in zip(SOURCES, objects, strict=True):
                _compile([compiler, *options, "-c", str(FOLDER / source), "-o", compiled])
            # Not linked with OpenMP: torch has one loaded, whose threads would be others.
            _compile([compiler, "-shared", "-pthread", *objects, "-o", f"{made}/{name}"])
            os.replace(f"{made}/{name}", path)
    return path


def _compile(command: list[str]) -> None:
    subprocess.run(
        command, check=True, capture_output=True, text=True, errors="replace", timeout=COMPILE_TIMEOUT_S
    )


def _said(error: Exception) -> str:
    told = str(getattr(error, "stderr", "") or error).strip()
    return told.splitlines()[0] if told else type(error).__name__


def _check(failed: int) -> None:
    if failed:
        raise MemoryError("no memory for a matrix product")
