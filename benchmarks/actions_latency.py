"""Completions while a code action runs: how much later they come than without one, with the default model.

A file is typed into the real server, half a line, a request, the other half; by turns with nothing else to
do and with a unit-test action under way in another file. Nothing is debounced or written ahead, so that
each request is the model's, and answers are short, so that what they wait for shows. Summary:
`latency_ratio_p50` (issue 5: at most 1.5), also with `_writing` (the model answers the action) and
`_running` (its tests run in the sandbox).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.act.served import ACTION_S, Served
from benchmarks.report import Row, percentile, report
from tests.messages import Message
from tests.session import Session

SETTINGS = {"debounceMs": 0, "writeAhead": "off", "candidates": 1, "maxNewTokens": 8}
ROUNDS = 4
EACH = 15
"""Requests of each round without an action, and again while one writes: typing on and on, none would end.
While its tests run, as many as there is time for."""
WARMING = 5
"""Requests before the first that counts: they prefill the file's beginning."""
PAUSE_S = 0.15
"""Between an answer and the next request: the median of fast typing (evaluation.md, P5: 180 ms a key)."""
TYPED = sorted(Path(__file__).parent.glob("*.py"))
HEAD_LINES = 30
"""What the file begins with."""
LEAST_CHARACTERS = 8
"""Of a line that is typed."""
TESTED = '''def runs_{n}(text, least=1):
    """The runs of equal characters in `text`, as (character, length), at least `least` long."""
    found = []
    for character in text:
        if found and found[-1][0] == character:
            found[-1] = (character, found[-1][1] + 1)
        else:
            found.append((character, 1))
    if least <= 1:
        return found
    return [(character, length) for character, length in found if length >= least]
'''
ALONE_STAGE, WRITING, RUNNING = "no action", "an action writes", "an action runs tests"
KEYS = {ALONE_STAGE: "alone", WRITING: "writing", RUNNING: "running"}


def main() -> None:
    with Served(SETTINGS) as served:
        found = measure(served, ROUNDS, EACH)
    rows = [row(stage, found[stage]) for stage in KEYS if found[stage]]
    both = found[WRITING] + found[RUNNING]
    rows.append(row("an action, all of it", both))
    alone = median(found[ALONE_STAGE])
    summary: dict[str, float | str | None] = {
        f"latency_p50_ms_{KEYS[r['request']]}": r["p50 ms"] for r in rows[:-1]
    }
    summary["latency_ratio_p50"] = median(both) / alone
    for stage in (WRITING, RUNNING):
        summary[f"latency_ratio_p50_{KEYS[stage]}"] = median(found[stage]) / alone if found[stage] else None
    report("actions_latency", rows, summary)


def measure(served: Served, rounds: int, each: int) -> dict[str, list[float]]:
    """Seconds from each request to its answer, by what else was going on."""
    typist = Typist(served)
    found: dict[str, list[float]] = {stage: [] for stage in KEYS}
    for _ in range(WARMING):
        typist.wait()
    for n in range(1, rounds + 1):
        found[ALONE_STAGE] += [typist.wait() for _ in range(each)]
        action = Action(served, n)
        while (stage := action.stage()) is not None:
            if stage == WRITING and len(found[stage]) >= n * each:
                action.go_on()
                continue
            seconds = typist.wait()
            if stage == action.stage():  # not what began in one stage and ended in another
                found[stage].append(seconds)
    return found


class Typist:
    """Types this folder's files, and asks in the middle of each line."""

    def __init__(self, served: Served) -> None:
        self._session, self._uri = served.session, (served.root / "typed.py").as_uri()
        lines = "\n".join(path.read_text(encoding="utf-8") for path in TYPED).split("\n")
        self._lines = (line for line in lines[HEAD_LINES:] if len(line.strip()) >= LEAST_CHARACTERS)
        self._at, self._version = HEAD_LINES, 1
        self._session.open(self._uri, "\n".join([*lines[:HEAD_LINES], ""]))

    def wait(self) -> float:
        """Seconds until the next request's answer."""
        time.sleep(PAUSE_S)
        line = next(self._lines)
        half = (len(line) + len(line) - len(line.lstrip())) // 2
        self._type(0, line[:half])
        sent = time.perf_counter()
        answer = self._session.reply(self._session.ask(self._uri, self._at, half, trigger=2))
        self._type(half, f"{line[half:]}\n")
        self._at += 1
        seconds: float = answer["_at"] - sent
        return seconds

    def _type(self, character: int, text: str) -> None:
        self._version += 1
        self._session.insert(self._uri, self._version, self._at, character, text)


class Action:
    """One unit-test action, for a function of its own, from its choice on."""

    def __init__(self, served: Served, n: int) -> None:
        self._session, self._seen = served.session, 0
        self._message, self._ended = "", False
        self._session.inbox.clear()
        uri = (served.root / f"runs_{n}.py").as_uri()
        self._session.open(uri, TESTED.format(n=n))
        place = {"line": 0, "character": 6}
        params = {"command": "midfill.unitTests", "arguments": [uri, {"start": place, "end": place}]}
        self._session.call("workspace/executeCommand", params)

    def stage(self) -> str | None:
        """What it is doing, by the last that was heard of it; None: it is done."""
        for value in self._news(self._session):
            self._ended |= value["kind"] == "end"
            self._message = value.get("message") or self._message
        if self._ended:
            return None
        return RUNNING if self._message.startswith("running") else WRITING

    def go_on(self) -> None:
        """Wait for the next that is heard of it."""
        self._session.next_message(ACTION_S)

    def _news(self, session: Session) -> Iterator[Message]:
        fresh, self._seen = session.inbox[self._seen :], len(session.inbox)
        for message in fresh:
            if message.get("method") == "$/progress":
                yield message["params"]["value"]


def row(stage: str, seconds: list[float]) -> Row:
    return {
        "request": stage,
        "requests": len(seconds),
        "p50 ms": median(seconds) * 1000,
        "p95 ms": percentile(seconds, 0.95) * 1000,
    }


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
