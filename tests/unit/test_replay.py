"""A small replay of typing on a virtual clock: how often no model is asked; nobody is left waiting.

The big one, with other systems' policies beside ours, is `make bench-typing`.
"""

import asyncio
import inspect
import random
import textwrap

import pytest

from midfill.model import CancelToken, Chunk, FimRequest, Finish, FinishReason, Lane
from midfill.model.lanes import Deliver, Lanes, Ticket
from midfill.model.stops import StopScanner
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.run import Answer, Source
from midfill.server.completion.service import CompletionService
from midfill.server.documents import DocumentStore, Edit
from midfill.server.settings import Settings
from midfill.server.text import Encoding
from tests.unit.virtual import on_virtual_clock

TRUTH = inspect.getsource(textwrap.TextWrapper._wrap_chunks)
TOKEN_CHARS, STEP_S, PREFILL_S = 4, 0.025, 0.1
WRONG_SHARE = 0.05
GAP_S = 0.15
URI = "file:///a.py"


class LoopModel:
    """Writes on as the truth does, each token wrong with a seeded chance. One forward pass at a time."""

    silence, info, context_tokens = "", None, 2048

    def __init__(self) -> None:
        self.tokens, self.decodes = 0, 0
        self._lanes = Lanes()
        self._wake = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def submit(self, request: FimRequest, token: CancelToken, deliver: Deliver, lane: Lane) -> None:
        ticket = Ticket(request, lane, token, deliver, 0.0)
        ticket.stream = self._stream(request)
        self.decodes += 1
        self._lanes.put(ticket)
        self._wake.set()

    def began_waiting(self) -> None: ...

    def stopped_waiting(self) -> None: ...

    async def _serve(self) -> None:
        while True:
            ticket = self._lanes.first(0.0)
            if ticket is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            await asyncio.sleep(PREFILL_S if not ticket.tokens else STEP_S)
            ticket.tokens += 1
            event = Finish(FinishReason.CANCELLED) if ticket.token.cancelled else next(ticket.stream)
            if isinstance(event, Finish):
                self._lanes.drop(ticket)
            ticket.deliver(event)

    def _stream(self, request: FimRequest):
        yield Chunk()
        prefix = request.prefix
        known = max(n for n in range(len(prefix) + 1) if TRUTH.startswith(prefix[:n]))
        rest = TRUTH[known:] if known == len(prefix) else "nonsense"
        scanner, stopped = StopScanner(request.stop), False
        for place in range(0, len(rest), TOKEN_CHARS):
            piece = rest[place : place + TOKEN_CHARS]
            if random.Random(known + place).random() < WRONG_SHARE:
                piece = "#" * len(piece)
            text, stopped = scanner.feed(piece)
            self.tokens += 1
            yield Chunk(text, (-0.1,))
            if stopped:
                break
        if not stopped:
            yield Chunk(scanner.finish())
        yield Finish(FinishReason.STOP if stopped else FinishReason.EOT)


def keys(error_share: float) -> list[str]:
    """What is typed: characters, and "\\b" for a backspace."""
    chance = random.Random(4)
    found: list[str] = []
    for char in TRUTH:
        if chance.random() < error_share:
            found += ["q", "\b"]
        found.append(char)
    return found


async def typed(model: LoopModel, error_share: float) -> list[Answer]:
    """One answer for each key. The document is empty at first."""
    documents, settings = DocumentStore(), Settings()
    service = CompletionService(documents, model, lambda: settings)
    documents.open(URI, "python", 0, "")
    text, chance, tasks = "", random.Random(5), []
    loop = asyncio.get_running_loop()
    for version, key in enumerate(keys(error_share), 1):
        await asyncio.sleep(chance.lognormvariate(0, 0.5) * GAP_S)
        text = text[:-1] if key == "\b" else text + key
        snapshot = documents.change(URI, version, [Edit(None, text)], Encoding.UTF_16)
        service.document_changed(snapshot)
        if tasks:
            tasks[-1].cancel()  # as VS Code does, answered or not
        work = service.complete(snapshot, len(text), Trigger.AUTOMATIC)
        tasks.append(loop.create_task(work))
    await asyncio.wait(tasks, timeout=60)
    assert all(task.done() for task in tasks), "somebody is left waiting"
    return [Answer(superseded=True) if task.cancelled() else task.result() for task in tasks]


@pytest.mark.parametrize(("error_share", "least"), [(0.0, 0.8), (0.1, 0.65)])
@on_virtual_clock
async def test_most_keys_are_answered_without_the_model(error_share, least):
    model = LoopModel()
    answers = await typed(model, error_share)
    at_hand = sum(answer.suggestion is not None and answer.source is not Source.MODEL for answer in answers)
    assert at_hand >= least * len(answers)
    assert model.decodes <= 0.25 * len(answers)
