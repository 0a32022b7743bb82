"""A thousand keystrokes at 5 ms, with and without $/cancelRequest: is every request answered, and stopped?

The scripted backend takes 5 ms a step and wants to write 64 tokens an answer. Summary: `unanswered` (0),
`late_steps` (steps beyond the one under way when a request was superseded or cancelled; 0),
`superseded_reply_p99_ms` (superseding request or cancel sent → reply received), `step_share` (steps run,
of those that would have run without superseding).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any

from benchmarks.report import Row, percentile, report
from tests.messages import change, inline_params
from tests.session import INLINE_CAPABILITIES, Session

KEYSTROKES = 1000
PERIOD_S = 0.005
TOKENS = 64
SETTINGS = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 5, "maxNewTokens": TOKENS}
URI = "file:///w/storm.py"
FIRST_LINE = "if ready("
"""The cursor stands in an open bracket: a block, so that an answer takes all its tokens."""


def main() -> None:
    rows = [_run(cancels=False), _run(cancels=True)]
    report(
        "storm",
        rows,
        {
            "unanswered": sum(row["unanswered"] for row in rows),
            "late_steps": sum(row["late steps"] for row in rows),
            "superseded_reply_p99_ms": max(row["reply p99 ms"] for row in rows),
            "step_share": max(row["step share"] for row in rows),
        },
    )


def _run(cancels: bool) -> Row:
    with tempfile.NamedTemporaryFile(suffix=".json") as log:
        session = _start(log.name)
        session.open(URI, FIRST_LINE)
        ended = _type(session, cancels)
        replies = _replies(session)
        session.shut_down()
        session.kill()
        steps = json.load(log)
    waits = [(replies[n]["_at"] - at) * 1000 for n, at in ended.items() if n in replies]
    outcomes = Counter(_outcome(reply) for reply in replies.values())
    return {
        "cancels": "yes" if cancels else "no",
        "unanswered": KEYSTROKES - len(replies),
        "suggestions": outcomes["suggestion"],
        "null": outcomes["null"],
        "-32800": outcomes["cancelled"],
        "late steps": steps["late_steps"],
        "reply p50 ms": percentile(waits, 0.5),
        "reply p99 ms": percentile(waits, 0.99),
        "steps": steps["steps"],
        "step share": steps["steps"] / (KEYSTROKES * (TOKENS + 1)),
    }


def _start(log: str) -> Session:
    """The real server, with a recorder around its worker (`storm_server.py`)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.storm_server", log],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    session = Session(process, process.stdout, process.stdin)  # type: ignore[arg-type]
    session.initialize(SETTINGS, {**INLINE_CAPABILITIES, "workspace": {}}, processId=os.getpid())
    session.wait_ready()
    return session


def _type(session: Session, cancels: bool) -> dict[int, float]:
    """Type; returns, for each request but the last, when it was superseded or cancelled."""
    ended: dict[int, float] = {}
    begin = time.perf_counter()
    for n in range(KEYSTROKES):
        time.sleep(max(0.0, begin + n * PERIOD_S - time.perf_counter()))
        now = time.perf_counter()
        if n:
            ended[n] = now
        messages: list[dict[str, Any]] = [change(URI, n + 2, 0, len(FIRST_LINE) + n, "k")]
        if n and cancels:
            messages.append({"method": "$/cancelRequest", "params": {"id": f"k{n}"}})
        params = inline_params(URI, 0, len(FIRST_LINE) + n + 1, trigger=2)
        messages.append({"id": f"k{n + 1}", "method": "textDocument/inlineCompletion", "params": params})
        session.send(*messages)
    return ended


def _replies(session: Session) -> dict[int, dict[str, Any]]:
    """Every reply by keystroke, 1 to KEYSTROKES; the last request's comes last."""
    last = session.wait_for(lambda m: m.get("id") == f"k{KEYSTROKES}")
    found = [*(m for m in session.inbox if str(m.get("id", "")).startswith("k")), last]
    replies = {int(m["id"][1:]): m for m in found}
    if len(replies) != len(found):
        raise AssertionError("a request was answered twice")
    return replies


def _outcome(reply: dict[str, Any]) -> str:
    if "error" in reply:
        return "cancelled" if reply["error"]["code"] == -32800 else "error"
    return "null" if reply["result"] is None else "suggestion" if reply["result"]["items"] else "empty"


if __name__ == "__main__":
    main()
