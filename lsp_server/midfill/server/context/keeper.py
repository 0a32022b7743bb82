"""Keeps what other files say ready for each open document; a request takes it as it is.

Event loop only, and cheap there: everything that reads, parses or compares happens on a thread of its own,
once typing rests. Knows no disk and no parser.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midfill.server.context.candidate import NOTHING, Selection, Source
from midfill.server.context.gather import Gatherer, Job
from midfill.server.loop import on_loop
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

log = logging.getLogger(__name__)

REST_S = 0.1
"""Without a key for this long, the cursor rests (Cody, pipeline.md §2). Prefilling ahead waits longer, and
so finds what is chosen here."""
RECENT = 20
"""Documents that were closed and still count (Copilot's and Continue's number)."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a gathering needs to know of the session as it is now."""

    documents: tuple[DocumentSnapshot, ...]
    folders: tuple[str, ...]
    settings: Settings
    context_tokens: int


class ContextKeeper:
    """`session` says how things stand; `on_ready` is called with a URI whose prompts are others now."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self.on_ready: Callable[[str], None] = lambda uri: None
        self._session = session
        self._ready: dict[str, Selection] = {}
        self._places: dict[str, tuple[DocumentSnapshot, int]] = {}
        """Where the cursor is, as far as anybody said."""
        self._closed: dict[str, DocumentSnapshot] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._gatherer = Gatherer()
        self._era = 0
        """What was begun in an earlier one is out of date."""

    def at(self, snapshot: DocumentSnapshot, offset: int) -> Selection:
        """What is ready for this document; for a new place something else may be, soon."""
        known, session = self._places.get(snapshot.uri), self._session()
        is_open = any(document is snapshot for document in session.documents)  # not what is only imagined
        if is_open and (known is None or known[0] is not snapshot or known[1] != offset):
            self.touch(snapshot, offset)
        return self.ready(snapshot.uri)

    def ready(self, uri: str) -> Selection:
        """What is ready for a document, of the sources that are on."""
        return self._ready.get(uri, NOTHING).only(sources_on(self._session().settings))

    def touch(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """Somebody works here. Looked into once that rests."""
        uri = snapshot.uri
        self._places[uri] = (snapshot, offset)
        self._closed.pop(uri, None)
        if uri in self._timers:
            self._timers[uri].cancel()
        self._timers[uri] = asyncio.get_running_loop().call_later(REST_S, self._gather, uri)

    def document_closed(self, snapshot: DocumentSnapshot) -> None:
        """It counts as recent from now on."""
        uri = snapshot.uri
        if uri in self._timers:
            self._timers.pop(uri).cancel()
        self._ready.pop(uri, None)
        self._places.pop(uri, None)
        self._closed[uri] = snapshot
        for oldest in list(self._closed)[:-RECENT]:
            del self._closed[oldest]

    def forget(self) -> None:
        """Other settings, folders or limits hold: everything is gathered again."""
        self._era += 1
        self._ready.clear()
        for place in list(self._places.values()):
            self.touch(*place)

    async def gathered(self, snapshot: DocumentSnapshot, offset: int) -> Selection:
        """Wait for what this place gets: where there is no editor, and somebody is waiting anyway."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._places[snapshot.uri] = (snapshot, offset)
        self._gather(snapshot.uri, done)
        await done
        return self.ready(snapshot.uri)

    def close(self) -> None:
        """End the thread after what it is doing."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._jobs.put(None)

    def _gather(self, uri: str, done: "asyncio.Future[None] | None" = None) -> None:
        self._timers.pop(uri, None)
        loop, era, (snapshot, offset) = asyncio.get_running_loop(), self._era, self._places[uri]
        job = self._job(snapshot, offset)

        def run() -> None:
            try:
                found = self._gatherer.gather(job)
            except Exception as error:  # a completion goes on without
                log.warning("context: %s", type(error).__name__)
                found = job.old
            on_loop(loop, self._take, uri, found, era, done)

        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="midfill-context", daemon=True)
            self._thread.start()
        self._jobs.put(run)

    def _job(self, snapshot: DocumentSnapshot, offset: int) -> Job:
        session = self._session()
        documents = {document.uri: document for document in (*self._closed.values(), *session.documents)}
        documents[snapshot.uri] = documents.get(snapshot.uri, snapshot)
        now = documents[snapshot.uri]
        return Job(
            now,
            min(offset, len(now.text)),
            tuple(documents[uri] for uri in sorted(documents)),
            session.folders,
            session.settings.exclude,
            sources_on(session.settings),
            session.context_tokens,
            self._ready.get(snapshot.uri, NOTHING),
        )

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _take(
        self, uri: str, found: Selection, era: int, done: "asyncio.Future[None] | None" = None
    ) -> None:
        if era == self._era and uri in self._places:
            before = self._ready.get(uri, NOTHING)
            self._ready[uri] = found
            if before.snippets != found.snippets:
                self.on_ready(uri)
        if done is not None and not done.done():
            done.set_result(None)


def sources_on(settings: Settings) -> frozenset[Source]:
    """Which sources the user allows."""
    switches: Sequence[tuple[Source, str]] = (
        (Source.DEFINITIONS, settings.context_definitions),
        (Source.SIMILAR, settings.context_similar),
        (Source.EDITS, settings.context_edits),
    )
    return frozenset(source for source, switch in switches if switch == "on")
