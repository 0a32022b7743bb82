"""The server's own share: milliseconds per completion request and per change, without a model's work.

The scripted backend answers in no time. A change is timed through a request behind it that the server
refuses at once. Summary: `request_p95_ms_10k`, `change_p95_ms_10k` (invariant 4: at most 5 ms at 10,000
lines), and `cancel_reply_p99_ms` (invariant 1: at most 50 ms).
"""

import time

from benchmarks.report import Row, percentile, report
from tests.session import Session

SIZES = (200, 2_000, 10_000, 50_000)
ROUNDS = 200
LINE = "    value = compute(value, {})  # größer\n"
"""Each with a number of its own: where all text around the cursor is the same, the answer is at hand."""
SETTINGS = {
    "backend": "scripted",
    "debounceMs": 0,
    "candidates": 1,
    "scriptedStepMs": 0,
    "scriptedText": "x",
}
SLOW = {**SETTINGS, "scriptedStepMs": 50, "scriptedText": "x" * 400}


def main() -> None:
    session = Session.start("--log-level", "error")
    session.initialize({**SETTINGS, "logLevel": "error"})
    session.wait_ready()
    rows = [_measure(session, lines) for lines in SIZES]
    session.kill()
    ten_thousand = next(row for row in rows if row["lines"] == 10_000)
    report(
        "lsp",
        rows,
        {
            "request_p95_ms_10k": ten_thousand["request p95 ms"],
            "change_p95_ms_10k": ten_thousand["change p95 ms"],
            "cancel_reply_p99_ms": percentile(_cancels(), 0.99),
        },
    )


def _measure(session: Session, lines: int) -> Row:
    uri = f"file:///w/{lines}.py"
    session.open(uri, "def f():\n" + "".join(map(LINE.format, range(lines))))
    requests, changes = [], []
    for n in range(ROUNDS):
        line = 1 + n * 37 % lines
        sent = time.perf_counter()
        session.insert(uri, n + 2, line, 4, "y")
        changes.append(session.call("midfill/nothing", None)["_at"] - sent)
        sent = time.perf_counter()
        requests.append(session.reply(session.ask(uri, line, 5))["_at"] - sent)
        session.inbox.clear()
    return {
        "lines": lines,
        "request p50 ms": percentile(requests, 0.5) * 1000,
        "request p95 ms": percentile(requests, 0.95) * 1000,
        "change p50 ms": percentile(changes, 0.5) * 1000,
        "change p95 ms": percentile(changes, 0.95) * 1000,
    }


def _cancels() -> list[float]:
    """Milliseconds from `$/cancelRequest` to the reply, the model being in the middle of a 50 ms step."""
    session = Session.start("--log-level", "error")
    session.initialize({**SLOW, "logLevel": "error"})
    session.wait_ready()
    uri = "file:///w/slow.py"
    session.open(uri, "x = ")
    waits = []
    for _ in range(ROUNDS // 2):
        request = session.ask(uri, 0, 4)
        time.sleep(0.02)
        sent = time.perf_counter()
        session.notify("$/cancelRequest", {"id": request})
        waits.append((session.reply(request)["_at"] - sent) * 1000)
    session.kill()
    return waits


if __name__ == "__main__":
    main()
