"""Midfill's own service, wired as `protocol.py` wires it. Nothing of the pipeline is in this file."""

from typing import Any

from benchmarks.replay.policy import Reply
from midfill.server.completion.ahead import PrefillAhead
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.service import CompletionService
from midfill.server.documents import DocumentStore
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot


class Midfill:
    def __init__(self, documents: DocumentStore, host: Any, settings: Settings | None = None) -> None:
        chosen = settings or Settings()
        self._documents = documents
        self._service = CompletionService(documents, host, lambda: chosen)
        self._ahead = PrefillAhead(self._service, host)

    def opened(self, snapshot: DocumentSnapshot) -> None:
        self._ahead.document_opened(snapshot)

    def changed(self, snapshot: DocumentSnapshot, offset: int) -> None:
        self._service.document_changed(snapshot)
        self._ahead.document_changed(snapshot, offset)

    async def complete(self, snapshot: DocumentSnapshot, offset: int) -> Reply:
        self._ahead.stop()
        answer = await self._service.complete(snapshot, offset, Trigger.AUTOMATIC)
        found = answer.suggestion
        if found is None or answer.superseded:
            return Reply(reason=answer.reason, superseded=answer.superseded)
        return Reply(found.text, found.offset, found.replace, answer.reason)

    def closed(self, uri: str) -> None:
        self._documents.close(uri)
        self._ahead.stop()
        self._service.document_closed(uri)
