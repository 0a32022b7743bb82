"""Cody's policy with a local model (sourcegraph/cody dced3c1, vscode/src/completions; pipeline.md §2).

Silence by line, then the last candidate, then the cache, then the debounce; one request, given up when the
line changes, else read on for the statements after the one that is shown (a hot streak). Left out: the
fuzzy part of the cache's key; statements end by their indentation, not by a syntax tree.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.replay.policies.writing import Writing, place, place_after, reply, request_at
from benchmarks.replay.policy import Reply
from benchmarks.replay.prompts import Window
from midfill.model import is_opener
from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.request import next_line
from midfill.server.documents import DocumentStore
from midfill.server.text import DocumentSnapshot

DEBOUNCE_S = 0.125
"""Of local models, both parts."""
WINDOW = Window(prefix_tokens=10_000, suffix_tokens=100, prefix_chars=10_000, suffix_chars=100)
"""contextSizeHints of experimental-ollama: characters; no fewer tokens than these have."""
MAX_TOKENS = 256
KEY_LINES = 5
"""Lines above the cursor in a cache key."""
STREAK_LINES = 5
"""Read on for so many lines at most, and never past a blank one (stop sequence)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was shown last."""

    prefix: str
    below: str
    text: str


class Cody:
    def __init__(self, documents: DocumentStore, host: Any) -> None:
        self._host = host
        self._latest: object = None
        self._last: Candidate | None = None
        self._length = 0
        self._accepted_line = False
        self._cache: dict[tuple[str, str], str] = {}
        self._running: Writing | None = None

    def opened(self, snapshot: DocumentSnapshot) -> None:
        self._length = len(snapshot.text)

    def changed(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """Whether this was Tab on a single line: nothing is suggested right behind it."""
        grown, self._length = len(snapshot.text) - self._length, len(snapshot.text)
        last = self._last
        inserted = snapshot.text[max(0, offset - grown) : offset]
        self._accepted_line = (
            last is not None and grown > 1 and last.text == inserted and "\n" not in inserted
        )

    async def complete(self, snapshot: DocumentSnapshot, offset: int) -> Reply:
        mine = self._latest = object()
        context = place(snapshot, offset)
        if reason := _silence(context) or ("accepted" if self._accepted_line else ""):
            return Reply(reason=reason)
        if rest := self._typed_on(context) or self._cache.get(_key(context), ""):
            self._last = Candidate(context.prefix, next_line(context), rest)
            return Reply(rest, offset)
        if self._running is not None:
            self._running.stop()  # the line before the cursor is another one now
        await asyncio.sleep(DEBOUNCE_S)
        if self._latest is not mine:
            return Reply(superseded=True)
        text = await self._written(context)
        if self._latest is not mine:
            return Reply(superseded=True)
        answer = reply(text, context)
        if answer.text:
            self._last = Candidate(context.prefix, next_line(context), answer.text)
            self._cache[_key(context)] = answer.text
        return answer

    def closed(self, uri: str) -> None: ...

    def _typed_on(self, context: CursorContext) -> str:
        """What is left of the last candidate, if all that happened is that it was typed."""
        last = self._last
        if last is None or last.below != next_line(context) or not context.prefix.startswith(last.prefix):
            return ""
        typed = context.prefix[len(last.prefix) :]
        return last.text[len(typed) :] if last.text.startswith(typed) else ""

    async def _written(self, context: CursorContext) -> str:
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def read(writing: Writing) -> None:
            text, enough = first_statement(writing.text, context)
            if (enough or writing.finished) and not done.done():
                done.set_result(text)
            if enough:
                further = writing.text[len(text) :]
                self._remember_streak(context, text, further)
                if "\n\n" in further or further.count("\n") > STREAK_LINES:
                    writing.stop()

        # Read past the block's end: `first_statement` finds it.
        request = request_at(context, MAX_TOKENS)
        request = replace(request, stop=replace(request.stop, line_before=""))
        self._running = Writing(self._host, request, read)
        return await done

    def _remember_streak(self, context: CursorContext, shown: str, further: str) -> None:
        """Each complete line of `further`, where the cursor is once all before it is accepted and Enter was
        pressed: the editor indents."""
        written = shown
        for line in further.split("\n")[1:-1]:
            text = line.lstrip()
            written += "\n" + line[: len(line) - len(text)]
            self._cache[_key(place_after(context, written))] = text.rstrip()
            written += text


def _silence(context: CursorContext) -> str:
    """shouldCancelBasedOnCurrentLine."""
    if re.search(r"\w", context.line_after):
        return "in-line"
    if context.line_before.rstrip().endswith((")", ";", "]", "}")):
        return "line-ended"
    return "last-line" if not context.suffix and not context.line_before else ""


def first_statement(text: str, context: CursorContext) -> tuple[str, bool]:
    """What of `text` is shown, and whether that is all: one line, unless it opens a block, or the cursor's
    own did; then all that is indented deeper, and the line that closes it (dynamic multiline).
    """
    first, *rest = text.split("\n")
    head = context.line_before + first
    if not is_opener(head):
        return first, bool(rest)
    for count, line in enumerate(rest[:-1], 1):  # the last is not complete yet
        if line.strip() and _indent(line) <= _indent(head):
            closes = line.strip()[0] in ")]}"
            return "\n".join([first, *rest[: count - (not closes)]]), True
    return text, False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _key(context: CursorContext) -> tuple[str, str]:
    """All of the prefix but what is far above; an exact key: see the module."""
    return "\n".join(context.prefix.split("\n")[-1 - KEY_LINES :]), next_line(context)
