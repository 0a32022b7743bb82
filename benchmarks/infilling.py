"""Holes of HumanEval filled through the LSP by the default model: exact match, pass@1, what ends an answer.

Single lines with the cursor on a blank line, random spans, blocks. `plain`: the same model's own fill of
the single lines, cut at the newline. Programs run in the sandbox; where none is usable the pass keys are
null and say why. `--resume FILE` keeps what is done, row by row; `--rows N` takes so many of each kind;
`--against FILE` compares with another such file, row by row.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.infill.plain import Plain
from benchmarks.infill.served import BY_LENGTH, Served, exact
from benchmarks.infill.tasks import BLOCK, LINE, NEEDED, SPAN, Task, make_tasks
from benchmarks.measure.kept import Kept
from benchmarks.report import Row, report
from benchmarks.significance import paired, share
from midfill.server.sandbox import Job, Sandbox, SandboxRefused, open_sandbox

KEYS = ("single_line_em", "single_line_em_plain", "single_line_pass", "random_span_pass", "ended_share")
PASSES = {LINE: "single_line_pass", SPAN: "random_span_pass"}
EVERY = 25
"""Rows between two words on how far it is."""

Done = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=0, help="at most so many of each kind (0: all)")
    parser.add_argument("--resume", type=Path, default=Path(os.devnull))
    parser.add_argument("--against", type=Path)
    asked = parser.parse_args()
    if not all(path.is_file() for path in NEEDED):
        missing = "no evaluation data here"
        report("infilling", [{"rows": 0}], _lacking(KEYS, missing), write=False)
        return
    tasks = list(make_tasks(asked.rows))
    kept = Kept(asked.resume)
    done = fill_all(tasks, kept, Served)
    plain = plain_all(tasks, kept, Plain)
    try:
        judge_all(tasks, done, kept, open_sandbox())
        refused = ""
    except SandboxRefused as reason:
        refused = str(reason)
    rows, summary = summed(tasks, done, plain, refused)
    more = {"against the plain fill": against_plain(tasks, done, plain)}
    if asked.against:
        more |= {f"against {asked.against.name}": compare(tasks, done, Kept(asked.against))}
    report("infilling", rows, summary, more=more, write=not asked.rows)


def fill_all(tasks: Sequence[Task], kept: Kept, serve: Callable[[], Served]) -> Done:
    """What the server made of each task; a server is started when a row is lacking."""
    lacking = [task for task in tasks if kept.get(task.key) is None]
    if lacking:
        served = serve()
        try:
            for task in _counted("filled", lacking):
                row = served.fill(task)
                kept.add({"task_id": task.key, **row, "exact": exact(task, row["document"])})
        finally:
            served.close()
    return {task.key: kept.get(task.key) or {} for task in tasks}


def plain_all(tasks: Sequence[Task], kept: Kept, make: Callable[[], Plain]) -> dict[str, bool]:
    """Whether the plain fill of each single line is exact."""
    lines = [task for task in tasks if task.kind == LINE]
    lacking = [task for task in lines if kept.get(_plain(task)) is None]
    if lacking:
        model = make()
        for task in _counted("filled plainly", lacking):
            text = model.line(task.before, task.behind)
            kept.add({"task_id": _plain(task), "text": text, "exact": text == task.gold})
    return {task.key: bool((kept.get(_plain(task)) or {})["exact"]) for task in lines}


def judge_all(tasks: Sequence[Task], done: Done, kept: Kept, sandbox: Sandbox) -> None:
    """Adds to each row with a program whether it `passed`, and the limit it `hit`."""
    programs = [task for task in tasks if task.check and "passed" not in done[task.key]]
    for task in _counted("run", programs):
        row = done[task.key]
        outcome = sandbox.run(Job.of_code(row["document"] + task.check))
        row |= {"passed": outcome.passed, "hit": outcome.killed}
        kept.add(row)


def summed(
    tasks: Sequence[Task], done: Done, plain: dict[str, bool], refused: str
) -> tuple[list[Row], dict[str, float | str | None]]:
    """The table, and the summary with an interval's ends for each key."""
    of = {kind: [task for task in tasks if task.kind == kind] for kind in (LINE, SPAN, BLOCK)}

    def figure(name: str, chosen: Iterable[Task], score: Callable[[Task], bool]) -> Row:
        return share(name, [(task.problem, float(score(task))) for task in chosen])

    rows = {
        "single_line_em": figure("single line: exact", of[LINE], lambda t: done[t.key]["exact"]),
        "single_line_em_plain": figure("single line: exact, plain", of[LINE], lambda t: plain[t.key]),
    }
    if not refused:
        for kind, key in PASSES.items():
            rows[key] = figure(f"{kind}: pass@1", of[kind], lambda t: done[t.key]["passed"])
    shown = [task for task in (*of[SPAN], *of[BLOCK]) if done[task.key]["shown"]]
    rows["ended_share"] = figure("span and block: ends by itself", shown, lambda t: _ended(done[t.key]))
    for kind, chosen in of.items():
        name = kind.replace(" ", "_")
        rows[f"{name}_shown"] = figure(f"{kind}: shown", chosen, lambda t: done[t.key]["shown"])
    rows["random_span_em"] = figure("random span: exact", of[SPAN], lambda t: done[t.key]["exact"])
    rows["block_em"] = figure("block: exact", of[BLOCK], lambda t: done[t.key]["exact"])
    summary: dict[str, float | str | None] = {}
    for key, row in rows.items():
        summary |= {key: row["share"], f"{key}_low": row["low"], f"{key}_high": row["high"]}
    if refused:
        summary |= _lacking(PASSES.values(), refused)
    else:
        hit = [done[task.key]["hit"] for task in (*of[LINE], *of[SPAN])]
        summary["timed_out"] = statistics.fmean(limit == "wall clock" for limit in hit)
    return list(rows.values()), summary


def against_plain(tasks: Sequence[Task], done: Done, plain: dict[str, bool]) -> list[Row]:
    """The same single lines, served and filled by the model alone."""
    lines = [task for task in tasks if task.key in plain]
    ours, theirs = [_exact(done[task.key]) for task in lines], [plain[task.key] for task in lines]
    return [paired("single line: exact", [task.problem for task in lines], ours, theirs)]


def compare(tasks: Sequence[Task], done: Done, other: Kept) -> list[Row]:
    """Rows that both have: exact, passed, ended by itself."""
    rows = []
    for kind in (LINE, SPAN, BLOCK):
        for name, score in (("exact", _exact), ("passed", _passed), ("ended", _ended)):
            pairs = [(task, done[task.key], other.get(task.key)) for task in tasks if task.kind == kind]
            known = [
                (task.problem, a, b) for task, a, b in pairs
                if b and (name != "passed" or ("passed" in a and "passed" in b))
            ]  # fmt: skip
            if known:
                ours, theirs = [score(a) for _, a, _ in known], [score(b) for _, _, b in known]
                rows.append(paired(f"{kind}: {name}", [p for p, _, _ in known], ours, theirs))
    return rows


def _exact(row: dict[str, Any]) -> bool:
    return bool(row["exact"])


def _passed(row: dict[str, Any]) -> bool:
    return bool(row["passed"])


def _ended(row: dict[str, Any]) -> bool:
    return bool(row["shown"]) and row["end"] != BY_LENGTH


def _plain(task: Task) -> str:
    return f"{task.key} plain"


def _lacking(keys: Iterable[str], reason: str) -> dict[str, float | str | None]:
    return {name: value for key in keys for name, value in ((key, None), (f"{key}_reason", reason))}


def _counted(what: str, tasks: Sequence[Task]) -> Iterable[Task]:
    for at, task in enumerate(tasks, 1):
        yield task
        if at % EVERY == 0 or at == len(tasks):
            print(f"{at} of {len(tasks)} {what}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
