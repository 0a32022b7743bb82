"""Holes of CrossCodeEval with what its authors' retriever found: can the model use what it is shown?

Beside `tasks.py`, where our own gathering finds what is shown: here only the format is ours.
"""

from collections.abc import Iterable
from typing import Any

from benchmarks.crossfile.asked import first_line
from benchmarks.crossfile.compared import Hole, compared
from benchmarks.evaluation_data import read_rows
from benchmarks.measure.recorded import RECORDED
from benchmarks.report import Row
from midfill.model import FimRequest, Snippet

NEW_TOKENS = 48


def measured(backend: Any) -> list[Row]:
    """One line: all holes, with the snippets against without; none where there is no data."""
    rows = read_rows(RECORDED) if RECORDED.is_file() else []
    if not rows:
        return []
    holes = []
    for at, row in enumerate(rows, 1):
        plain = first_line(backend, request(row, ()))
        shown = first_line(backend, request(row, snippets(row)))
        holes.append(Hole(row["repository"], row["groundtruth"].strip(), shown, plain))
        print(f"{at} of {len(rows)}: {row['task_id']}", flush=True)
    return [compared("its authors' retriever", "recorded", holes)]


def request(row: dict[str, Any], shown: Iterable[Snippet]) -> FimRequest:
    return FimRequest(
        row["prefix"],
        row["suffix"],
        language=row["language"],
        path=row["file"],
        repository=row["repository"],
        snippets=tuple(shown),
        patient=True,
        max_new_tokens=NEW_TOKENS,
    )


def snippets(row: dict[str, Any]) -> list[Snippet]:
    """What was retrieved for `row`, the best last: nearest to the cursor."""
    found = row["crossfile_context"]["list"]
    return [Snippet(one["filename"], one["retrieved_chunk"] + "\n") for one in reversed(found)]
