"""Completions from snapshot to suggestion: what is at hand, then the model; latest wins; staleness.

Event loop only, and its clock. Knows nothing of LSP types, positions or replies.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from midfill.model import CancelReason, FimRequest, FinishReason
from midfill.server.completion import policy
from midfill.server.completion.asking import Asking
from midfill.server.completion.busy import shown_as_busy
from midfill.server.completion.candidates import MORE_S, choice, drawn
from midfill.server.completion.cursor import CursorContext, Trigger
from midfill.server.completion.debounce import Rhythm, delay_s
from midfill.server.completion.decodes import Decode, Decodes
from midfill.server.completion.look_ahead import LookAhead
from midfill.server.completion.reuse import CONTRADICTED, Cache, Shown, Written
from midfill.server.completion.run import Answer, Interrupted, Run, Source
from midfill.server.completion.selected import Selected
from midfill.server.completion.track import Track
from midfill.server.documents import DocumentStore
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

log = logging.getLogger(__name__)


class CompletionService:
    def __init__(
        self, documents: DocumentStore, model: ModelHost, settings: Callable[[], Settings]
    ) -> None:
        self._documents = documents
        self._model = model
        self._settings = settings
        self._tracks: dict[str, Track] = {}
        self._cache = Cache()
        self._decodes = Decodes(model, self._keep)
        self._rhythm = Rhythm()
        self.asking = Asking(model, settings)
        self._look_ahead = LookAhead(documents, self._decodes, self._cache, self.asking)
        self.last_answer = Answer(reason="nothing was asked yet")
        self.on_answer: Callable[[Run, Answer], None] = lambda run, answer: None

    async def complete(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        trigger: Trigger,
        deadline_s: float | None = None,
        selected: Selected | None = None,
        candidates: int = 1,
    ) -> Answer:
        """Answer one request. Cancelling the task reaches the decode loop within a step, unless what was
        typed since agrees with what is written: the next request asks for just that.

        `deadline_s` bounds the wait: what is written by then is the answer. `selected`: the menu's item
        at the cursor. `candidates`: how many suggestions are wanted.
        """
        fits = selected is None or selected.extends(snapshot, offset)
        run = Run(snapshot, offset, trigger, selected if fits else None)
        track = self._tracks.setdefault(run.uri, Track())
        if track.run is not None:
            track.run.interrupt(CancelReason.SUPERSEDED)
        track.run = run
        track.asked(snapshot)
        try:
            answer = await self._answer(run, deadline_s, fits)
            if candidates > 1 and answer.source:
                answer = await self._with_others(run, answer, candidates)
        except Interrupted:
            answer = Answer(superseded=True, reason=run.reason)
        except asyncio.CancelledError:
            self._given_up(run)
            raise
        finally:
            if track.run is run:
                track.run = None
            if self._documents.snapshot(run.uri) is None:
                self._tracks.pop(run.uri, None)
        self._remember(run, answer)
        return answer.with_selected(run.selected)

    def document_changed(self, snapshot: DocumentSnapshot) -> None:
        """A running request goes on only while what is typed agrees with what is written so far."""
        self._rhythm.key(_now())
        self._decodes.document_changed(snapshot)
        track = self._tracks.get(snapshot.uri)
        if track is None:
            return
        if (unwanted := track.changed(snapshot)) is not None:
            self._cache.drop(unwanted.snapshot, unwanted.offset)
        run = track.run
        if run is not None and (run.place_in(snapshot) is None or run.decode_was_dropped):
            run.interrupt(CancelReason.SUPERSEDED)

    def document_closed(self, uri: str) -> None:
        self._decodes.drop_all(uri)
        self._cache.forget(uri)
        track = self._tracks.pop(uri, None)
        if track is not None and track.run is not None:
            track.run.interrupt(CancelReason.SUPERSEDED)

    def forget(self) -> None:
        """Another model, or other settings, answer from now on."""
        self._decodes.drop_all()
        self._cache.forget()
        for track in self._tracks.values():
            track.shown = None

    def silence(self, snapshot: DocumentSnapshot) -> str:
        """Why nothing can be suggested in this document now, as a code; empty when it can."""
        return self.asking.silence(snapshot) or self._model.silence

    async def _answer(self, run: Run, deadline_s: float | None, fits: bool) -> Answer:
        until = None if deadline_s is None else _now() + deadline_s
        snapshot, offset = self._place(run)
        if reason := run.did("document", self.asking.silence(snapshot)):
            return Answer(reason=reason)
        if (at_hand := run.did("reuse", self._at_hand(run))) is not None:
            self._decodes.drop(run.uri, CancelReason.SUPERSEDED)
            return at_hand
        decode, source = self._decodes.join(snapshot, offset), Source.JOINED
        if decode is None:
            self._decodes.drop(run.uri, CancelReason.SUPERSEDED)
            context = self.asking.context_at(snapshot, offset, run.trigger)
            if reason := run.did("trigger", self._silence_at(context, fits)):
                return Answer(reason=reason)
            idle = self._decodes.idle
            await run.rest(delay_s(self._settings(), context, self._rhythm, _now(), idle))
            if reason := self._model.silence:  # it may have been stopped meanwhile
                return Answer(reason=reason)
            decode, source = self._ask(run), Source.MODEL
        with shown_as_busy(self._model):
            answer = self._written(run, decode, source, await run.wait(decode, until))
            if answer is None and source is Source.JOINED and not self._model.silence:
                decode = self._ask(run)  # the other was not for this place after all, or had to make room
                answer = self._written(run, decode, Source.MODEL, await run.wait(decode, until))
        return answer or Answer(superseded=True, reason="stale")

    def _at_hand(self, run: Run) -> Answer | None:
        """The answer that needs no model; None without one. An explicit request asks again where the
        model had nothing to say."""
        snapshot, offset = self._place(run)
        shown = self._tracks[run.uri].shown
        if shown is not None and (rest := shown.typed_through(snapshot, offset)) is not None:
            self._look_ahead.soon(shown)
            return Answer(rest, source=Source.TYPED_THROUGH)
        for origin, written in self._cache.find(snapshot, offset, _now()):
            answer = self._read(run, written, origin, Source.AHEAD if written.ahead else Source.CACHE)
            if answer.suggestion or (origin == offset and run.trigger is Trigger.AUTOMATIC):
                return answer
        return None

    def _silence_at(self, context: CursorContext, fits: bool) -> str:
        """Why nothing that is not at hand is suggested here."""
        if context.trigger is Trigger.AUTOMATIC:
            recent = self._tracks[context.snapshot.uri].recent(context.snapshot, context.offset, fits)
            if reason := policy.silence_at(context, recent, self._settings().silences_off):
                return reason
        return self._model.silence

    def _ask(self, run: Run, request: FimRequest | None = None) -> Decode:
        """Ask the model, at the run's first place. A `request` of its own is for this run alone."""
        least = run.selected.start if run.selected else run.offset
        wanted = run.did("prompt", request or self.asking.request_at(run.snapshot, run.offset, run.trigger))
        return self._decodes.ask(run.snapshot, run.offset, least, wanted, alone=request is not None)

    def _written(self, run: Run, decode: Decode, source: Source, whole: bool) -> Answer | None:
        """What the model wrote, as it fits the document as it is now (invariant 2); None where it does
        not, or was cut off by somebody else."""
        written = decode.written
        if written.finish.reason is FinishReason.ERROR:
            log.warning("no completion: %s", written.finish.message)
            return Answer(reason=written.finish.message, written=written)
        if whole and written.finish.reason is FinishReason.CANCELLED:
            return None
        answer = self._read(run, written, decode.offset, source)
        return None if answer.reason == CONTRADICTED else answer

    def _read(self, run: Run, written: Written, origin: int, source: Source) -> Answer:
        """What was written at `origin`, at the run's present place."""
        snapshot, offset = self._place(run)
        found = self.asking.read(written, snapshot, origin, offset, run.trigger)
        suggestion, reason = run.did("clean-up", found)
        if suggestion is None:
            return Answer(reason=reason, source=source, written=written)
        if written.finish.reason is not FinishReason.CANCELLED:  # else a deadline has cut it short
            self._show(run, Shown(snapshot, offset, (suggestion,), written.ended))
        return Answer(suggestion, source=source, written=written)

    async def _with_others(self, run: Run, first: Answer, count: int) -> Answer:
        """More suggestions for the same place, as many as come in time."""
        until, texts = _now() + MORE_S, list[Written]()
        known = Shown(*self._place(run), first.suggestions)
        request = self.asking.request_at(run.snapshot, run.offset, run.trigger)
        for variant in drawn(request, count - 1):
            if self._model.silence:
                break
            decode = self._ask(run, variant)
            if not await run.wait(decode, until):
                self._decodes.drop(run.uri, CancelReason.ENOUGH)
                break
            if decode.is_whole:
                texts.append(decode.written)
        now, here = self._place(run)
        context_at = partial(self.asking.context_at, trigger=run.trigger)
        found = choice(known, texts, run.offset, now, here, context_at)
        if not found:
            stale = first.suggestion is not None
            return Answer(superseded=True, reason="stale") if stale else first
        self._show(run, Shown(now, here, found))
        return replace(first, suggestion=found[0], others=found[1:])

    def _show(self, run: Run, shown: Shown) -> None:
        self._tracks[run.uri].shown = shown
        self._look_ahead.soon(shown)

    def _keep(self, decode: Decode) -> None:
        self._cache.put(decode.snapshot, decode.offset, decode.written, _now())

    def _given_up(self, run: Run) -> None:
        """The client does not want `run` any more. If something was typed since, it only wants it anew."""
        self.on_answer(run, Answer(superseded=True, reason=CancelReason.CLIENT.value))
        unchanged, decode = self._documents.snapshot(run.uri) is run.asked, run.decode
        if decode is not None and decode.waiter is None and (unchanged or decode.alone):
            self._decodes.drop(run.uri, CancelReason.CLIENT)

    def _place(self, run: Run) -> tuple[DocumentSnapshot, int]:
        """Where the run's answer goes in the document as it is now. Raises Interrupted if it is gone."""
        place = run.place_in(self._documents.snapshot(run.uri))
        if place is None:
            run.interrupt(CancelReason.SUPERSEDED)
            raise Interrupted
        return place

    def _remember(self, run: Run, answer: Answer) -> None:
        self.last_answer = answer
        self.on_answer(run, answer)
        result = f"shown {answer.source}" if answer.suggestion else answer.reason
        level = logging.DEBUG if answer.superseded else logging.INFO
        log.log(level, "fim v=%d %s: %s%s", run.asked.version, run.trigger, result, answer.figures)


def _now() -> float:
    return asyncio.get_running_loop().time()
