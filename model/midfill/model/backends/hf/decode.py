"""The loop: prefill in blocks, then a step at a time, each verifying guesses along with its own token.

Token ids in, chunks of text out. Owns the sampling, and which streams go through a pass together. Knows no
prompt format (see `backend.py`), nor where guesses come from. transformers' `generate()` is not used: it
cannot be suspended, and corrupts reused caches silently (inference.md §3.2).
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import isnan
from time import perf_counter

import torch

from midfill.model.api import Chunk, Event
from midfill.model.backends.hf.job import Job, Progress, begin
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.passes import Feed, Passes, Row
from midfill.model.errors import GenerationError
from midfill.model.trie import Constraint

CPU_BLOCK_TOKENS = 128
"""A cancelled prefill ends within one block: 0.2–0.6 s on 2 cores for 0.5B (measured: 224–615 tok/s)."""
CPU_BACKGROUND_TOKENS = 48
"""A completion that comes meanwhile waits for one block: 118 ms at most instead of 286, for 9 % of the
speed (0.5B, one thread: 379, 406, 417 and 447 tok/s in blocks of 32, 48, 64 and 128)."""
GPU_BLOCK_TOKENS = 512


@dataclass(slots=True, eq=False)
class _Stream:
    """One that decodes, between two of its steps."""

    cache: TokenCache
    owner: object
    """Of the cache, as long as that is this stream's."""
    job: Job
    progress: Progress
    fed: Sequence[int]
    """What its next pass begins with."""
    draft: Sequence[int] = ()
    rows: Sequence[Row] = ()
    """What another stream's pass has found for it already, behind the last of `fed` and each of `draft`."""
    owed_s: float = 0.0
    """Its share of passes that others waited for, less theirs of its own."""

    def waits(self) -> bool:
        """Whether its next step needs a pass."""
        return not self.rows and self.progress.reason is None and self.cache.owner is self.owner


class DecodeLoop:
    """Runs jobs on one model, at most one forward pass for each `next()`.

    `model(ids, past, ...)` is a transformers causal LM; `token_bytes` says what a token adds to the text.
    At most one stream runs on a cache at a time: a second one takes the cache over, and the first, if it
    is resumed, raises GenerationError. Streams of background jobs go through each other's passes where the
    model can: whoever is resumed first computes for all, and the others find their rows there.

    A guess is accepted when it is the argmax of the pass over it. So a greedy answer has the same tokens
    with guesses as without, and alone as beside others, wherever a pass over several rows computes what
    passes over one do: in float32, up to ties. Quantised kernels of torch round differently for each number
    of rows: the pass decides.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        token_bytes: Callable[[int], bytes],
        context_tokens: int,
        block_tokens: int = 0,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        # Of what goes in: a model that is spread over several devices has weights on none that is real.
        self.device = device or next(model.parameters()).device
        on_cpu = self.device.type == "cpu"
        self.block_tokens = block_tokens or (CPU_BLOCK_TOKENS if on_cpu else GPU_BLOCK_TOKENS)
        self._background_tokens = min(
            self.block_tokens, CPU_BACKGROUND_TOKENS if on_cpu else GPU_BLOCK_TOKENS
        )
        self._passes = Passes(model, self.device)
        self._sharing: list[_Stream] = []
        """Those that other streams' passes may take along."""
        self._token_bytes = token_bytes
        self._context_tokens = context_tokens
        self._random = torch.Generator().manual_seed(seed)

    def stream(self, cache: TokenCache, job: Job) -> Generator[Event, None, None]:
        """Write the answer to `job`, reusing and leaving behind what `cache` holds.

        Raises OutOfMemory and GenerationError; the cache is right again afterwards.
        """
        if not job.prompt or len(job.prompt) >= self._context_tokens:
            raise GenerationError(
                f"a prompt of {len(job.prompt)} tokens does not fit a context of {self._context_tokens}"
            )
        mine = cache.owner = object()
        progress = begin(job, self._context_tokens, self._token_bytes)
        if job.prefill_only and cache.holds(job.prompt):
            progress.reused = len(job.prompt)
        else:
            with closing(self._steps(cache, job, progress)) as steps:
                for event in steps:
                    yield event
                    if cache.owner is not mine:
                        raise GenerationError("another stream has taken this one's cache over")
        yield progress.finish()

    def seconds(self, cache: TokenCache, ids: Sequence[int]) -> float:
        """How long one pass over `ids` takes that verifies all of them. The cache stays as it is."""
        held, began = len(cache.tokens), perf_counter()
        self._passes.run(Feed(cache, ids, len(ids)))
        taken = perf_counter() - began
        cache.rewind(held)
        return taken

    def _steps(self, cache: TokenCache, job: Job, progress: Progress) -> Generator[Chunk, None, None]:
        began = perf_counter()
        progress.reused = cache.reuse(job.prompt)
        block_tokens = self._background_tokens if job.background else self.block_tokens
        last = len(job.prompt) - (0 if job.prefill_only else block_tokens)
        while len(cache.tokens) < last:
            block = job.prompt[len(cache.tokens) :][:block_tokens]
            self._passes.run(Feed(cache, block), likeliest=True)
            progress.prefill_s += perf_counter() - began
            yield Chunk()
            began = perf_counter()
        if job.prefill_only:
            return
        stream = _Stream(cache, cache.owner, job, progress, job.prompt[len(cache.tokens) :])
        self._step(stream)
        progress.prefill_s += perf_counter() - began
        try:
            if job.background and self._passes.can_batch:
                self._sharing.append(stream)
            yield progress.chunk()
            while progress.reason is None:
                began = perf_counter()
                self._step(stream)
                progress.decode_s += perf_counter() - began + stream.owed_s
                stream.owed_s = 0.0
                yield progress.chunk()
        finally:
            self._leave(stream)

    def _leave(self, stream: _Stream) -> None:
        """It takes no further step: what was guessed for it is not sure."""
        if stream in self._sharing:
            self._sharing.remove(stream)
        if stream.rows and stream.cache.owner is stream.owner:
            stream.cache.rewind(len(stream.cache.tokens) - len(stream.draft))

    def _step(self, stream: _Stream) -> None:
        """Take up what a pass says behind what was fed and guessed; what is sure last is fed next.

        Every guess but the first hangs on those before it, so the first wrong one ends what is known.
        """
        if not stream.rows:
            self._pass(stream)
        cache, job, progress = stream.cache, stream.job, stream.progress
        rows, stream.rows = stream.rows, ()
        sure = len(cache.tokens) - len(stream.draft)
        progress.drafted += len(stream.draft)
        for row, guess in zip(rows, [*stream.draft, None], strict=True):
            token, logprob = self._pick(cache, row, progress.constraint, job.temperature)
            progress.add(token, logprob)
            if token == guess:
                progress.accepted += 1
                sure += 1
            if token != guess or progress.reason is not None:
                break
        cache.rewind(sure)
        stream.fed = [token]

    def _pass(self, stream: _Stream) -> None:
        """One pass over what `stream` feeds, and over what the others feed that would need one next."""
        began, streams = perf_counter(), [stream]
        if stream in self._sharing:
            others = (each for each in self._sharing if each is not stream)
            streams += [each for each in others if each.waits()]
        rows = sum(len(each.fed) for each in streams)
        for each in streams:
            each.draft = each.progress.draft(rows, len(streams))
            rows += len(each.draft)
        feeds = [Feed(each.cache, [*each.fed, *each.draft], 1 + len(each.draft)) for each in streams]
        plain = [each.job.temperature <= 0 and each.progress.constraint is None for each in streams]
        for each, found in zip(streams, self._passes.run(*feeds, likeliest=all(plain)), strict=True):
            each.rows = found
        share = (perf_counter() - began) / len(streams)
        for each in streams[1:]:
            each.owed_s += share
            stream.owed_s -= share

    def _pick(
        self, cache: TokenCache, row: Row, constraint: Constraint | None, temperature: float
    ) -> tuple[int, float]:
        """The next token and its log-probability at temperature 1."""
        if isinstance(row, tuple):
            if isnan(row[1]):
                raise _not_a_number(cache)
            return row
        logits = _only(constraint, row) if constraint else row
        if temperature <= 0:
            token = int(logits.argmax())  # that of a NaN, if there is one
        else:
            weights = torch.softmax(logits / temperature, dim=-1)
            token = int(torch.multinomial(weights, 1, generator=self._random))
        logprob = float(logits[token] - logits.logsumexp(dim=-1))
        if isnan(logprob):
            raise _not_a_number(cache)
        return token, logprob


def _only(constraint: Constraint, logits: torch.Tensor) -> torch.Tensor:
    """Logits [vocabulary] with all but the allowed tokens at -inf. A log-probability is thereby the one
    among these: what it says of an answer is not lowered by what stands in the file already."""
    allowed = torch.frombuffer(constraint.allowed(), dtype=torch.int32)
    masked = torch.full_like(logits, -torch.inf)
    masked[allowed] = logits[allowed]
    return masked


def _not_a_number(cache: TokenCache) -> GenerationError:
    cache.drop()
    return GenerationError(
        "the model computed numbers that are none (NaN): its weights are damaged (get it again), or "
        "too large for their number format (set `dtype` to float32)"
    )
