"""One completion without an editor: the same pipeline as the server's, run once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from midfill.model import ModelInfo
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.explain import Line, explain
from midfill.server.completion.run import Answer, Run
from midfill.server.completion.service import CompletionService
from midfill.server.context.keeper import ContextKeeper, Session
from midfill.server.context.workspace import workspace_of
from midfill.server.documents import DocumentStore
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.status import State, StatusBoard
from midfill.server.text import DocumentSnapshot
from midfill.server.uris import to_path


class Console:
    """A load's progress as lines on stderr, one for each new message."""

    def __init__(self, say: "Say") -> None:
        self._say = say
        self._last = ""
        self.ended = ""
        """How the load ended, in a sentence."""

    def report(self, message: str, fraction: float | None) -> None:
        if message != self._last:
            self._last = message
            self._say(message)

    def end(self, message: str) -> None:
        """Whoever asked says so."""
        self.ended = message


class Say:
    """Where progress goes; silent when `quiet`."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def __call__(self, sentence: str) -> None:
        import click

        if not self._quiet:
            click.echo(f"midfill: {sentence}", err=True)


class ModelUnavailable(Exception):  # noqa: N818 - the model is what is missing
    """The model could not be loaded; `str(error)` says why."""


@dataclass(frozen=True, slots=True)
class Once:
    answer: Answer
    info: ModelInfo
    load_ms: float
    total_ms: float
    lines: tuple[Line, ...] = ()
    """What became of it, stage by stage."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded model and the pipeline before it."""

    documents: DocumentStore
    completions: CompletionService
    model: ModelHost
    info: ModelInfo
    load_ms: float
    other_files: ContextKeeper

    def open(self, snapshot: DocumentSnapshot) -> DocumentSnapshot:
        """The same text, as an open document."""
        return self.documents.open(snapshot.uri, snapshot.language, snapshot.version, snapshot.text)


@asynccontextmanager
async def loaded(settings: Settings, say: Say) -> AsyncIterator[Loaded]:
    """Load the model, and unload it at the end. Raises ModelUnavailable."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    started = time.perf_counter()
    documents, console = DocumentStore(), Console(say)
    status = StatusBoard(lambda method, params: _settle(ready, status, console))
    model = ModelHost(status, lambda title: console, _ignore, _ignore, _ignore)
    alone = replace(settings, write_ahead="off")
    model.start(settings.model_config())
    try:
        await ready
        assert model.info is not None
        load_ms = (time.perf_counter() - started) * 1000
        other_files = ContextKeeper(lambda: _session(documents, alone, model))
        completions = CompletionService(documents, model, lambda: alone)
        completions.asking.other_files = other_files
        yield Loaded(documents, completions, model, model.info, load_ms, other_files)
        other_files.close()
    finally:
        model.close()


async def complete_once(
    snapshot: DocumentSnapshot,
    offset: int,
    settings: Settings,
    say: Say,
    repeats: int = 1,
    trigger: Trigger = Trigger.INVOKED,
) -> list[Once]:
    """Load the model and ask it `repeats` times at one place. Raises ModelUnavailable."""
    async with loaded(settings, say) as session:
        snapshot, completions = session.open(snapshot), session.completions
        completions.asking.patient = trigger is Trigger.INVOKED
        await session.other_files.gathered(snapshot, offset)
        runs: list[Run] = []
        completions.on_answer = lambda run, answer: runs.append(run)
        results = []
        for _ in range(repeats):
            completions.forget()
            before = time.perf_counter()
            answer = await completions.complete(snapshot, offset, trigger)
            total_ms = (time.perf_counter() - before) * 1000
            lines = explain(runs[-1], answer, completions.asking)
            results.append(Once(answer, session.info, session.load_ms, total_ms, tuple(lines)))
        return results


def _session(documents: DocumentStore, settings: Settings, model: ModelHost) -> Session:
    """What other files' text may be drawn from: the projects of the documents."""
    paths = filter(None, (to_path(uri) for uri in documents.uris()))
    folders = tuple({workspace_of(path): None for path in paths})
    return Session(documents.all(), folders, settings, model.context_tokens)


def _settle(ready: "asyncio.Future[None]", status: StatusBoard, console: Console) -> None:
    current = status.current
    if ready.done():
        return
    if current.state is State.READY:
        ready.set_result(None)
    elif current.state is State.FAILED:
        ready.set_exception(ModelUnavailable(current.reason))
    elif current.state is State.OFF:
        ready.set_exception(ModelUnavailable(console.ended))


def _ignore(*_: object) -> None:
    """The status says all that is needed here."""
