"""A second start of the server with the default model: how long until each thing a user can notice.

Summary: `initialize_ms`, `ready_s`, `first_completion_s` (from exec to the first real suggestion, issue 2:
at most 15 s on 2 cores), each the median of three starts.
"""

import statistics
import time

from benchmarks.report import Row, report
from tests.session import Session

STARTS = 3
TEXT = "import math\n\n\ndef distance(a, b):\n    return math.\n"


def main() -> None:
    rows = [_start(n + 1) for n in range(STARTS)]

    def median(column: str) -> float:
        return float(statistics.median(row[column] for row in rows))

    report(
        "start",
        rows,
        {
            "initialize_ms": median("initialize ms"),
            "ready_s": median("ready s"),
            "first_completion_s": median("first completion s"),
        },
    )


def _start(number: int) -> Row:
    began = time.perf_counter()
    session = Session.start("--log-level", "error")
    session.initialize({"candidates": 1})
    initialized = time.perf_counter()
    status = session.wait_ready(600)
    if status["state"] != "ready":
        raise SystemExit(f"the model is not ready: {status}")
    ready = time.perf_counter()
    session.open("file:///w/a.py", TEXT)
    item = session.complete("file:///w/a.py", 4, 16)
    answered = time.perf_counter()
    session.kill()
    if item is None:
        raise SystemExit("the model suggested nothing")
    return {
        "start": number,
        "initialize ms": (initialized - began) * 1000,
        "ready s": ready - began,
        "first completion s": answered - began,
        "suggestion": item["insertText"],
    }


if __name__ == "__main__":
    main()
