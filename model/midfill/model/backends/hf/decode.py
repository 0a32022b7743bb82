"""The loop: prefill in blocks, then a step at a time, each verifying guesses along with its own token.

Token ids in, chunks of text out. Owns the sampling. Knows no prompt format (see `backend.py`), nor where
guesses come from. transformers' `generate()` is not used: it cannot be suspended, and corrupts reused
caches silently (inference.md §3.2).
"""

from collections.abc import Callable, Generator, Sequence
from math import isnan
from time import perf_counter

import torch

from midfill.model.api import Chunk, Event
from midfill.model.backends.hf.job import Job, Progress, begin
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.memory import is_out_of_memory
from midfill.model.errors import GenerationError, ModelError, OutOfMemory
from midfill.model.trie import Constraint

CPU_BLOCK_TOKENS = 128
"""A cancelled prefill ends within one block: 0.2–0.6 s on 2 cores for 0.5B (measured: 224–615 tok/s)."""
GPU_BLOCK_TOKENS = 512

Row = torch.Tensor | tuple[int, float]
"""What a pass says behind a token: logits [vocabulary] on the CPU, float32; or the likeliest token and its
log-probability."""


class DecodeLoop:
    """Runs jobs on one model, one forward pass for each `next()`.

    `model(ids, past, ...)` is a transformers causal LM; `token_bytes` says what a token adds to the text.
    At most one stream runs on a cache at a time: a second one takes the cache over, and the first, if it
    is resumed, raises GenerationError.

    A guess is accepted when it is the argmax of the pass over it. So a greedy answer has the same tokens
    with guesses as without wherever a pass over several rows computes what passes over one do: in float32,
    up to ties. Quantised kernels round differently for each number of rows: the verifying pass decides.
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
        progress = begin(job, self._context_tokens, self._token_bytes)
        if job.prefill_only and cache.holds(job.prompt):
            progress.reused = len(job.prompt)
        else:
            for event in self._steps(cache, job, progress):
                yield event
                if cache.owner is not mine:
                    raise GenerationError("another stream has taken this one's cache over")
        yield progress.finish()

    def seconds(self, cache: TokenCache, ids: Sequence[int]) -> float:
        """How long one pass over `ids` takes that verifies all of them. The cache stays as it is."""
        held, began = len(cache.tokens), perf_counter()
        self._forward(cache, ids, len(ids))
        taken = perf_counter() - began
        cache.rewind(held)
        return taken

    def _steps(self, cache: TokenCache, job: Job, progress: Progress) -> Generator[Chunk, None, None]:
        began = perf_counter()
        progress.reused = cache.reuse(job.prompt)
        last = len(job.prompt) - (0 if job.prefill_only else self.block_tokens)
        while len(cache.tokens) < last:
            self._forward(cache, job.prompt[len(cache.tokens) :][: self.block_tokens], likeliest=True)
            progress.prefill_s += perf_counter() - began
            yield Chunk()
            began = perf_counter()
        if job.prefill_only:
            return
        fed = job.prompt[len(cache.tokens) :]
        while progress.reason is None:
            began = perf_counter()
            prefilling = len(cache.tokens) < len(job.prompt)
            fed = [self._step(cache, job, progress, fed)]
            seconds = perf_counter() - began
            if prefilling:
                progress.prefill_s += seconds
            else:
                progress.decode_s += seconds
            yield progress.chunk()

    def _step(self, cache: TokenCache, job: Job, progress: Progress, fed: Sequence[int]) -> int:
        """One pass over `fed` and guesses behind it. Returns the last token that is sure: it comes next.

        Every guess but the first hangs on those before it, so the first wrong one ends what is known.
        """
        draft = progress.draft(len(fed))
        likeliest = job.temperature <= 0 and progress.constraint is None
        rows = self._forward(cache, [*fed, *draft], 1 + len(draft), likeliest)
        sure = len(cache.tokens) - len(draft)
        progress.drafted += len(draft)
        for row, guess in zip(rows, [*draft, None], strict=True):
            token, logprob = self._pick(cache, row, progress.constraint, job.temperature)
            progress.add(token, logprob)
            if token == guess:
                progress.accepted += 1
                sure += 1
            if token != guess or progress.reason is not None:
                break
        cache.rewind(sure)
        return token

    def _forward(
        self, cache: TokenCache, ids: Sequence[int], rows: int = 1, likeliest: bool = False
    ) -> Sequence[Row]:
        """One forward pass over `ids` behind what `cache` holds: logits [vocabulary] of each of the last
        `rows`, or, where the `likeliest` token is all that is wanted and the model picks it, that.

        The only place that touches the device. Inference mode belongs to the thread, and a suspended
        generator must not leave it switched on: it is entered and left here.
        """
        try:
            with torch.inference_mode():
                batch = torch.tensor([list(ids)], device=self.device)
                out = self._model(
                    input_ids=batch, past_key_values=cache.past, use_cache=True, logits_to_keep=rows
                )
                # Either waits: a block must be over here.
                picks = likeliest and hasattr(out, "picks")
                found: Sequence[Row] = out.picks() if picks else list(out.logits[0].float().cpu())
        except Exception as error:
            cache.settle()
            raise _as_model_error(error, cache) from error
        cache.tokens += ids
        return found

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


def _as_model_error(error: Exception, cache: TokenCache) -> ModelError:
    if is_out_of_memory(error):
        cache.drop()
        return OutOfMemory("not enough memory for this request; the model stays loaded")
    return GenerationError(f"a forward pass failed ({type(error).__name__})")
