"""One answer: what the loop is asked for, how far it has come, and what each token adds to the text.

Knows no model and no cache: token ids and log-probabilities in, chunks of text out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from midfill.model.api import Chunk, Finish, FinishReason, Usage
from midfill.model.stops import StopScanner
from midfill.model.tokens import StreamDecoder
from midfill.model.trie import Constraint


class Drafter(Protocol):
    """Guesses the next tokens from text that is there already; the loop verifies them."""

    def draft(self, room: int, rows: int, streams: int = 1) -> Sequence[int]:
        """What may come next: at most `room` ids, none where trying does not pay. The pass that verifies
        them computes `rows` others as well, and gives each of `streams` a token."""
        ...

    def saw(self, token: int, text: str) -> None:
        """`token` came next, and completed `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to write after `prompt`."""

    prompt: Sequence[int]
    max_new_tokens: int
    stop_ids: frozenset[int]
    scanner: StopScanner | None = None
    temperature: float = 0.0
    prefill_only: bool = False
    constraint: Constraint | None = None
    """Which tokens the answer may begin with, or consist of."""
    hidden_bytes: int = 0
    """How much of the answer's beginning is text that stands before the cursor: it never goes out."""
    space_first: bool = False
    """Whether a space that the answer may begin with is none of its text."""
    snippets: int = 0
    """How many of the request's are in the prompt: for `Usage`."""
    drafter: Drafter | None = None
    """Asked only for greedy answers: what is sampled cannot be compared with a guess."""
    background: bool = False
    """Nobody types against it: its blocks are small, so that who does type has the device soon, and its
    steps may be part of other streams' passes."""


@dataclass(slots=True)
class Progress:
    """How far the answer to `job` has come."""

    job: Job
    limit: int
    """Tokens the answer may have."""
    decoder: StreamDecoder
    constraint: Constraint | None = None
    """What holds for the next token."""
    reused: int = 0
    generated: int = 0
    drafted: int = 0
    accepted: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    reason: FinishReason | None = None
    """Why the answer has ended, once it has."""
    _text: str = ""
    _waiting: list[float] = field(default_factory=list)
    """Log-probabilities of tokens whose text has not gone out yet."""

    def draft(self, rows: int, streams: int = 1) -> list[int]:
        """Guesses to verify in the next pass, which computes `rows` others as well, for so many `streams`.
        None while something else decides what comes next."""
        job, room = self.job, self.limit - self.generated - 1
        if job.drafter is None or job.temperature > 0 or self.constraint or room <= 0:
            return []
        return list(job.drafter.draft(room, rows, streams))[:room]

    def add(self, token: int, logprob: float) -> None:
        """`token` came next. Sets `reason` where the answer ends with it."""
        scanner = self.job.scanner
        self.constraint = self.constraint.after(token) if self.constraint else None
        if token in self.job.stop_ids:
            self._text += scanner.finish() if scanner else ""
            self.reason = FinishReason.EOT
            return
        self.generated += 1
        if not self.decoder.hides(token):
            self._waiting.append(logprob)
        text, stopped = self.decoder.feed(token), False
        if self.job.drafter:
            self.job.drafter.saw(token, text)
        if scanner:
            text, stopped = scanner.feed(text)
        self._text += text
        if stopped:
            self.reason = FinishReason.STOP
        elif self.generated >= self.limit:
            self._text += scanner.finish() if scanner else ""
            self.reason = FinishReason.LENGTH

    def chunk(self) -> Chunk:
        """The text since the last chunk, with the log-probabilities of all tokens since the last text."""
        if not self._text:
            return Chunk()
        chunk = Chunk(self._text, tuple(self._waiting))
        self._text, self._waiting = "", []
        return chunk

    def finish(self) -> Finish:
        """The last event. Without a reason of its own, the answer has come to its length."""
        usage = Usage(
            prompt_tokens=len(self.job.prompt),
            reused_tokens=self.reused,
            generated_tokens=self.generated,
            prefill_ms=self.prefill_s * 1000,
            decode_ms=self.decode_s * 1000,
            drafted_tokens=self.drafted,
            accepted_tokens=self.accepted,
            snippets=self.job.snippets,
        )
        rules = tuple(self.job.scanner.fired) if self.job.scanner else ()
        return Finish(self.reason or FinishReason.LENGTH, usage, rules=rules)


def begin(job: Job, context_tokens: int, token_bytes: Callable[[int], bytes]) -> Progress:
    """Nothing done yet. Prompt and answer together stay within `context_tokens`."""
    limit = min(job.max_new_tokens, context_tokens - len(job.prompt))
    decoder = StreamDecoder(token_bytes, job.hidden_bytes, job.space_first)
    return Progress(job, limit, decoder, job.constraint)
