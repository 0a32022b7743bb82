"""A passage to type and a policy that does it right; tests break one thing each."""

import asyncio
from typing import Any

from benchmarks.replay.passages import Passage
from benchmarks.replay.policies.writing import Writing, place, request_at
from benchmarks.replay.policy import Reply
from benchmarks.replay.prompts import OurPrompts
from benchmarks.replay.runs import Engine, play_scripted
from benchmarks.replay.session import Session
from benchmarks.replay.typists import TYPISTS
from midfill.server.documents import DocumentStore
from midfill.server.text import DocumentSnapshot

PASSAGE = Passage(
    name="shapes.py:6",
    path="shapes.py",
    language="python",
    above="import math\n\n\nclass Circle:\n    def __init__(self, radius):\n        ",
    truth="self.radius = radius\n\n    def area(self):\n        return math.pi * self.radius**2",
    below="\n\n    def __repr__(self):\n        return f'Circle({self.radius})'\n",
)


class Honest:
    """Asks at every key, waits for all of the answer, and gives it up at the next key."""

    def __init__(self, documents: DocumentStore, host: Any) -> None:
        self.documents = documents
        self.host = host
        self.waiting: asyncio.Future[str] | None = None

    def opened(self, snapshot: DocumentSnapshot) -> None: ...

    def changed(self, snapshot: DocumentSnapshot, offset: int) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.cancel()

    async def complete(self, snapshot: DocumentSnapshot, offset: int) -> Reply:
        done = self.waiting = asyncio.get_running_loop().create_future()

        def read(writing: Writing) -> None:
            if writing.finished and not done.done():
                done.set_result(writing.text)

        Writing(self.host, request_at(place(snapshot, offset), 32), read)
        try:
            return self.reply(await done, snapshot, offset)
        except asyncio.CancelledError:
            if done.cancelled():
                return self.overtaken()
            raise

    def reply(self, text: str, snapshot: DocumentSnapshot, offset: int) -> Reply:
        return Reply(text, offset)

    def overtaken(self) -> Reply:
        return Reply(superseded=True)

    def closed(self, uri: str) -> None: ...


def played(make: Any, typist: str = "copies", passage: Passage = PASSAGE) -> Session:
    return play_scripted(passage, TYPISTS[typist], Engine(make, OurPrompts))
