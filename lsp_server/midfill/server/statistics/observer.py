"""Follows a session and counts: requests and their ends, suggestions and what becomes of them.

Event loop only, on a clock and timers that the caller gives. Counts are keyed by words such as
`shown/model/python`; texts are looked at and never kept in a count.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from midfill.model import CancelReason, FinishReason
from midfill.server.completion.reuse import Shown
from midfill.server.completion.run import Answer, Run, Source
from midfill.server.languages import EXTENSIONS
from midfill.server.statistics.lasting import AFTER_S, TELLING, Place, still_there
from midfill.server.statistics.watched import Outcome, Watched
from midfill.server.text import DocumentSnapshot

SEEN_S = 0.75
"""Shorter than this on the screen is not seen (Copilot's figure)."""
MOST_FOLLOWED = 32
"""Accepted texts that are looked after at a time; what comes beside them is not."""
BUCKETS_MS = (2, 5, 10, 20, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 5000, 10_000)
"""Upper ends of what latencies are counted in."""
MORE = "more"
"""The bucket above all."""

Later = Callable[[float, Callable[[], None]], object]


@dataclass(slots=True)
class _Ended:
    """The last one that ended in a document: the client may still say that it was accepted."""

    watched: Watched
    outcome: Outcome


class Observer:
    """`clock` gives seconds; `later(seconds, call)` calls then; `document(uri)` is what it is now."""

    def __init__(
        self,
        clock: Callable[[], float],
        later: Later,
        document: Callable[[str], DocumentSnapshot | None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._later = later
        self._document = document
        self._watched: dict[str, Watched] = {}
        self._ended: dict[str, _Ended] = {}
        self._followed = 0

    def answered(self, run: Run, answer: Answer) -> None:
        """A request ended. Also the hook of `CompletionService.on_answer`."""
        self._count("requests", run.trigger.value)
        if answer.superseded:
            by_client = answer.reason == CancelReason.CLIENT.value
            self._count("cancelled" if by_client else "superseded")
            return
        self._count_times(run, answer)
        now = self._document(run.uri)
        if now is None:
            return
        if answer.suggestion is None:
            self._count("silences", _code(answer))
            return
        self._count("answers", answer.source.value)
        self._show(now, answer.with_selected(run.selected), self._clock())

    def changed(self, now: DocumentSnapshot) -> None:
        """The document is `now`."""
        self._ended.pop(now.uri, None)
        watched = self._watched.get(now.uri)
        if watched is not None and (outcome := watched.changed(now)) is not None:
            self._end(now.uri, outcome)
            if outcome is Outcome.ACCEPTED:
                self._follow(watched, now.uri)

    def accepted(self, uri: str) -> None:
        """The client says that the suggestion was accepted; the document may have changed before."""
        self._count("said-accepted")
        if (watched := self._watched.get(uri)) is not None:
            self._end(uri, Outcome.ACCEPTED)
            self._follow(watched, uri)
        elif (ended := self._ended.get(uri)) is not None and ended.outcome is not Outcome.ACCEPTED:
            self._count_outcome(ended.watched, ended.outcome, -1)
            self._count_outcome(ended.watched, Outcome.ACCEPTED)
            ended.outcome = Outcome.ACCEPTED
            self._follow(ended.watched, uri)

    def closed(self, uri: str) -> None:
        """The document is no more open."""
        if uri in self._watched:
            self._end(uri, Outcome.LEFT)
        self._ended.pop(uri, None)

    def close(self) -> None:
        """The session ends: so does what is on the screen."""
        for uri in list(self._watched):
            self.closed(uri)

    def _show(self, now: DocumentSnapshot, answer: Answer, since: float) -> None:
        assert answer.suggestion is not None
        before = self._watched.get(now.uri)
        if before is not None:
            if before.goes_on_as(answer.suggestion, now):
                return
            self._end(now.uri, Outcome.REPLACED)
        shown = Shown(now, answer.suggestion.offset, answer.suggestions)
        language = now.language if now.language in EXTENSIONS else "other"
        self._watched[now.uri] = Watched(shown, language, answer.source.value, since)
        self._ended.pop(now.uri, None)
        self._count("shown", answer.source.value, language)

    def _end(self, uri: str, outcome: Outcome) -> None:
        watched = self._watched.pop(uri)
        self._count_outcome(watched, outcome)
        if outcome is Outcome.ACCEPTED or self._clock() - watched.since >= SEEN_S:
            self._count("seen", watched.source, watched.language)
        self._ended[uri] = _Ended(watched, outcome)

    def _count_outcome(self, watched: Watched, outcome: Outcome, times: int = 1) -> None:
        self._count(outcome.value, watched.source, watched.language, times=times)

    def _follow(self, watched: Watched, uri: str) -> None:
        """Look for an accepted text again, later."""
        now, first = self._document(uri), watched.shown.suggestions[0]
        text = (watched.ended_as or first).text
        if now is None or self._followed >= MOST_FOLLOWED or not TELLING.match(text):
            return
        place = Place(text, watched.shown.offset, len(now.text) - watched.shown.offset)
        self._followed += 1
        for seconds in AFTER_S:
            self._later(seconds, partial(self._look, uri, place, seconds))

    def _look(self, uri: str, place: Place, seconds: int) -> None:
        if seconds == AFTER_S[-1]:
            self._followed -= 1
        now = self._document(uri)
        if now is not None:
            kept = still_there(place, now)
            self._count("still-there" if kept else "gone", f"{seconds}s")

    def _count_times(self, run: Run, answer: Answer) -> None:
        took_ms = (self._clock() - run.began) * 1000
        bucket = next((str(upper) for upper in BUCKETS_MS if took_ms <= upper), MORE)
        self._count("latency", answer.source.value or "none", bucket)
        stages = [(stage.name, stage.ms) for stage in run.stages]
        if answer.finish is not None and answer.source in (Source.MODEL, Source.JOINED):
            usage = answer.finish.usage
            stages += [
                ("queue", usage.queue_ms),
                ("prefill", usage.prefill_ms),
                ("decode", usage.decode_ms),
            ]
            self._count("tokens", "prompt", times=usage.prompt_tokens)
            self._count("tokens", "reused", times=usage.reused_tokens)
        for name, ms in stages:
            self._count("stages", name)
            self._count("stage-us", name, times=round(ms * 1000))

    def _count(self, *words: str, times: int = 1) -> None:
        self.counts["/".join(words)] += times


def _code(answer: Answer) -> str:
    """The reason as a code of bounded length; an error's sentence is no code."""
    if answer.finish is not None and answer.finish.reason is FinishReason.ERROR:
        return "error"
    return answer.reason.replace("/", "-")[:40]
