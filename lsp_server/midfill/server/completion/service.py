"""Completions from snapshot to suggestion: debounce, latest wins, the model, clean-up, staleness.

Event loop only. Knows nothing of LSP types, positions or replies.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

from midfill.model import CancelReason, FimRequest, Finish, FinishReason, Lane
from midfill.server.completion import policy
from midfill.server.completion.cleanup import Suggestion, clean_up, trimmed
from midfill.server.completion.cursor import CursorContext, Trigger, normalize, read_cursor
from midfill.server.completion.debounce import delay_s
from midfill.server.completion.request import build_request
from midfill.server.completion.reuse import Shown
from midfill.server.completion.run import Answer, Interrupted, Run
from midfill.server.documents import DocumentStore, grew_by
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

log = logging.getLogger(__name__)

CHARS_PER_CONTEXT_TOKEN = 8
"""Text to each side that is handed over for a context of one token; code has 3–4 characters a token."""
BUSY_AFTER_S = 0.3
"""A request that takes longer shows as busy; quicker ones would only make the status bar flicker."""


class CompletionService:
    def __init__(
        self, documents: DocumentStore, model: ModelHost, settings: Callable[[], Settings]
    ) -> None:
        self._documents = documents
        self._model = model
        self._settings = settings
        self._running: dict[str, Run] = {}
        self._shown: dict[str, Shown] = {}
        self.last_answer = Answer(reason="nothing was asked yet")

    async def complete(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        trigger: Trigger,
        deadline_s: float | None = None,
    ) -> Answer:
        """Answer one request. Cancelling the task reaches the decode loop within a step.

        `deadline_s` bounds the wait: what is written by then is the answer.
        """
        run = Run(snapshot, offset, trigger)
        previous = self._running.get(snapshot.uri)
        if previous is not None:
            previous.interrupt(CancelReason.SUPERSEDED)
        self._running[snapshot.uri] = run
        try:
            self._catch_up(run)
            answer = await self._answer(run, deadline_s)
        except Interrupted:
            answer = Answer(superseded=True, reason=str(run.token.reason))
        finally:
            run.token.cancel(CancelReason.CLIENT)
            if self._running.get(snapshot.uri) is run:
                del self._running[snapshot.uri]
        self._remember(run, answer)
        return answer

    def _catch_up(self, run: Run) -> None:
        """A change or a close that came in one packet with the request was seen before the run was."""
        current = self._documents.snapshot(run.snapshot.uri)
        if current is None:
            run.interrupt(CancelReason.SUPERSEDED)
        else:
            self.document_changed(current)
        if run.token.cancelled:
            raise Interrupted

    def document_changed(self, snapshot: DocumentSnapshot) -> None:
        """A running request goes on only while what is typed agrees with what it wrote so far."""
        run = self._running.get(snapshot.uri)
        if run is None:
            return
        typed = grew_by(run.snapshot, snapshot, run.offset)
        if typed is None or not _agree(normalize(typed), run.text):
            run.interrupt(CancelReason.SUPERSEDED)

    def document_closed(self, uri: str) -> None:
        self._shown.pop(uri, None)
        run = self._running.get(uri)
        if run is not None:
            run.interrupt(CancelReason.SUPERSEDED)

    def forget(self) -> None:
        """Another model answers from now on."""
        self._shown.clear()

    def silence(self, snapshot: DocumentSnapshot) -> str:
        """Why nothing can be suggested in this document now, as a code; empty when it can."""
        return policy.silence(snapshot, self._settings()) or self._model.silence

    def request_at(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        trigger: Trigger,
        deadline_s: float | None = None,
    ) -> tuple[CursorContext, FimRequest]:
        """What the model would be asked at this place."""
        chars = self._model.context_tokens * CHARS_PER_CONTEXT_TOKEN
        context = read_cursor(snapshot, offset, trigger, chars)
        return context, build_request(context, self._settings(), deadline_s)

    async def _answer(self, run: Run, deadline_s: float | None) -> Answer:
        if reason := self.silence(run.snapshot):
            return Answer(reason=reason)
        shown = self._shown.get(run.snapshot.uri)
        rest = shown.typed_through(run.snapshot, run.offset) if shown else None
        if rest is not None:
            return self._fit(run, rest, reason="typed-through")
        await run.rest(delay_s(self._settings(), run.trigger))
        if reason := self.silence(run.snapshot):  # the model may have been stopped meanwhile
            return Answer(reason=reason)
        context, request = self.request_at(run.snapshot, run.offset, run.trigger, deadline_s)
        self._model.submit(request, run.token, run.deliver, Lane.FIM)
        with self._busy():
            finish = await run.collect()
        if finish.reason is FinishReason.ERROR:
            log.warning("no completion: %s", finish.message)
            return Answer(reason=finish.message, finish=finish)
        return self._written(run, context, finish)

    def _written(self, run: Run, context: CursorContext, finish: Finish) -> Answer:
        """What the model wrote, cleaned up."""
        suggestion, rule = clean_up(run.text, context)
        if suggestion is None:
            return Answer(reason=f"dropped by {rule}" if run.text else "empty", finish=finish)
        return self._fit(run, suggestion, finish=finish)

    def _fit(
        self, run: Run, suggestion: Suggestion, reason: str = "", finish: Finish | None = None
    ) -> Answer:
        """The suggestion as it fits the document as it is now (invariant 2)."""
        current = self._documents.snapshot(run.snapshot.uri)
        typed = grew_by(run.snapshot, current, run.offset) if current else None
        if current is None or typed is None:
            return Answer(superseded=True, reason="stale", finish=finish)
        behind = run.snapshot.text[run.offset : run.offset + suggestion.replace]
        rest = trimmed(suggestion, normalize(typed), len(typed), behind)
        if rest is None:
            return Answer(superseded=True, reason="stale", finish=finish)
        if not rest.text:
            return Answer(reason="typed already", finish=finish)
        return self._show(current, rest, reason, finish)

    def _show(
        self,
        snapshot: DocumentSnapshot,
        suggestion: Suggestion,
        reason: str,
        finish: Finish | None,
    ) -> Answer:
        """Hand a suggestion out, and keep it while it is typed; not one that a deadline cut short."""
        if finish is None or finish.reason is not FinishReason.CANCELLED:
            self._shown[snapshot.uri] = Shown(snapshot, suggestion)
        return Answer(suggestion, reason, finish=finish)

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        waited = False

        def show() -> None:
            nonlocal waited
            waited = True
            self._model.began_waiting()

        timer = asyncio.get_running_loop().call_later(BUSY_AFTER_S, show)
        try:
            yield
        finally:
            timer.cancel()
            if waited:
                self._model.stopped_waiting()

    def _remember(self, run: Run, answer: Answer) -> None:
        self.last_answer = answer
        result = f"shown {answer.reason}".rstrip() if answer.suggestion else answer.reason
        level = logging.DEBUG if answer.superseded else logging.INFO
        log.log(level, "fim v=%d %s: %s%s", run.snapshot.version, run.trigger, result, _figures(answer))


def _figures(answer: Answer) -> str:
    """Tokens and times of one request, for its line in the log."""
    if answer.finish is None:
        return ""
    usage = answer.finish.usage
    return (
        f" end={answer.finish.reason} prompt={usage.prompt_tokens} reused={usage.reused_tokens}"
        f" out={usage.generated_tokens} queue_ms={usage.queue_ms:.0f}"
        f" prefill_ms={usage.prefill_ms:.0f} decode_ms={usage.decode_ms:.0f}"
    )


def _agree(typed: str, written: str) -> bool:
    return typed.startswith(written) or written.startswith(typed)
