"""One forward pass: over one stream of tokens, or over several side by side. Alone touches the device.

Knows no jobs and no sampling. Several streams in one pass cost little more than one: at few rows a pass
waits for the weights (continuous batching: Orca, OSDI 2022, section 4.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.memory import is_out_of_memory
from midfill.model.errors import GenerationError, ModelError, OutOfMemory

Row = torch.Tensor | tuple[int, float]
"""What a pass says behind a token: logits [vocabulary] on the CPU, float32; or the likeliest token and its
log-probability."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Of one pass, what goes in behind what `cache` holds; each of the last `rows` ids gives a row."""

    cache: TokenCache
    ids: Sequence[int]
    rows: int = 1


class Passes:
    """The forward passes of one model. Inference mode belongs to the thread, and a suspended generator must
    not leave it switched on: it is entered and left here."""

    def __init__(self, model: Any, device: torch.device) -> None:
        self._model, self._device = model, device
        self.can_batch = hasattr(model, "batch")
        """Whether several streams may go through one pass."""

    def run(self, *feeds: Feed, likeliest: bool = False) -> list[list[Row]]:
        """The rows of each of `feeds`: logits, or, where the `likeliest` token is all that is wanted and
        the model picks it, that. Of several, every id gives a row.

        Raises OutOfMemory and GenerationError; all caches are then as before, but out of memory the first
        one, whose pass it was, is empty.
        """
        try:
            with torch.inference_mode():
                found = self._forward(feeds, likeliest)
        except Exception as error:
            for feed in feeds:
                feed.cache.settle()
            raise _as_model_error(error, feeds[0].cache) from error
        for feed in feeds:
            feed.cache.tokens += feed.ids
        return found

    def _forward(self, feeds: Sequence[Feed], likeliest: bool) -> list[list[Row]]:
        ids = [token for feed in feeds for token in feed.ids]
        past, rows = feeds[0].cache.past, feeds[0].rows
        if len(feeds) > 1:
            assert all(feed.rows == len(feed.ids) for feed in feeds), "the model keeps the last rows of all"
            past, rows = self._model.batch([(each.cache.past, each.rows) for each in feeds]), len(ids)
        batch = torch.tensor([ids], device=self._device)
        out = self._model(input_ids=batch, past_key_values=past, use_cache=True, logits_to_keep=rows)
        # Either waits: a pass must be over here.
        picks = likeliest and hasattr(out, "picks")
        found: list[Row] = list(out.picks()) if picks else list(out.logits[0].float().cpu())
        each_rows, at = [], 0
        for feed in feeds:
            each_rows.append(found[at : at + feed.rows])
            at += feed.rows
        return each_rows


def _as_model_error(error: Exception, cache: TokenCache) -> ModelError:
    if is_out_of_memory(error):
        cache.drop()
        return OutOfMemory("not enough memory for this request; the model stays loaded")
    return GenerationError(f"a forward pass failed ({type(error).__name__})")
