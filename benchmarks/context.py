"""Text from other files: exact match with each source and without, and what it costs in reuse.

`use`, `edit`: holes in real packages, where our own gathering finds what is shown. `recorded`: holes of
CrossCodeEval with what its authors' retriever found, in our format. `--rows N`: about so many holes of each
of the first two kinds.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.crossfile.asked import first_line, loaded, request_for
from benchmarks.crossfile.compared import Hole, compared
from benchmarks.crossfile.recorded import measured
from benchmarks.crossfile.tasks import Task, make_tasks
from benchmarks.crossfile.typed import reuse
from benchmarks.report import Row, report
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
    lines = [of_source(way, kind, tasks, found) for way, kind in ways]
    summary: dict[str, float | str | None] = {}
    summary |= figures("", next(line for line in lines if line["source"] == "all" and line["on"] == "both"))
    for source in Source:
        line = next(line for line in lines if line["source"] == source.value and line["on"] == "both")
        summary |= figures(f"_{source.value}", line)
    for line in (retrieved := measured(backend)):
        summary |= figures("_recorded", line)
    lines += retrieved
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


def of_source(way: str, kind: str, tasks: list[Task], found: list[dict[str, str]]) -> Row:
    """One source against none, on the holes of one kind."""
    return compared(
        way,
        kind,
        [
            Hole(task.path, task.gold.strip(), wrote[way], wrote["none"])
            for task, wrote in zip(tasks, found, strict=True)
            if kind in ("both", task.kind)
        ],
    )


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
