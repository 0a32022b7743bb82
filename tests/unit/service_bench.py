"""A completion service whose model is answered for by the test: for test_service.py, test_staleness.py."""

import asyncio

from midfill.server.completion.cursor import Trigger
from midfill.server.completion.policy import PLACES
from midfill.server.completion.run import Answer
from midfill.server.completion.service import CompletionService
from midfill.server.documents import DocumentStore, Edit
from midfill.server.settings import Settings
from midfill.server.text import Encoding
from tests.cursor import parse, show
from tests.unit.fakes import TIMEOUT_S, FakeHost

URI = "file:///a.py"
PLAIN = Settings(backend="scripted", debounce_ms=0, silences_off=tuple(PLACES), write_ahead="off")
"""Pictures are short, and the model is asked for what the test asks for and nothing else."""


class Bench:
    """A service, its documents and a model that the test answers for."""

    def __init__(self) -> None:
        self.documents = DocumentStore()
        self.host = FakeHost()
        self.settings = PLAIN
        self.service = CompletionService(self.documents, self.host, lambda: self.settings)
        self.version = 1

    def open(self, picture: str, uri: str = URI) -> int:
        text, offset = parse(picture)
        self.documents.open(uri, "python", self.version, text)
        return offset

    def ask(self, offset: int, uri: str = URI, **more) -> "asyncio.Task[Answer]":
        trigger = more.pop("trigger", Trigger.AUTOMATIC)
        work = self.service.complete(self.documents.snapshot(uri), offset, trigger, **more)
        return asyncio.get_running_loop().create_task(work)

    def type(self, picture: str) -> int:
        """The document is now `picture` without its cursor; the service hears of it. Returns the offset."""
        self.version += 1
        text, offset = parse(picture)
        snapshot = self.documents.change(URI, self.version, [Edit(None, text)], Encoding.UTF_16)
        self.service.document_changed(snapshot)
        return offset

    async def get(self, picture: str, *written: str) -> "Answer":
        """The answer in `picture`, to which the document has just changed. `written` by the model, which
        is asked if there is any."""
        task = self.ask(self.type(picture) if self.documents.uris() else self.open(picture))
        if written:
            (await self.host.next_asked()).answer(*written)
        return await ended(task)

    def shown(self, answer: Answer) -> str:
        """The picture of the suggestion in the document as it is now; what it replaces is gone."""
        found, text = answer.suggestion, self.documents.snapshot(URI).text
        assert found is not None, answer
        return show(text[: found.offset] + text[found.offset + found.replace :], found.offset, found.text)


async def ended(task: "asyncio.Task[Answer]") -> Answer:
    async with asyncio.timeout(TIMEOUT_S):
        return await task


async def settled() -> None:
    """Everything that is ready has run."""
    for _ in range(5):
        await asyncio.sleep(0)
