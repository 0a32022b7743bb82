"""Code actions with the default model: docstrings for HumanEval's functions, beside a template without one.

Every 4th function (`--all`: each), its docstring removed; `--rows N` takes so many, and writes no
result. All of the pipeline but the wire. Each part has a module of its own (`actions_*`) with a `measure`.
"""

import argparse
import asyncio

from benchmarks import actions_docstrings
from benchmarks.evaluation_data import PROBLEMS, read_rows
from benchmarks.report import report

EVERY = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="every function")
    parser.add_argument("--rows", type=int, default=0, help="so many functions")
    asked = parser.parse_args()
    if not PROBLEMS.is_file():
        missing = {"docstring_applied": None, "docstring_applied_reason": "no evaluation data here"}
        report("actions", [{"functions": 0}], missing, write=False)
        return
    problems = read_rows(PROBLEMS)
    every = 1 if asked.all else len(problems) // asked.rows if asked.rows else EVERY
    rows, summary = asyncio.run(actions_docstrings.measure(problems, problems[::every]))
    report("actions", rows, summary, write=not asked.rows)


if __name__ == "__main__":
    main()
