"""The model on this CPU, against llama.cpp and `generate()` in one run: speed, memory, starts, quality.

llama.cpp is built here (10 minutes, once; see `measure/llamacpp_build.py`); its better file counts. Rows of
quality that were measured before are taken from the cache. `--quick` takes fewer rounds and rows, `--part`
measures one part and reports it with those measured before at the same commit.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks import edits
from benchmarks.measure import (
    context,
    guessing,
    keystrokes,
    llamacpp_build,
    quality,
    scoring,
    speed,
    starts,
)
from benchmarks.measure.engines import Child, Engine, Timing
from benchmarks.measure.llamacpp import LlamaServer
from benchmarks.measure.llamacpp_build import LlamaCppError
from benchmarks.measure.part import GENERATE, OFFICIAL, OURS, REQUANTISED, Part
from benchmarks.report import commit, report
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.model.store.local import cache_root
from midfill.model.store.store import Store

PROMPT_TOKENS = 831
"""The depth at which earlier figures were taken."""
LOADED_TOKENS = 256
TYPED_TOKENS = 1500
SUFFIX_CHARACTERS = 2000
ROUNDS, QUICK_ROUNDS = 5, 2
QUICK_QUALITY_ROWS = 40
CHECKED_ROWS = 20
EDITS, QUICK_EDITS = 10, 2
"""Of each kind."""
THREADS = 2
SERVED_CONTEXT = 2048
ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--rows", type=int, default=0, help="of quality (0: all, few with --quick)")
    asked = parser.parse_args()
    for name in asked.part or PARTS:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        keep(name, PARTS[name](asked))
    parts = [kept(name) for name in PARTS]
    rows = [row for part in parts for row in part.rows]
    report("worker", rows, {key: value for part in parts for key, value in part.figures.items()})


def measure_speed(asked: argparse.Namespace) -> Part:
    count = QUICK_ROUNDS if asked.quick else ROUNDS
    with ExitStack() as open_:
        ours = open_.enter_context(Child(OURS, "benchmarks.measure.ours", f"--threads={THREADS}"))
        generate = open_.enter_context(
            Child(GENERATE, "benchmarks.measure.generate", f"--threads={THREADS}")
        )
        memory = open_.enter_context(
            Child("memory", "benchmarks.measure.bandwidth", f"--threads={THREADS}")
        )
        theirs, why = llamacpp(open_, SERVED_CONTEXT)
        engines: list[Engine] = [ours, *theirs, generate]
        ids = prompt(ours)
        found = speed.rounds(engines, ids[:PROMPT_TOKENS], speed.STEPS, count)
        bandwidth = max(memory.ask("read") for _ in range(count))
        rss = {engine.name: engine.rss_mib() for engine in engines}
        with speed.one_core_busy():
            loaded = speed.rounds([ours, *theirs], ids[:LOADED_TOKENS], speed.LOADED_STEPS, count)
        part = speed.speed(found, loaded, why)
        speed.floor(part, found, ours.ask("about")["weight_bytes"], bandwidth)
        speed.memory(part, rss, why)
    return part


def measure_context(asked: argparse.Namespace) -> Part:
    depths = context.QUICK_DEPTHS if asked.quick else context.DEPTHS
    found = {}
    with ExitStack() as open_:
        arguments = (f"--threads={THREADS}", f"--context={context.ROOM}")
        ours = open_.enter_context(Child(OURS, "benchmarks.measure.ours", *arguments))
        theirs, why = llamacpp(open_, context.ROOM)
        ids = prompt(ours)
        engines: list[Engine] = [ours, *theirs]
        for engine in engines:
            found[engine.name] = context.costs(engine, ids, depths)
    return context.context(found, depths, why)


def measure_keystrokes(_: argparse.Namespace) -> Part:
    with Child(OURS, "benchmarks.measure.ours", f"--threads={THREADS}") as ours:
        text = source()
        room = len(text) * TYPED_TOKENS // len(ours.ask("encode", text=text))
        before = text[: text.index("\n", room) + 1]
        after = text[len(before) :][:SUFFIX_CHARACTERS]

        def press(prefix: str, suffix: str, fresh: bool) -> Timing:
            return Timing(**ours.ask("key", prefix=prefix, suffix=suffix, fresh=fresh))

        return keystrokes.keystrokes(
            {
                "text behind the cursor": keystrokes.typed(press, before, "\n" + after),
                "at the end of the file": keystrokes.typed(press, before, ""),
            }
        )


def measure_speculation(asked: argparse.Namespace) -> Part:
    each = QUICK_EDITS if asked.quick else EDITS
    with ExitStack() as open_:
        ours = open_.enter_context(Child(OURS, "benchmarks.measure.ours", f"--threads={THREADS}"))
        theirs, why = llamacpp(open_, SERVED_CONTEXT, *guessing.OPTIONS, files=[REQUANTISED])

        def write(prefix: str, suffix: str, new: int, guess: bool) -> tuple[Timing, list[int]]:
            told, ids = ours.ask("write", prefix=prefix, suffix=suffix, new=new, guess=guess)
            return Timing(**told), ids

        some = guessing.chosen(edits.rows(), each)
        return guessing.guessing(guessing.replay(some, write, theirs[0] if theirs else None), why)


def measure_starts(asked: argparse.Namespace) -> Part:
    with ExitStack() as open_:
        theirs, _ = llamacpp(open_, SERVED_CONTEXT)
    with ExitStack() as open_:  # again: now their files are cached as ours are
        theirs, _ = llamacpp(open_, SERVED_CONTEXT)
    took = {engine.name: engine.start_s for engine in theirs}
    return starts.starts(
        starts.cached(1 if asked.quick else starts.STARTS), None if asked.quick else starts.cold(), took
    )


def measure_quality(asked: argparse.Namespace) -> Part:
    count = asked.rows or (QUICK_QUALITY_ROWS if asked.quick else 0)
    for engine in (scoring.REFERENCE, scoring.SERVED):
        check = CHECKED_ROWS if engine == scoring.SERVED and not asked.quick else 0
        command = [sys.executable, "-m", "benchmarks.measure.quality", engine]
        command += [f"--rows={count}", f"--threads={THREADS}", f"--check={check}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True)
    part = quality.quality(
        *(scoring.Scorer(e, THREADS).lines(count) for e in (scoring.SERVED, scoring.REFERENCE))
    )
    told = json.loads(done.stdout)
    if "disagreements" in told:
        part.figures["em_shortcut_wrong"] = told["disagreements"]
    return part


PARTS: dict[str, Callable[[argparse.Namespace], Part]] = {
    "speed": measure_speed,
    "context": measure_context,
    "keystrokes": measure_keystrokes,
    "speculation": measure_speculation,
    "start": measure_starts,
    "quality": measure_quality,
}


def llamacpp(
    open_: ExitStack, tokens: int, *options: str, files: Sequence[str] = (OFFICIAL, REQUANTISED)
) -> tuple[list[LlamaServer], str]:
    """Servers of both files, closed by `open_`; or none, and why."""
    found = []
    try:
        build = llamacpp_build.built()
        model = Store().find(DEFAULT_MODEL)
        paths = {
            OFFICIAL: model.path,
            REQUANTISED: llamacpp_build.requantised(build, model.path, model.sha256),
        }
        for name in files:
            found.append(LlamaServer(name, build.server, paths[name], THREADS, tokens, *options))
            open_.callback(found[-1].close)
    except LlamaCppError as error:
        return [], str(error)
    return found, ""


def source() -> str:
    """This project's own source: text as users have it, 16k tokens and more. The loop comes first."""
    first = ROOT / "model/midfill/model/backends/hf/decode.py"
    rest = (path for folder in ("model", "lsp_server") for path in sorted((ROOT / folder).rglob("*.py")))
    return "\n\n".join(path.read_text("utf-8") for path in (first, *rest))


def prompt(ours: Child) -> list[int]:
    ids: list[int] = ours.ask("encode", text=source()[: 8 * context.DEPTHS[-1]])
    return ids


def keep(name: str, part: Part) -> None:
    _kept_path(name).parent.mkdir(parents=True, exist_ok=True)
    _kept_path(name).write_text(json.dumps(asdict(part) | {"commit": commit()}), encoding="utf-8")


def kept(name: str) -> Part:
    """What was measured of this part at this commit; else a part that says that it was not."""
    missing = Part(figures={name: None, f"{name}_reason": f"not measured at this commit: --part {name}"})
    if not _kept_path(name).is_file():
        return missing
    found = json.loads(_kept_path(name).read_text(encoding="utf-8"))
    return Part(found["rows"], found["figures"]) if found["commit"] == commit() else missing


def _kept_path(name: str) -> Path:
    return cache_root() / "benchmarks" / "worker" / f"{name}.json"


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
