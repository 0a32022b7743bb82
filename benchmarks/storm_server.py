"""The real server on stdio with a recorder around its worker: when did each step end, and each cancel come?

Argument: the file for the counts. Used by `storm.py`; the product has no such hooks.
"""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path

from midfill.model.api import Event
from midfill.model.cancel import CancelReason, CancelToken
from midfill.model.lanes import Ticket
from midfill.model.worker import Worker
from midfill.server import logs
from midfill.server.serve import serve_stdio

step_ends: dict[CancelToken, list[float]] = defaultdict(list)
cancelled_at: dict[CancelToken, float] = {}


def record() -> None:
    """Wrap the two places where a step ends and a cancel arrives."""
    advance, cancel = Worker._advance, CancelToken.cancel

    def recorded_advance(self: Worker, ticket: Ticket) -> Event:
        event = advance(self, ticket)
        step_ends[ticket.token].append(time.perf_counter())
        return event

    def recorded_cancel(self: CancelToken, reason: CancelReason) -> bool:
        if not self.cancelled:
            cancelled_at[self] = time.perf_counter()
        return cancel(self, reason)

    Worker._advance = recorded_advance  # type: ignore[method-assign]
    CancelToken.cancel = recorded_cancel  # type: ignore[method-assign]


def late_steps() -> int:
    """Steps that ended after their request's cancel, beyond the one that was under way."""
    late = 0
    for token, ends in step_ends.items():
        after = sum(end > cancelled_at.get(token, float("inf")) for end in ends)
        late += max(0, after - 1)
    return late


if __name__ == "__main__":
    record()
    logs.configure("error")
    code = serve_stdio()
    counts = {"late_steps": late_steps(), "steps": sum(map(len, step_ends.values()))}
    Path(sys.argv[1]).write_text(json.dumps(counts))
    sys.exit(code)
