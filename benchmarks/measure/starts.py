"""From exec to ready: the real server on a warm cache, and once on one without the conversion."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.measure.part import OFFICIAL, REQUANTISED, Part
from midfill.model.store.local import CACHE_ENV, cache_root
from tests.session import Session

STARTS = 3
READY_TIMEOUT_S = 600


def cached(count: int = STARTS) -> float:
    """Seconds, the median: weights mapped, one token decoded."""
    return statistics.median(_seconds() for _ in range(count))


def cold() -> float:
    """Seconds with nothing but the downloaded file: converting and quantising included."""
    with tempfile.TemporaryDirectory(prefix="midfill-cold-") as folder:
        (Path(folder) / "models").symlink_to(cache_root() / "models")
        return _seconds({CACHE_ENV: folder})


def _seconds(env: dict[str, str] | None = None) -> float:
    began = time.perf_counter()
    session = Session.start("--log-level", "error", env=env)
    try:
        session.initialize({})
        status = session.wait_ready(READY_TIMEOUT_S)
        took = time.perf_counter() - began
        if status["state"] != "ready":
            raise RuntimeError(f"the model is not ready: {status['reason']}")
        return took
    finally:
        session.kill()


def starts(cached_s: float, cold_s: float | None, theirs: dict[str, float]) -> Part:
    """`theirs`: file → seconds until llama-server answers, on a warm file cache."""
    part = Part()
    part.line(
        "start", "from exec to ready, cached (ours: the whole language server)", "s", ours=cached_s,
        official=theirs.get(OFFICIAL), requantised=theirs.get(REQUANTISED),
    )  # fmt: skip
    part.figures["cached_start_s"] = cached_s
    if cold_s is None:
        part.lack("not measured with --quick", "cold_start_s")
    else:
        part.line("start", "the first one: converting and quantising", "s", ours=cold_s)
        part.figures["cold_start_s"] = cold_s
    return part
