"""One passage typed by one typist into an editor that asks one policy at every key, and what was seen.

The editor's text is kept here a second time, as a plain string: whether an answer is stale is judged by
that, not by what a policy believes. Knows no policy's insides.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from benchmarks.replay.ledger import KEY, Ledger
from benchmarks.replay.passages import Passage
from benchmarks.replay.policy import Make, Policy, Reply
from benchmarks.replay.typists import GAP_MEDIAN_S, Copies, Press, Seen, gaps
from midfill.server.documents import DocumentStore, Edit
from midfill.server.text import DocumentSnapshot, Encoding, position_at

GRACE_S = 30.0
"""A request without an answer so long after the last key has none."""
UNITS = Encoding.UTF_32


@dataclass(slots=True, eq=False)
class Key:
    """One key pressed, the request that followed it, and its answer."""

    press: Press
    at: float
    written: str
    """What of the passage stands there after it."""
    answered: float = 0.0
    reply: Reply | None = None
    shown: str = ""
    """The passage as it would stand if the suggestion were accepted when it arrived; empty without one."""
    stale: str = ""
    """Why the suggestion does not belong to the document as it was when it arrived."""

    @property
    def given(self) -> bool:
        return bool(self.shown)


@dataclass(slots=True)
class Session:
    passage: Passage
    ledger: Ledger
    keys: list[Key] = field(default_factory=list)
    written: str = ""
    seen: Seen | None = None

    async def play(self, typist: Copies, make: Make) -> None:
        """Type the passage to its end; the answers' tasks are over when this returns. What a policy raises
        is raised here: a fault is not taken for a missing answer.
        """
        loop = asyncio.get_running_loop()
        documents = DocumentStore()
        policy = make(documents, self.ledger)
        uri = f"file:///replay/{PurePosixPath(self.passage.path)}"
        text = self.passage.above + self.passage.below
        policy.opened(documents.open(uri, self.passage.language, 0, text))
        waits, tasks = gaps(self.passage), []
        while self.written != self.passage.truth:
            await asyncio.sleep(waits.get(len(self.written), GAP_MEDIAN_S))
            press = typist.press(self.written, self.seen, loop.time())
            snapshot = self._edit(documents, uri, press)
            self.keys.append(Key(press, loop.time(), self.written))
            policy.changed(snapshot, self.cursor)
            tasks.append(loop.create_task(self._ask(policy, snapshot, len(self.keys) - 1)))
        assert documents.snapshot(uri) == snapshot
        assert snapshot.text == self.passage.above + self.passage.truth + self.passage.below
        await asyncio.wait(tasks, timeout=GRACE_S)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        policy.closed(uri)
        for fault in ends:
            if isinstance(fault, Exception):  # which a cancelled task's is not
                raise fault

    @property
    def given(self) -> list[Key]:
        """The keys that were answered with a suggestion."""
        return [key for key in self.keys if key.given]

    @property
    def shown(self) -> list[tuple[int, float, str]]:
        """The suggestions, in order of their keys: (key, when, passage up to the suggestion's end)."""
        return [(i, key.answered, key.shown) for i, key in enumerate(self.keys) if key.given]

    @property
    def cursor(self) -> int:
        return len(self.passage.above) + len(self.written)

    def _edit(self, documents: DocumentStore, uri: str, press: Press) -> DocumentSnapshot:
        before = documents.snapshot(uri)
        assert before is not None
        start = self.cursor - press.back
        where = (position_at(before, start, UNITS), position_at(before, self.cursor, UNITS))
        self.written = self.written[: len(self.written) - press.back] + press.text
        if self.seen is not None:
            agrees = not press.back and self.seen.text.startswith(press.text)
            left = self.seen.text[len(press.text) :] if agrees and not press.accepts else ""
            self.seen = Seen(left, self.seen.since) if left else None
        return documents.change(uri, before.version + 1, [Edit(where, press.text)], UNITS)

    async def _ask(self, policy: Policy, snapshot: DocumentSnapshot, number: int) -> None:
        KEY.set(number)
        reply = await policy.complete(snapshot, self._cursor_after(number))
        self._answered(number, reply)

    def _cursor_after(self, number: int) -> int:
        return len(self.passage.above) + len(self.keys[number].written)

    def _answered(self, number: int, reply: Reply) -> None:
        key, now = self.keys[number], asyncio.get_running_loop().time()
        key.reply, key.answered = reply, now
        if reply.superseded:
            return
        if not reply.text:
            if number == len(self.keys) - 1:
                self.seen = None
            return
        inserted = reply.offset - len(self.passage.above)
        key.shown = self.written[:inserted] + reply.text
        key.stale = self._staleness(key, reply)
        kept = self.seen is not None and key.shown.startswith(self.written + self.seen.text)
        behind = self.passage.below[: reply.replace]
        added = reply.text.removesuffix(behind)  # what it replaces it types again
        self.seen = Seen(added, self.seen.since if self.seen and kept else now)

    def _staleness(self, key: Key, reply: Reply) -> str:
        """Empty, or what is wrong with the reply as the document is now."""
        behind = self.passage.below[: reply.replace]
        if not self.written.startswith(key.written):
            return "the text it was asked for is gone"
        if reply.offset != self.cursor:
            return "not where the cursor is"
        if "\n" in behind or len(behind) < reply.replace:
            return "replaces more than the line"
        if not self.ledger.wrote(key.shown):
            return "nobody wrote this here"
        return ""
