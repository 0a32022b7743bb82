"""A step's small kernels made into few by torch's compiler: a layer's two functions, once for all layers.

Without it each norm, rotation and sum is a kernel or three of its own, and int8 weights are written out in
16 bits before each product. Whatever fails, or computes something else, leaves the functions as they are.
"""

import logging
import os
from pathlib import Path
from typing import Any

import torch

from midfill.model.backends.lean.gpu.forward import Forward, LayerFunctions
from midfill.model.backends.lean.gpu.graphs import ROW_COUNTS

log = logging.getLogger(__name__)

TOLERANCE = 0.02
"""Largest difference, as a share of the size. Other orders of summing bfloat16 products cost 0.004."""
RECOMPILE_LIMIT = 64
"""torch gives up at 8 versions of one function; each model loaded in a process's life brings two."""


def fuse(forward: Forward, cache: Path, backend: str | Any = "inductor") -> bool:
    """Let `forward` take compiled functions for its steps; whether it does. Seconds, the first time;
    what is compiled is kept under `cache`."""
    plain = forward.functions
    try:
        compiled = _compiled(plain, cache, backend)
        for rows in ROW_COUNTS:
            off = _difference(forward, plain, compiled, rows)
            if not off <= TOLERANCE:  # NaN counts as wrong
                raise RuntimeError(f"what was compiled is off by {off:.3f}")
    except Exception as error:  # a compiler has many ways to fail, and none of them matters to a user
        log.warning("decoding with plain kernels, slower: %s", str(error).strip().partition("\n")[0])
        return False
    forward.functions = compiled
    return True


def _compiled(plain: LayerFunctions, cache: Path, backend: Any) -> LayerFunctions:
    import torch._dynamo.config
    import torch._inductor.config

    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache))
    # Its helper processes would inherit stdout, which belongs to the protocol.
    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILE_LIMIT)
    options: dict[str, Any] = {}
    if backend == "inductor":
        # Products of one row become reductions that take dequantising in (gpt-fast does the same).
        options["options"] = {"coordinate_descent_tuning": True}
    how: dict[str, Any] = {"fullgraph": True, "dynamic": False, "backend": backend, **options}
    return LayerFunctions(torch.compile(plain.enter, **how), torch.compile(plain.leave, **how))


def _difference(forward: Forward, plain: LayerFunctions, compiled: LayerFunctions, rows: int) -> float:
    """Between one layer's outputs this way and that, the worst, as a share. Compiles for so many rows."""
    shape, layer = forward.shape, forward.weights.layers[0]
    random = torch.Generator(forward.device).manual_seed(rows)

    def draw(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=random, device=forward.device)

    worst = 0.0
    with torch.inference_mode():
        state = draw(rows, shape.hidden)
        cos, sin = draw(rows, 1, shape.head_dim), draw(rows, 1, shape.head_dim)
        seen = draw(shape.heads, rows, shape.head_dim).to(forward.dtype)
        wanted = (*plain.enter(state, layer, cos, sin), plain.leave(state, seen, layer))
        got = (*compiled.enter(state, layer, cos, sin), compiled.leave(state, seen, layer))
        for ours, theirs in zip(got, wanted, strict=True):
            off = float((ours.float() - theirs.float()).norm() / theirs.float().norm())
            worst = max(worst, off) if off == off else float("nan")
    return worst
