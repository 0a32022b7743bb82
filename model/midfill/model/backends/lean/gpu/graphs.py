"""Steps of fixed shape as CUDA graphs: recorded once for each extent and row count, then replayed.

A step's few hundred kernels cost the host 6–20 ms to launch one by one and well under one as a graph. Owns
when to record and what to do when that fails; knows nothing of what a step computes.
"""

import logging
from collections.abc import Callable, Generator
from typing import Any

import torch

from midfill.model.backends.lean.gpu.forward import Forward, Scored
from midfill.model.backends.lean.gpu.store import MAX_ROWS, STEP_TOKENS, StaticPast

log = logging.getLogger(__name__)

ROW_COUNTS = (1, MAX_ROWS)
"""Shapes of a step: one token, or guesses to be verified. What lies between is filled up: reading the
weights is what takes the time, however few rows they are for."""

Run = Callable[[], Scored]
Capture = Callable[[Run], Run]


class CudaCapture:
    """Records what a function launches. All recordings share one pool of memory: what a step leaves is read
    before the next one runs, of whichever stream of tokens."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: Any = None

    def __call__(self, run: Run) -> Run:
        """`run`, recorded; called once before, for libraries to set themselves up. Raises RuntimeError."""
        with torch.cuda.device(self._device):
            if self._pool is None:
                self._pool = torch.cuda.graph_pool_handle()
            aside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                run()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            # Other threads may use CUDA meanwhile; this one does nothing but what is recorded.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                scored = run()

        def replay() -> Scored:
            graph.replay()
            return scored

        return replay


class Steps:
    """Runs steps, captured where `capture` is given (None: eagerly)."""

    def __init__(self, forward: Forward, capture: Capture | None) -> None:
        self._forward = forward
        self._capture = capture

    @property
    def captures(self) -> bool:
        """Whether steps are recorded; False from the first recording that failed on."""
        return self._capture is not None

    def __call__(self, past: StaticPast, ids: torch.Tensor) -> Scored:
        """`ids` [n], at most MAX_ROWS, behind what `past` holds. The scores are those of the n alone."""
        rows = row_count(len(ids))
        past.reserve(rows)
        past.ids[: len(ids)].copy_(ids)
        past.begin.fill_(past.length)
        scored = self._step_for(past, past.extent(rows), rows)()
        past.length += len(ids)
        return Scored(scored.logits[:, : len(ids)], scored.picked[:, : len(ids)])

    def warm_up(self, past: StaticPast) -> Generator[float, None, None]:
        """Record every step that the first bucket of an empty `past` can come to: one for each `next()`,
        which returns the share that is done."""
        with torch.inference_mode():
            past.reserve(MAX_ROWS)
        if not self.captures:
            return
        ends = {_extent_at(past, length) for length in range(0, past.capacity - MAX_ROWS, STEP_TOKENS)}
        wanted = [(extent, rows) for extent in sorted(ends) for rows in ROW_COUNTS]
        for done, (extent, rows) in enumerate(wanted):
            with torch.inference_mode():
                past.begin.fill_(extent - rows)  # what this writes lies behind the length, and is masked
                self._step_for(past, extent, rows)
            yield (done + 1) / len(wanted)

    def _step_for(self, past: StaticPast, extent: int, rows: int) -> Run:
        def run() -> Scored:
            return self._forward.step(past, extent, rows)

        if self._capture is None:
            return run
        known: Any = past.captured.get((extent, rows))
        if known is None:
            known = past.captured[extent, rows] = self._record(run)
        recorded: Run = known
        return recorded

    def _record(self, run: Run) -> Run:
        assert self._capture is not None
        try:
            return self._capture(run)
        except torch.OutOfMemoryError:
            return run  # there may be room for the next one
        except RuntimeError as error:
            log.warning("decoding without CUDA graphs, slower: %s", str(error).partition("\n")[0])
            self._capture = None
            return run


def row_count(n: int) -> int:
    """The shape that serves `n` rows. Raises ValueError for more than there is."""
    for rows in ROW_COUNTS:
        if n <= rows:
            return rows
    raise ValueError(f"{n} rows are more than a step has")


def _extent_at(past: StaticPast, length: int) -> int:
    held, past.length = past.length, length
    try:
        return past.extent(MAX_ROWS)
    finally:
        past.length = held
