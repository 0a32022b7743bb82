"""Continue's policy (continuedev/continue d0a3c0b, core/autocomplete; pipeline.md §1), on one local model.

Debounce, then cache, then the running generation if the text typed since agrees with it. Left out: snippets
(nothing but this file is open), which would cost prompt tokens, and the per-language character filters.
"""

import asyncio
from typing import Any

from benchmarks.replay.policies.writing import Writing, place, reply, request_at
from benchmarks.replay.policy import Reply
from benchmarks.replay.prompts import Window, top_cut
from midfill.server.completion.cursor import CursorContext
from midfill.server.documents import DocumentStore
from midfill.server.text import DocumentSnapshot

DEBOUNCE_S = 0.350
"""TabAutocompleteOptions.debounceDelay."""
PROMPT_TOKENS = 1024
WINDOW = Window(prefix_tokens=int(0.3 * PROMPT_TOKENS), suffix_tokens=int(0.2 * PROMPT_TOKENS))
"""maxPromptTokens, prefixPercentage, maxSuffixPercentage."""
SHOW_WHATEVER_S = 0.150
"""modelTimeout: after it, the first complete line is enough."""
HARD_STOP = 2.5
"""Times modelTimeout; looked at after every HARD_STOP_TOKENS."""
HARD_STOP_TOKENS = 10
MAX_TOKENS = 256
COMMENTS = {"python": "#", "javascript": "//"}
"""No further lines behind a comment."""


class Continue:
    def __init__(self, documents: DocumentStore, host: Any) -> None:
        self._host = host
        self._latest: object = None
        self._cache: dict[str, str] = {}
        self._running: Writing | None = None
        self._news = asyncio.Event()

    def opened(self, snapshot: DocumentSnapshot) -> None: ...

    def changed(self, snapshot: DocumentSnapshot, offset: int) -> None: ...

    async def complete(self, snapshot: DocumentSnapshot, offset: int) -> Reply:
        mine = self._latest = object()
        await asyncio.sleep(DEBOUNCE_S)
        if self._latest is not mine:
            await asyncio.Future()  # its timer was cleared: this promise is never settled
        context = place(snapshot, offset)
        pruned = top_cut(context.prefix, WINDOW)
        if known := self._cached(pruned):
            return Reply(known, offset)
        text = await self._generated(context, mine)
        if self._latest is not mine:
            return Reply(superseded=True)  # VS Code has cancelled it
        answer = reply(text, context)
        if answer.text:
            self._cache[pruned] = answer.text
        return answer

    def closed(self, uri: str) -> None: ...

    def _cached(self, prefix: str) -> str:
        """Of the longest cached beginning of `prefix` what is left to type, if it goes on so."""
        known = max((key for key in self._cache if prefix.startswith(key)), key=len, default=None)
        if known is None:
            return ""
        value, typed = self._cache[known], prefix[len(known) :]
        return value[len(typed) :] if value.startswith(typed) else ""

    async def _generated(self, context: CursorContext, mine: object) -> str:
        running, began = self._running, asyncio.get_running_loop().time()
        if running is None or not _goes_on(running, context.prefix):
            if running is not None:
                running.stop()
            self._news = asyncio.Event()
            running = self._running = Writing(self._host, request_at(context, MAX_TOKENS), self._wake)
        typed = len(context.prefix) - len(running.request.prefix)
        multiline = not context.line_before.lstrip().startswith(COMMENTS[context.snapshot.language])
        seen = 0
        while self._latest is mine:
            seconds = asyncio.get_running_loop().time() - began
            text, enough = _shown(running.text[typed:], multiline, seconds > SHOW_WHATEVER_S)
            if enough or running.finished:
                return text
            if running.tokens - seen >= HARD_STOP_TOKENS:
                seen = running.tokens
                if seconds > HARD_STOP * SHOW_WHATEVER_S:
                    running.stop()
                    return text
            self._news.clear()
            await self._news.wait()
        return ""

    def _wake(self, writing: Writing) -> None:
        if writing is self._running:
            self._news.set()


def _goes_on(running: Writing, prefix: str) -> bool:
    """GeneratorReuseManager: what was typed since is what is being written; not after a backspace."""
    whole = running.request.prefix + running.text
    return whole.startswith(prefix) and len(running.request.prefix) <= len(prefix)


def _shown(text: str, multiline: bool, late: bool) -> tuple[str, bool]:
    """What of `text` is shown, and whether that is all: one line, or up to a blank one, or the lines that
    are complete when it gets late.
    """
    lines = text.split("\n")
    if not multiline and len(lines) > 1:
        return lines[0], True
    blank = next((i for i, line in enumerate(lines[1:-1], 1) if not line.strip()), 0)
    if blank:
        return "\n".join(lines[:blank]), True
    complete = lines[:-1]
    return ("\n".join(complete), True) if late and any(map(str.strip, complete)) else (text, False)
