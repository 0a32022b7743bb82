"""Invariants 1 and 2 under any sequence of edits, requests, cancels and model steps, in two documents."""

import asyncio
from dataclasses import replace

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from benchmarks.replay.virtual import VirtualLoop
from midfill.model import CancelReason, Chunk, Finish, FinishReason, Lane
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.reuse import suffix_head
from midfill.server.documents import Edit
from midfill.server.text import Encoding
from tests.unit.fakes import Asked
from tests.unit.service_bench import PLAIN, Bench, settled

URIS = ("file:///a.py", "file:///b.py")
START = "ba\nab\nbb"
letters = st.text(st.sampled_from("ab"), min_size=1, max_size=3)
uris = st.sampled_from(URIS)


class AnyOrder(RuleBasedStateMachine):
    """The model writes letters only, which no rule of clean-up changes: whatever is suggested must be, with
    the text before it, a text before the cursor and what the model wrote there."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.run(self._begin())

    async def _begin(self) -> None:
        self.bench = Bench()
        self.bench.settings = replace(PLAIN, debounce_ms=40, write_ahead="on")
        self.cursor = dict.fromkeys(URIS, 2)
        for uri in URIS:
            self.bench.documents.open(uri, "python", 1, START)
        self.tasks: dict[asyncio.Task, str] = {}
        self.calls: list[tuple[Asked, list[str]]] = []
        self.newest: dict[str, asyncio.Task] = {}
        self.wrong: list[str] = []

    def run(self, work):
        return self.loop.run_until_complete(work)

    # --- what may happen --------------------------------------------------------------------------------

    @rule(uri=uris, text=letters)
    def types(self, uri, text):
        self.run(self._edit(uri, 0, text))

    @rule(uri=uris, back=st.integers(1, 3))
    def deletes(self, uri, back):
        self.run(self._edit(uri, min(back, self.cursor[uri]), ""))

    @rule(uri=uris, line=st.integers(0, 2))
    def moves(self, uri, line):
        """To the end of a line: behind the cursor on its own line, letters too are cleaned up."""
        above = self.text(uri).split("\n")[: line + 1]
        self.cursor[uri] = len("\n".join(above))

    @rule(uri=uris, trigger=st.sampled_from(Trigger), candidates=st.sampled_from([1, 2]))
    def asks(self, uri, trigger, candidates):
        self.run(self._ask(uri, trigger, candidates if trigger is Trigger.INVOKED else 1))

    @rule(uri=uris)
    def begins(self, uri):
        """The model reads, and has not written yet."""
        self.run(self._ask(uri, Trigger.AUTOMATIC, 1))
        self.run(asyncio.sleep(0.05))

    @rule(uri=uris, line=st.integers(0, 2))
    def moves_and_asks(self, uri, line):
        self.moves(uri, line)
        self.run(self._ask(uri, Trigger.AUTOMATIC, 1))

    @rule(uri=uris, text=letters)
    def types_and_asks(self, uri, text):
        self.run(self._edit(uri, 0, text))
        self.run(self._ask(uri, Trigger.AUTOMATIC, 1))

    @rule(uri=uris)
    def cancels(self, uri):
        if uri in self.newest:
            self.newest[uri].cancel()
        self.run(settled())

    @rule(text=letters)
    def writes(self, text):
        self.run(self._deliver(Chunk(text, (-1.0,))))

    @rule(text=letters)
    def writes_all(self, text):
        self.writes(text)
        self.finishes(FinishReason.EOT)

    @rule(reason=st.sampled_from([FinishReason.EOT, FinishReason.LENGTH, FinishReason.ERROR]))
    def finishes(self, reason):
        self.run(self._deliver(Finish(reason, message="why")))

    @rule(seconds=st.sampled_from([0.05, 0.3, 5.0, 400.0]))
    def waits(self, seconds):
        self.run(asyncio.sleep(seconds))

    # --- what always holds ------------------------------------------------------------------------------

    @invariant()
    def everybody_but_the_newest_of_each_document_is_answered(self):
        self.run(settled())
        waiting = {task for task in self.tasks if not task.done()}
        assert waiting <= set(self.newest.values())

    @invariant()
    def every_suggestion_was_written_for_the_place_that_it_is_at(self):
        assert self.wrong == []

    def teardown(self):
        """Whoever still waits is answered once the model has ended."""
        for _ in range(50):
            if all(task.done() for task in self.tasks):
                break
            self.run(self._deliver(Finish(FinishReason.EOT)))
            self.run(asyncio.sleep(2.0))
        self.loop.close()
        assert all(task.done() for task in self.tasks)
        assert self.wrong == []

    # --- inside -----------------------------------------------------------------------------------------

    def text(self, uri: str) -> str:
        return self.bench.documents.snapshot(uri).text

    async def _edit(self, uri: str, back: int, text: str) -> None:
        before, end = self.text(uri), self.cursor[uri]
        after = before[: end - back] + text + before[end:]
        self.cursor[uri] = end - back + len(text)
        self.bench.version += 1
        documents = self.bench.documents
        snapshot = documents.change(uri, self.bench.version, [Edit(None, after)], Encoding.UTF_16)
        self.bench.service.document_changed(snapshot)
        await settled()

    async def _ask(self, uri: str, trigger: Trigger, candidates: int) -> None:
        work = self.bench.ask(self.cursor[uri], uri, trigger=trigger, candidates=candidates)
        task = self.newest[uri] = work
        self.tasks[task] = uri
        asked = self.text(uri)[: self.cursor[uri]], self.text(uri)[self.cursor[uri] :]
        task.add_done_callback(lambda _: self._judge(task, uri, *asked))
        await settled()

    async def _deliver(self, event) -> None:
        """To the call whose turn it is, as the worker would choose it, once the debounce is over."""
        await asyncio.sleep(0.05)
        for asked in self.bench.host.asked[len(self.calls) :]:
            for earlier, _ in self.calls:
                if earlier.lane is Lane.AHEAD:
                    earlier.token.cancel(CancelReason.SUPERSEDED)
            self.calls.append((asked, []))
        self.open = [call for call in self.calls if not getattr(call[0], "over", False)]
        for asked, _ in self.open:
            if asked.token.cancelled:
                asked.over = True
                asked.deliver(Finish(FinishReason.CANCELLED))
        turn = next((call for call in self.open if not call[0].token.cancelled), None)
        if turn is not None:
            turn[0].deliver(event)
            if isinstance(event, Chunk):
                turn[1].append(event.text)
            else:
                turn[0].over = True
        await settled()

    def _judge(self, task: asyncio.Task, uri: str, before: str, after: str) -> None:
        """An answer to a request between `before` and `after` leaves: is it one for the document as it
        is now?"""
        if task.cancelled():
            return
        if task.exception():  # nothing that a callback raises would be seen
            self.wrong.append(repr(task.exception()))
            return
        text = self.text(uri)
        if task.result().superseded and text == before + after and self.newest[uri] is task:
            self.wrong.append("given up although nothing has changed")
        for suggestion in task.result().suggestions:
            front, behind = text[: suggestion.offset], text[suggestion.offset :]
            if suggestion.replace or behind != after or not front.startswith(before):
                self.wrong.append(f"asked between {before!r} and {after!r}, not {front!r} and {behind!r}")
            if not any(_wrote(*call, uri, front, suggestion.text, behind) for call in self.calls):
                self.wrong.append(f"nobody wrote {suggestion.text!r} between {front!r} and {behind!r}")


def _wrote(asked: Asked, pieces: list[str], uri: str, front: str, text: str, behind: str) -> bool:
    request = asked.request
    here = request.path == uri and front.startswith(request.prefix)
    same_suffix = suffix_head(request.suffix, 0) == suffix_head(behind, 0)
    return here and same_suffix and request.prefix + "".join(pieces) == front + text


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = hypothesis_settings(max_examples=200, stateful_step_count=40, deadline=None)
