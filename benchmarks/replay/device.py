"""The scripted model on the event loop: lanes, one pass at a time, each as long as its tokens cost.

Plays the part of the worker's thread, with the worker's own `Lanes`, so that order and time are the same on
every run. For a service it is the `ModelHost`.
"""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass

from benchmarks.replay.costs import BLOCK_TOKENS, DECODE_MS, PREFILL_MS
from benchmarks.replay.pieces import split
from benchmarks.replay.prompts import CONTEXT_TOKENS, Asked, Prompter
from benchmarks.replay.script import WRONG_SHARE, Script
from midfill.model import CancelToken, Chunk, Event, FimRequest, Finish, FinishReason, Lane, Usage
from midfill.model.lanes import Deliver, Lanes, Ticket
from midfill.model.stops import StopScanner

LOGPROBS = (-WRONG_SHARE,)
"""Of every token: about ln(1 − WRONG_SHARE). The model knows how good it is, and not where it errs."""

Passes = Generator[tuple[float, Event], None, None]
"""Seconds on the device, and what they yield, pass by pass."""


class Device:
    """One model for one passage."""

    silence = ""
    info = None
    context_tokens = CONTEXT_TOKENS

    def __init__(self, script: Script, prompts: Prompter) -> None:
        self._script = script
        self._prompts = prompts
        self._lanes = Lanes()
        self._loop = asyncio.get_running_loop()
        self._passes: dict[Ticket, Passes] = {}
        self._wake = asyncio.Event()
        self._serving = self._loop.create_task(self._serve())

    def submit(self, request: FimRequest, token: CancelToken, deliver: Deliver, lane: Lane) -> None:
        self._lanes.put(Ticket(request, lane, token, deliver, self._loop.time()))
        self._wake.set()

    def began_waiting(self) -> None:
        """No status bar here."""

    stopped_waiting = began_waiting

    async def close(self) -> None:
        self._serving.cancel()
        await asyncio.wait([self._serving])

    async def _serve(self) -> None:
        while True:
            ticket = self._lanes.first(self._loop.time())
            if ticket is None:
                self._wake.clear()
                await self._wake.wait()
            elif ticket.token.cancelled:
                self._end(ticket, Finish(FinishReason.CANCELLED, message=str(ticket.token.reason)))
            else:
                seconds, event = next(self._stream(ticket))
                await asyncio.sleep(seconds)
                if isinstance(event, Finish):
                    self._end(ticket, event)
                else:
                    ticket.deliver(event)

    def _stream(self, ticket: Ticket) -> Passes:
        if ticket not in self._passes:
            assert isinstance(ticket.request, FimRequest)
            work = Work(ticket.request, self._script, self._prompts)
            self._passes[ticket] = work.passes()
        return self._passes[ticket]

    def _end(self, ticket: Ticket, finish: Finish) -> None:
        self._lanes.drop(ticket)
        if stream := self._passes.pop(ticket, None):
            stream.close()  # which says what the cache holds
        ticket.deliver(finish)


@dataclass
class Work:
    """One request on the device."""

    request: FimRequest
    script: Script
    prompts: Prompter
    prefilled: int = 0
    written: str = ""

    def passes(self) -> Passes:
        """Each pass as it is made; what was made by then is in the cache when the iterator is closed."""
        asked = self.prompts.ask(self.request)
        self.prefilled = len(asked.ids) - asked.fresh
        try:
            yield from self._prefill(asked)
            if not self.request.prefill_only:
                yield from self._decode(asked)
        finally:
            self.prompts.keep(asked, self.prefilled, self.written)

    def _prefill(self, asked: Asked) -> Passes:
        """All of the prompt, or all but its last block, whose logits are the first token."""
        held_back = 0 if self.request.prefill_only else BLOCK_TOKENS
        while (rest := len(asked.ids) - self.prefilled) > held_back:
            block = min(rest, BLOCK_TOKENS)
            self.prefilled += block
            yield block * PREFILL_MS / 1000, Chunk()
        if self.request.prefill_only:
            yield 0.0, Finish(FinishReason.LENGTH)

    def _decode(self, asked: Asked) -> Passes:
        scanner = StopScanner(self.request.stop)
        healed = max(0, len(split(asked.hidden)) - 1)  # the last of them comes with the first new token
        ms = (len(asked.ids) - self.prefilled) * PREFILL_MS + healed * DECODE_MS
        count = 0
        for piece in self.script.pieces(self.request.prefix):
            text, stopped = scanner.feed(piece)
            self.prefilled, self.written, count = len(asked.ids), self.written + piece, count + 1
            yield ms / 1000, Chunk(text, LOGPROBS)
            ms = DECODE_MS
            if stopped or count == self.request.max_new_tokens:
                reason = FinishReason.STOP if stopped else FinishReason.LENGTH
                break
        else:
            reason = FinishReason.EOT
            self.prefilled = len(asked.ids)
            yield ms / 1000, Chunk()
        if tail := scanner.finish():
            yield 0.0, Chunk(tail)
        usage = Usage(len(asked.ids), asked.reused, count)
        yield 0.0, Finish(reason, usage)
