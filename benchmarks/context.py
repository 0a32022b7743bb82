"""Text from other files: exact match with each source and without, and what it costs in reuse.

`--rows N`: about so many holes of each kind. Whoever writes the same prompt twice is asked once.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.crossfile.asked import first_line, loaded, request_for, similarity
from benchmarks.crossfile.tasks import Task, make_tasks
from benchmarks.crossfile.typed import reuse
from benchmarks.report import Row, report
from benchmarks.significance import interval, paired
from midfill.server.context.candidate import Source

WAYS: dict[str, frozenset[Source]] = {
    "none": frozenset(),
    **{source.value: frozenset({source}) for source in Source},
    "all": frozenset(Source),
}
TYPED_TASKS = 8
TYPED_KEYS = 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=36)
    parser.add_argument("--dry", action="store_true", help="no model call: say what would be shown")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tasks = make_tasks(asked.rows, Path(folder))
        if asked.dry:
            for task in tasks:
                counts = {way: len(request_for(task, WAYS[way]).snippets) for way in WAYS}
                print(task.kind, task.key, repr(task.gold), counts)
            return
        backend = loaded()
        reused = reuse_shares(backend, [task for task in tasks if task.kind == "use"][:TYPED_TASKS])
        print(f"reused: {reused}", flush=True)
        found = []
        for at, task in enumerate(tasks, 1):
            found.append(answers(backend, task))
            hits = [way for way, text in found[-1].items() if text == task.gold.strip()]
            print(f"{at} of {len(tasks)}: {task.kind} {task.key}: exact with {hits}", flush=True)
    ways = [(way, kind) for way in WAYS if way != "none" for kind in ("use", "edit", "both")]
    lines = [compared(way, kind, tasks, found) for way, kind in ways]
    summary: dict[str, float | str | None] = {}
    summary |= figures("", next(line for line in lines if line["source"] == "all" and line["on"] == "both"))
    for source in Source:
        line = next(line for line in lines if line["source"] == source.value and line["on"] == "both")
        summary |= figures(f"_{source.value}", line)
    summary |= {"reuse_with": reused["all"], "reuse_without": reused["none"]}
    summary |= {f"reuse_with_{source.value}": reused[source.value] for source in Source}
    report("context", lines, summary)


def answers(backend: Any, task: Task) -> dict[str, str]:
    """What the model writes each way."""
    known: dict[tuple[Any, ...], str] = {}
    out = {}
    for way, sources in WAYS.items():
        request = request_for(task, sources)
        if request.snippets not in known:
            known[request.snippets] = first_line(backend, request)
        out[way] = known[request.snippets]
    return out


def compared(way: str, kind: str, tasks: list[Task], found: list[dict[str, str]]) -> Row:
    """One source against none, on the holes of one kind."""
    rows = [(task, wrote) for task, wrote in zip(tasks, found, strict=True) if kind in ("both", task.kind)]
    problems = [task.path for task, _ in rows]
    ours = [wrote[way] == task.gold.strip() for task, wrote in rows]
    theirs = [wrote["none"] == task.gold.strip() for task, wrote in rows]
    pair = paired(way, problems, ours, theirs)
    closer = [
        (
            task.path,
            similarity(wrote[way], task.gold.strip()) - similarity(wrote["none"], task.gold.strip()),
        )
        for task, wrote in rows
    ]
    low, high = interval(closer)
    return {
        "source": way,
        "on": kind,
        "holes": len(rows),
        "other answer": sum(wrote[way] != wrote["none"] for _, wrote in rows),
        "em": sum(ours) / max(1, len(ours)),
        "em none": sum(theirs) / max(1, len(theirs)),
        "won": pair["won"],
        "lost": pair["lost"],
        "p": pair["p"],
        "low": pair["low"],
        "high": pair["high"],
        "es delta": sum(delta for _, delta in closer) / max(1, len(closer)),
        "es low": low,
        "es high": high,
    }


def figures(name: str, line: Row) -> dict[str, float | str | None]:
    """One line of the table as keys of the summary."""
    return {
        f"em_with{name}": line["em"],
        f"em_without{name}": line["em none"],
        f"em_delta_points{name}": 100 * (line["em"] - line["em none"]),
        f"em_mcnemar_p{name}": line["p"],
        f"es_delta_points{name}": 100 * line["es delta"],
    }


def reuse_shares(backend: Any, tasks: list[Task]) -> dict[str, float]:
    """Of the tokens of all prompts while each task's text is typed: how many were there already."""
    from midfill.model.backends.hf.backend import _make_prompts

    found = {}
    for way, sources in WAYS.items():
        reused = total = 0
        for task in tasks:
            prompts = _make_prompts(backend._ready()[0])
            prompts.prefill_per_s = backend._ready()[2].prefill_per_s
            there, whole = reuse(prompts, task, sources, TYPED_KEYS)
            reused, total = reused + there, total + whole
        found[way] = reused / max(1, total)
    return found


if __name__ == "__main__":
    main()
