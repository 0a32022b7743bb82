"""How every benchmark reports: a table on the terminal and `benchmarks/results/NAME.json`."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("midfill", "pygls", "torch", "transformers", "tokenizers")

FILES = re.compile(r"(--(?:resume|against|functions)) \S+")
"""In a command: files of whoever ran it, which nobody else has."""
WIDTH = 150
"""Of the widest table, in characters: those that do not need it stay narrow."""

Row = dict[str, Any]


def report(
    name: str,
    rows: list[Row],
    summary: Mapping[str, float | str | None],
    command: str = "",
    *,
    more: Mapping[str, list[Row]] | None = None,
    write: bool = True,
) -> None:
    """Print `rows` and `summary`, and write them with date, commit, machine, versions and command.

    `summary` is flat: numbers under stable keys; what could not be measured is None with a second key,
    the same with `_reason` behind it, that says why. `command` makes it again; empty: the benchmark `name`.
    `more`: further tables, by their titles.
    """
    console = Console(width=max(WIDTH, Console().width))
    tables = {title: found for title, found in (more or {}).items() if found}
    for title, found in {name: rows, **tables}.items():
        console.print(_table(title, found))
    for key, value in summary.items():
        console.print(f"{key} = {_shown(value)}")
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": _machine(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "command": FILES.sub(
            r"\1 FILE", command or " ".join(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]])
        ),
        "rows": rows,
        **({"tables": tables} if tables else {}),
        "summary": summary,
    }
    if not write:
        return
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"written to {os.path.relpath(path)}")


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0–1) of `values` do not exceed: nearest rank, no interpolation."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _table(title: str, rows: list[Row]) -> Table:
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if value is None else _shown(value) for value in row.values()))
    return table


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def commit() -> str:
    """The checkout's, as `git describe` has it; with `-dirty` where files differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return found.stdout.strip() or "unknown"


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GiB"
