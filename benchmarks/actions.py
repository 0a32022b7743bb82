"""Code actions with the default model: docstrings beside a template, unit tests with what they notice.

Every 4th HumanEval function; `--all`: each, and of every 4th the tests by 1, 3 and 5 candidates. For
docstrings its own is removed. `--functions FILE` takes others (JSON lines with HumanEval's fields), `--rows
N` so many, `--only docstrings|tests` one part; none of these writes a result. `--model NAME` writes one of
its own, and so does `--instruct NAME`, the model of code actions where it is another than the one that
completes. `--compare`: docstrings without infilling too. `--resume FILE` keeps the rows of one model. Both
parts (`docstrings`, `unit_tests`) choose in one server.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.act import docstrings, unit_tests
from benchmarks.act.served import Served
from benchmarks.evaluation_data import PROBLEMS, read_rows
from benchmarks.humaneval import spread
from benchmarks.measure.kept import Kept
from benchmarks.report import Row, report
from midfill.model.store.catalogue import DEFAULT_MODEL

EVERY = 4
PARTS = ("docstrings", "tests")
Summary = dict[str, float | str | None]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="every function, and 1, 3 and 5 candidates")
    parser.add_argument("--rows", type=int, default=0, help="so many functions, evenly spread")
    parser.add_argument("--functions", type=Path, default=PROBLEMS)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--instruct", default="", help="another model for code actions")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--compare", action="store_true", help="docstrings without infilling beside them")
    parser.add_argument("--resume", type=Path, default=Path(os.devnull))
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    if not asked.functions.is_file():
        missing: Summary = {}
        for key in ("docstring_applied", "tests_mutation"):
            missing |= {key: None, f"{key}_reason": "no evaluation data here"}
        report("actions", [{"functions": 0}], missing, write=False)
        return
    problems = read_rows(asked.functions)
    own = asked.functions != PROBLEMS
    every = 1 if asked.all or own else EVERY
    taken = spread(problems, asked.rows) if asked.rows else problems[::every]
    kept, tables, summary = Kept(asked.resume), dict[str, list[Row]](), Summary()
    settings = {"model": asked.model, "instructModel": asked.instruct}
    plain = Served({**settings, "docstringDescription": "asked"})
    with Served(settings) as served, plain:
        if asked.only != "tests":
            tables["docstrings"], found = docstrings.measure(
                problems, taken, kept, served, plain if asked.compare else None
            )
            summary |= found
        if asked.only != "docstrings":
            counted = taken[::EVERY] if asked.all else ()
            tables["unit tests"], found = unit_tests.measure(
                taken, kept, served, asked.instruct or asked.model, counted=counted
            )
            summary |= found
    first, *others = tables
    more = {title: tables[title] for title in others}
    models = [Path(one).name for one in (asked.model, asked.instruct) if one and one != DEFAULT_MODEL]
    name = "-".join(["actions", *models])
    command = " ".join(["python", "-m", "benchmarks.actions", *sys.argv[1:]])
    write = not (asked.rows or own or asked.only)
    report(name, tables[first], summary, command, more=more, write=write)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
