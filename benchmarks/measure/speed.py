"""Prefill and decode in interleaved rounds: ours, both files of llama.cpp, `generate()`; memory; the floor.

In each round every engine does the same in turn, 2 threads each, so that what disturbs the machine
disturbs all. A pair is two engines of one round.
"""

import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.measure.engines import Engine, Timing
from benchmarks.measure.part import GENERATE, OFFICIAL, OURS, REQUANTISED, Part, faster

STEPS = 32
LOADED_STEPS = 16

Rounds = dict[str, list[Timing]]
"""Engine → its times, a round each."""


def rounds(engines: Sequence[Engine], prompt: Sequence[int], steps: int, count: int) -> Rounds:
    """Each engine on `prompt` from an empty cache, in turn, `count` times; one turn before to warm up."""
    for engine in engines:
        engine.run(prompt[: len(prompt) // 4], 2)
    found: Rounds = {engine.name: [] for engine in engines}
    for _ in range(count):
        for engine in engines:
            found[engine.name].append(engine.run(prompt, steps))
    return found


@contextmanager
def one_core_busy() -> Iterator[None]:
    """Another program computes as hard as it can, at ordinary priority."""
    spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def speed(found: Rounds, loaded: Rounds, no_llamacpp: str = "") -> Part:
    """Rates of idle and of loaded rounds; `no_llamacpp` says why it is missing."""
    part = Part()
    prefill = {name: [timing.prefill_per_s for timing in times] for name, times in found.items()}
    decode = {name: [timing.decode_per_s for timing in times] for name, times in found.items()}
    busy = {name: [timing.decode_per_s for timing in times] for name, times in loaded.items()}
    tokens = found[OURS][0].fresh
    for what, key, rates in (
        (f"prefill, {tokens} tokens", "prefill", prefill),
        (f"decode behind {tokens} tokens", "decode", decode),
    ):
        _compare(part, what, rates, f"{key}_vs_llamacpp", no_llamacpp)
        part.figures[f"{key}_vs_generate"], _ = faster(rates[OURS], {GENERATE: rates[GENERATE]})
    _compare(part, "decode, one core busy with another program", busy, "decode_under_load", no_llamacpp)
    part.figures["decode_under_load_vs_idle"] = _median(busy[OURS]) / _median(decode[OURS])
    return part


def memory(part: Part, rss: dict[str, float], no_llamacpp: str = "") -> None:
    """Resident memory after the rounds. Theirs is that of the file which decodes best."""
    part.line(
        "memory", "resident, mapped files included", "MiB", ours=rss[OURS], official=rss.get(OFFICIAL),
        requantised=rss.get(REQUANTISED), generate=rss[GENERATE],
    )  # fmt: skip
    part.figures["rss_vs_generate"] = rss[OURS] / rss[GENERATE]
    theirs = [rss[name] for name in (OFFICIAL, REQUANTISED) if name in rss]
    if not theirs:
        part.lack(no_llamacpp, "rss_vs_llamacpp")
        return
    part.figures["rss_vs_llamacpp"] = part.rows[-1]["ours vs theirs"] = rss[OURS] / min(theirs)


def floor(part: Part, found: Rounds, weight_bytes: int, bytes_per_s: float) -> None:
    """What a token would take if reading the weights once were all there is to it."""
    floor_ms = 1000 * weight_bytes / bytes_per_s
    ours_ms = statistics.median(timing.decode_ms / timing.steps for timing in found[OURS])
    what = f"decode: {weight_bytes / 1e6:.0f} MB at {bytes_per_s / 1e9:.1f} GB/s is {floor_ms:.1f} ms"
    part.line("floor", what, "ms/token", ours=ours_ms, ratio=floor_ms / ours_ms)
    part.figures["decode_vs_floor"] = floor_ms / ours_ms


def _compare(part: Part, what: str, rates: dict[str, list[float]], key: str, no_llamacpp: str) -> None:
    theirs: dict[str, Sequence[float]] = {
        name: rates[name] for name in (OFFICIAL, REQUANTISED) if name in rates
    }
    ratio = None
    if theirs:
        ratio, best = faster(rates[OURS], theirs)
        part.figures[key] = ratio
        what = f"{what}; theirs: {best}"
    else:
        part.lack(no_llamacpp, key)
    medians = {name: _median(each) for name, each in rates.items()}
    part.line(
        "speed", what, "tok/s", ours=medians[OURS], official=medians.get(OFFICIAL),
        requantised=medians.get(REQUANTISED), generate=medians.get(GENERATE), ratio=ratio,
    )  # fmt: skip


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)
