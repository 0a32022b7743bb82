"""The model on a GPU: share of what memory and matrix units allow, keystrokes, and generate() beside it.

Random weights of published sizes, made on the device; limits measured in the same run. Needs CUDA; with
`--device cpu --shape tiny` the script itself can be tried, and nothing is written. `--shape`, `--bits` and
`--context` choose, each more than once if need be; `--path` is one of those in `lean/gpu/choice.py`.
"""

import argparse
import gc
import json
import os
import sys
from typing import Any

from benchmarks.report import Row, report

CONTEXTS = (512, 2048, 8192, 16384)
"""102400 on request: `--context 102400`. Code Llama 7B then needs 54 GB for keys and values."""
KEY_CONTEXT = 2048
"""Where keystrokes, lines and generate() are timed."""
BITS = ("none", "int8", "int4")
MAIN = "codellama-7b"
KEYS = (
    "decode_vs_floor_7b_2k", "decode_vs_floor_7b_16k", "decode_vs_generate", "int8_vs_bf16",
    "ttft_reuse_ms", "line_ms", "cancel_ms", "speculation_gain", "warmup_s",
)  # fmt: skip


def main() -> None:
    import torch

    from benchmarks.gpu_models import SHAPES

    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shape", action="append", choices=SHAPES)
    parser.add_argument("--bits", action="append", choices=BITS)
    parser.add_argument("--context", action="append", type=int)
    parser.add_argument("--path", default="compiled", choices=("compiled", "graphs", "eager"))
    asked = parser.parse_args()
    device = torch.device(asked.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("bench-gpu needs an NVIDIA GPU that torch can use, and there is none here.")
    shapes = asked.shape or [name for name in SHAPES if name != "tiny"]
    contexts = sorted(asked.context or CONTEXTS)
    rows = measure(device, shapes, asked.bits or list(BITS), contexts, asked.path)
    summary = summarise(rows)
    if device.type == "cuda":
        report("gpu", rows, summary)
    else:
        print(json.dumps({"rows": rows, "summary": summary}))


def measure(device: Any, shapes: list[str], bits: list[str], contexts: list[int], path: str) -> list[Row]:
    """A row for each shape, number of bits and context; what cannot be had is a row that says why."""
    import torch

    from benchmarks.gpu_timing import bandwidth, matrix_peak

    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    speed, peak = bandwidth(device), matrix_peak(device, dtype)
    say(f"{name}: {speed / 1e9:.0f} GB/s, {peak / 1e12:.1f} TFLOPS in {dtype}")
    rows: list[Row] = []
    for shape in shapes:
        theirs = generate_row(shape, dtype, device)
        for each in bits:
            begun = {"device": name, "shape": shape, "bits": each}
            try:
                rows += model_rows(begun, shape, dtype, device, contexts, path, speed, peak, theirs)
            except (ImportError, RuntimeError, ValueError) as error:  # one failure must not cost the others
                rows.append(empty_row(begun, f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"))
            say(str(rows[-1]))
            free()
    return rows


COLUMNS = (
    "context", "decode tok/s", "of floor", "prefill tok/s", "of matrix peak", "ttft reuse ms",
    "ttft cold ms", "line ms", "cancel ms", "16 rows ÷ 1", "warm-up s", "GiB", "generate ms",
    "generate static ms", "attention", "path", "note",
)  # fmt: skip


def empty_row(begun: Row, note: str) -> Row:
    return begun | dict.fromkeys(COLUMNS) | {"note": note}


def model_rows(
    begun: Row, shape: str, dtype: Any, device: Any, contexts: list[int], path: str, speed: float,
    peak: float, theirs: Row,
) -> list[Row]:  # fmt: skip
    """The figures of one model, a row for each context; what does not hang on it is in the first at 2k."""
    import torch

    from benchmarks.gpu_models import SHAPES, make_ours, read_bytes
    from benchmarks.gpu_timing import NEW_TOKENS, Timed
    from midfill.model.backends.lean.gpu.store import kv_sizes

    sizes = SHAPES[shape]
    # Two texts of the longest kind fit: the prompt and what is written behind it.
    model = make_ours(sizes, begun["bits"], dtype, device, max(contexts) + 2 * NEW_TOKENS, path)
    timed = Timed(model, sizes.vocabulary, max(contexts) + 2 * NEW_TOKENS)
    warmup_s = timed.warm_up()
    per_token = kv_sizes(sizes.shape, dtype, device).bytes_per_token
    rows = []
    for context in contexts:
        decode, prefill = timed.decode_ms(context)
        floor = 1000 * (read_bytes(model) + (context + NEW_TOKENS / 2) * per_token) / speed
        work = 2 * sizes.linear_weights * context + 2 * sizes.layers * sizes.hidden * context**2
        row = empty_row(begun, "") | {
            "context": context,
            "decode tok/s": 1000 / decode,
            "of floor": floor / decode,
            "prefill tok/s": 1000 * context / prefill,
            "of matrix peak": 1000 * work / prefill / peak,
            "attention": model.passes.attend.__name__,
            "path": taken(model, path),
        }
        if context == min(contexts, key=lambda each: abs(each - KEY_CONTEXT)):
            row |= theirs | timed.keystrokes(context) | {
                "cancel ms": timed.cancel_ms(context),
                "16 rows ÷ 1": timed.rows_ratio(context),
                "warm-up s": warmup_s,
            }  # fmt: skip
        if device.type == "cuda":
            row["GiB"] = torch.cuda.max_memory_allocated(device) / 2**30
        rows.append(row)
    return rows


def taken(model: Any, path: str) -> str:
    """The path that was really taken: each falls back to the next."""
    if not model.steps.captures:
        return "eager"
    return "graphs" if model.passes.functions is model.passes._plain else path


def generate_row(shape: str, dtype: Any, device: Any) -> Row:
    """transformers' milliseconds a token at KEY_CONTEXT, eager and with its compiled static cache."""
    from benchmarks.gpu_models import SHAPES, make_theirs
    from benchmarks.gpu_timing import generate_ms

    sizes, context = SHAPES[shape], KEY_CONTEXT if device.type == "cuda" else 64
    out: Row = {"generate ms": None, "generate static ms": None}
    try:
        theirs = make_theirs(sizes, dtype, device, 2 * context)
        out["generate ms"] = generate_ms(theirs, sizes.vocabulary, context, static=False)
        out["generate static ms"] = generate_ms(theirs, sizes.vocabulary, context, static=True)
    except (RuntimeError, ValueError) as error:
        out["note"] = f"generate(): {str(error).partition(chr(10))[0]}"
    theirs = None
    free()
    return out


def summarise(rows: list[Row]) -> dict[str, float | str | None]:
    """The flat numbers, of Code Llama 7B (where it was not measured, None with the reason)."""

    def find(bits: str, context: int) -> Row:
        for row in rows:
            if (row["shape"], row["bits"], row["context"]) == (MAIN, bits, context):
                return row
        return {}

    key, far, int8 = find("none", KEY_CONTEXT), find("none", 16384), find("int8", KEY_CONTEXT)
    out: dict[str, float | str | None] = dict.fromkeys(KEYS)
    out["decode_vs_floor_7b_2k"], out["decode_vs_floor_7b_16k"] = key.get("of floor"), far.get("of floor")
    if key:
        out |= {"ttft_reuse_ms": key["ttft reuse ms"], "line_ms": key["line ms"]}
        out |= {"cancel_ms": key["cancel ms"], "warmup_s": key["warm-up s"]}
        theirs = key["generate static ms"] or key["generate ms"]
        out["decode_vs_generate"] = key["decode tok/s"] * theirs / 1000 if theirs else None
        out["int8_vs_bf16"] = int8["decode tok/s"] / key["decode tok/s"] if int8 else None
        out["verify_16_rows_cost"] = key["16 rows ÷ 1"]
    failed = "; ".join(f"{row['shape']} {row['bits']}: {row['note']}" for row in rows if row["note"])
    reasons = {
        "speculation_gain": "what is guessed right hangs on real weights; its price: verify_16_rows_cost"
    }
    for name in KEYS:
        if out[name] is None:
            out[f"{name}_reason"] = reasons.get(name) or failed or f"{MAIN} was not measured there"
    return out


def free() -> None:
    """What the last model left, before the next one is made."""
    import torch

    gc.collect()
    torch._dynamo.reset()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
