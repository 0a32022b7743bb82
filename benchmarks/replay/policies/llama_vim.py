"""llama.vim's policy on llama-server (ggml-org/llama.vim a1c8e6e, ae3cb00; pipeline.md §4).

No debounce: a hint out of the cache at once, one request at a time, and a speculative one behind every
hint. Left out: chunks of other files (none are open). A line of blanks is asked from the cursor, not from
its start.
"""

import asyncio
from typing import Any

from benchmarks.replay.ledger import KEY
from benchmarks.replay.policies.writing import Writing, place, place_after, reply, request_at
from benchmarks.replay.policy import Reply
from benchmarks.replay.prompts import Window
from midfill.server.completion.cursor import CursorContext
from midfill.server.documents import DocumentStore
from midfill.server.text import DocumentSnapshot

BUSY_RETRY_S = 0.100
MAX_TOKENS = 128
FIRST_S, SPECULATIVE_S = 0.250, 1.0
"""t_max_predict_ms: so long after the first token, the next line end is the last."""
MAX_LINE_SUFFIX = 8
LOOK_BACK_CHARS = 128
BATCH = 1024
"""--batch of llama.vim's recommended settings; prefix and suffix share it 3 : 1 (`format_infill`)."""
WINDOW = Window(
    prefix_tokens=3 * BATCH // 4,
    suffix_tokens=BATCH // 4,
    prefix_lines=256,
    suffix_lines=64,
    least_chunk=256,
)
"""n_prefix, n_suffix, and --cache-reuse 256."""


class LlamaVim:
    def __init__(self, documents: DocumentStore, host: Any) -> None:
        self._host = host
        self._now: CursorContext | None = None
        self._cache: dict[tuple[str, str], str] = {}
        self._job: Writing | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[Reply] | None = None

    def opened(self, snapshot: DocumentSnapshot) -> None: ...

    def changed(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """The hint is taken away; whoever waited for one waits in vain."""
        self._settle(Reply(superseded=True))

    async def complete(self, snapshot: DocumentSnapshot, offset: int) -> Reply:
        context = self._now = place(snapshot, offset)
        hint = self._hint(context)
        if hint.text:
            KEY.set(-1)  # what is asked from here on is not what this key is answered with
            self._fim(context, hint.text)
        if len(context.line_after) > MAX_LINE_SUFFIX:
            return hint if hint.text else Reply(reason="line-suffix")
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        self._fim(context, "")
        return hint if hint.text else await waiter

    def closed(self, uri: str) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _hint(self, context: CursorContext) -> Reply:
        """From the cache: the longest rest of what was written here or up to 128 characters before."""
        best = ""
        for back in range(min(LOOK_BACK_CHARS, len(context.prefix)) + 1):
            start = len(context.prefix) - back
            known = self._cache.get((context.prefix[:start], context.suffix), "")
            if known.startswith(context.prefix[start:]) and len(known) - back > len(best):
                best = known[back:]
            if back == 0 and known:
                break
        return reply(best, context) if best else Reply(reason="empty")

    def _fim(self, context: CursorContext, accepted: str) -> None:
        """Ask for what follows `context`, as if `accepted` stood there; later if something is under way."""
        if self._job is not None:
            if self._timer is not None:
                self._timer.cancel()
            again = self._retry if not accepted else lambda: self._fim(context, accepted)
            self._timer = asyncio.get_running_loop().call_later(BUSY_RETRY_S, again)
            return
        if accepted:
            context = place_after(context, accepted)
        key = (context.prefix, context.suffix)
        if key in self._cache:
            self._settle_here()
            return
        limit = SPECULATIVE_S if accepted else FIRST_S

        def read(writing: Writing) -> None:
            loop = asyncio.get_running_loop()
            if writing.tokens and not began:
                began.append(loop.time())
            late = bool(began) and loop.time() - began[0] > limit
            if late and writing.text.count("\n") > lines[0]:
                writing.stop()
            lines[0] = writing.text.count("\n")
            if writing.finished:
                self._job, self._cache[key] = None, writing.text
                self._settle_here()

        began: list[float] = []
        lines = [0]
        self._job = Writing(self._host, request_at(context, MAX_TOKENS), read)

    def _retry(self) -> None:
        """The timer asks for where the cursor is by then."""
        if self._now is not None:
            self._fim(self._now, "")

    def _settle_here(self) -> None:
        """A job has ended: is it a hint for where the cursor is now?"""
        if self._waiter is None or self._waiter.done() or self._now is None:
            return
        hint = self._hint(self._now)
        if hint.text:
            self._settle(hint)
            self._fim(self._now, hint.text)
        elif (self._now.prefix, self._now.suffix) in self._cache:
            self._settle(hint)

    def _settle(self, answer: Reply) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)
