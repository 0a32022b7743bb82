"""The loop: prefill in blocks, then one token a step. Token ids in, chunks of text out.

Owns the KV caches and the sampling. Knows no prompt format: see `backend.py`. transformers' `generate()`
is not used: it cannot be suspended, and corrupts reused caches silently (inference.md §3.2).
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import torch

from midfill.model.api import Chunk, Event, Finish, FinishReason, Usage
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.errors import GenerationError, ModelError, OutOfMemory
from midfill.model.stops import StopScanner
from midfill.model.tokens import StreamDecoder
from midfill.model.trie import Constraint

CPU_BLOCK_TOKENS = 128
"""A cancelled prefill ends within one block: 0.2–0.6 s on 2 cores for 0.5B (measured: 224–615 tok/s)."""
GPU_BLOCK_TOKENS = 512


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
    """Which tokens the answer may begin with."""
    hidden_bytes: int = 0
    """How much of the answer's beginning is text that stands before the cursor: it never goes out."""


@dataclass(slots=True)
class _Tally:
    """What a stream has done so far."""

    reused: int = 0
    generated: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    waiting: list[float] = field(default_factory=list)
    """Log-probabilities of tokens whose text has not gone out yet."""


class DecodeLoop:
    """Runs jobs on one model, one forward pass for each `next()`.

    `model(ids, past, ...)` is a transformers causal LM; `token_bytes` says what a token adds to the text.
    At most one stream runs on a cache at a time: a second one takes the cache over, and the first, if it
    is resumed, raises GenerationError.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        token_bytes: Callable[[int], bytes],
        context_tokens: int,
        block_tokens: int = 0,
        seed: int = 0,
    ) -> None:
        self.device = next(model.parameters()).device
        self.block_tokens = block_tokens or (
            CPU_BLOCK_TOKENS if self.device.type == "cpu" else GPU_BLOCK_TOKENS
        )
        self._model = model
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
        tally = _Tally()
        if job.prefill_only and cache.holds(job.prompt):
            tally.reused = len(job.prompt)
        else:
            for event in self._steps(cache, job, tally):
                yield event
                if cache.owner is not mine:
                    raise GenerationError("another stream has taken this one's cache over")
                if isinstance(event, Finish):
                    return
        yield Finish(FinishReason.LENGTH, _usage(job, tally))

    def _steps(self, cache: TokenCache, job: Job, tally: _Tally) -> Generator[Event, None, None]:
        began = perf_counter()
        tally.reused = cache.reuse(job.prompt)
        last = len(job.prompt) - self.block_tokens
        while len(cache.tokens) < last:
            self._forward(cache, job.prompt[len(cache.tokens) :][: self.block_tokens])
            tally.prefill_s += perf_counter() - began
            yield Chunk()
            began = perf_counter()
        logits = self._forward(cache, job.prompt[len(cache.tokens) :])
        if job.prefill_only:
            tally.prefill_s += perf_counter() - began
            yield Chunk()
            return
        yield from self._decode(cache, job, tally, logits, began)

    def _decode(
        self, cache: TokenCache, job: Job, tally: _Tally, logits: torch.Tensor, began: float
    ) -> Generator[Event, None, None]:
        decoder = StreamDecoder(self._token_bytes, job.hidden_bytes)
        constraint = job.constraint
        limit = min(job.max_new_tokens, self._context_tokens - len(job.prompt))
        while True:
            if constraint:
                logits = _only(constraint, logits)
            token, logprob = self._pick(cache, logits, job.temperature)
            constraint = constraint.after(token) if constraint else None
            text, reason = _advance(job, decoder, tally, token, logprob, limit)
            seconds = perf_counter() - began
            if len(cache.tokens) == len(job.prompt):
                tally.prefill_s += seconds
            else:
                tally.decode_s += seconds
            yield _chunk(text, tally)
            if reason is not None:
                yield Finish(reason, _usage(job, tally))
                return
            began = perf_counter()
            logits = self._forward(cache, [token])

    def _forward(self, cache: TokenCache, ids: Sequence[int]) -> torch.Tensor:
        """One forward pass over `ids` behind what `cache` holds: logits [vocabulary] of the last one.

        The only place that touches the device. Inference mode belongs to the thread, and a suspended
        generator must not leave it switched on: it is entered and left here.
        """
        try:
            with torch.inference_mode():
                batch = torch.tensor([list(ids)], device=self.device)
                out = self._model(
                    input_ids=batch, past_key_values=cache.past, use_cache=True, logits_to_keep=1
                )
                logits: torch.Tensor = out.logits[0, -1].float().cpu()  # waits: a block must be over here
        except Exception as error:
            cache.settle()
            raise _as_model_error(error, cache) from error
        cache.tokens += ids
        return logits

    def _pick(self, cache: TokenCache, logits: torch.Tensor, temperature: float) -> tuple[int, float]:
        """The next token and its log-probability at temperature 1, from logits [vocabulary]."""
        logprobs = torch.log_softmax(logits, dim=-1)
        if bool(torch.isnan(logprobs).any()):
            cache.drop()
            raise GenerationError("the model computed numbers that are none (NaN)")
        if temperature <= 0:
            token = int(logits.argmax())
        else:
            weights = torch.softmax(logits / temperature, dim=-1)
            token = int(torch.multinomial(weights, 1, generator=self._random))
        return token, float(logprobs[token])


def _advance(
    job: Job, decoder: StreamDecoder, tally: _Tally, token: int, logprob: float, limit: int
) -> tuple[str, FinishReason | None]:
    """What `token` adds to the text, and why the answer ends with it, if it does."""
    scanner = job.scanner
    if token in job.stop_ids:
        return scanner.finish() if scanner else "", FinishReason.EOT
    tally.generated += 1
    if not decoder.hides(token):
        tally.waiting.append(logprob)
    text, stopped = decoder.feed(token), False
    if scanner:
        text, stopped = scanner.feed(text)
    if stopped:
        return text, FinishReason.STOP
    if tally.generated >= limit:
        return text + (scanner.finish() if scanner else ""), FinishReason.LENGTH
    return text, None


def _only(constraint: Constraint, logits: torch.Tensor) -> torch.Tensor:
    """Logits [vocabulary] with all but the allowed tokens at -inf. A log-probability is thereby the one
    among these: what it says of an answer is not lowered by what stands in the file already."""
    allowed = torch.frombuffer(constraint.allowed(), dtype=torch.int32)
    masked = torch.full_like(logits, -torch.inf)
    masked[allowed] = logits[allowed]
    return masked


def _chunk(text: str, tally: _Tally) -> Chunk:
    """`text` with the log-probabilities of all tokens since the last text."""
    if not text:
        return Chunk()
    logprobs, tally.waiting = tuple(tally.waiting), []
    return Chunk(text, logprobs)


def _usage(job: Job, tally: _Tally) -> Usage:
    return Usage(
        prompt_tokens=len(job.prompt),
        reused_tokens=tally.reused,
        generated_tokens=tally.generated,
        prefill_ms=tally.prefill_s * 1000,
        decode_ms=tally.decode_s * 1000,
    )


def _as_model_error(error: Exception, cache: TokenCache) -> ModelError:
    # On a CPU torch says so only in the text of a RuntimeError (c10/core/impl/alloc_cpu.cpp).
    no_memory = isinstance(error, torch.OutOfMemoryError | MemoryError)
    if no_memory or "DefaultCPUAllocator" in str(error):
        cache.drop()
        return OutOfMemory("not enough memory for this request; the model stays loaded")
    return GenerationError(f"a forward pass failed ({type(error).__name__})")
