"""This project's engine as a child of `engines.Child`: the decode loop on the default model, alone."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from benchmarks.alone import load_alone
from benchmarks.measure.engines import Timing, child_main

KEY_TOKENS = 8
"""Enough for healed tokens and one behind them."""


class Ours:
    """The backend that serves, and its loop for prompts in token ids."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._alone = load_alone(device="cpu", threads=asked.threads, context_tokens=asked.context)
        self._backend, self._loaded = self._alone.backend, self._alone.loaded
        self._cache = self._alone.new_cache()

    def run(self, prompt: Sequence[int], steps: int, keep: bool) -> Timing:
        """See `Engine.run`. Plain: no stop ends it, nothing is guessed."""
        from midfill.model.backends.hf.job import Job

        if not keep:
            self._cache = self._alone.new_cache()
        *_, finish = self._alone.loop.stream(self._cache, Job(prompt, steps + 1, frozenset()))
        return _timing(finish.usage)

    def key(self, prefix: str, suffix: str, fresh: bool) -> Timing:
        """Until the first text of a completion as it is served, healed tokens before it included; `fresh`:
        from an empty cache, nothing cut.

        A cold prompt would be cut to what somebody can wait for, so that one is prefilled first, and timed.
        """
        from midfill.model.api import Chunk, FimRequest

        request, began = FimRequest(prefix, suffix, max_new_tokens=KEY_TOKENS), perf_counter()
        computed = 0
        if fresh:
            self._backend._documents.drop()
            *_, finish = self._backend.stream(replace(request, prefill_only=True))
            computed = _timing(finish.usage).fresh
        first_ms = 0.0
        for event in self._backend.stream(request):
            if not first_ms and (not isinstance(event, Chunk) or event.text):
                first_ms = 1000 * (perf_counter() - began)
        timing = _timing(event.usage)
        return replace(timing, prefill_ms=first_ms, fresh=timing.fresh + computed)

    def write(self, prefix: str, suffix: str, new: int, guess: bool) -> tuple[Timing, list[int]]:
        """A completion as it is served, or without guesses; and its prompt."""
        from midfill.model.api import FimRequest

        # Prefilled first, all of it: see `key`.
        request = FimRequest(prefix, suffix, max_new_tokens=new)
        for _ in self._backend.stream(replace(request, prefill_only=True)):
            pass
        for document in self._backend._documents._kept:
            document.lookup = None  # or the second way would be told the first one's answer
        document, job = self._backend._fim_job(self._loaded, request)
        if not guess:
            job = replace(job, drafter=None)
        *_, finish = self._alone.loop.stream(document.cache, job)
        return _timing(finish.usage), list(job.prompt)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._loaded.tokenizer.encode(text)
        return ids

    def about(self) -> dict[str, Any]:
        return {"served": self._alone.info.dtype, "weight_bytes": weight_bytes(self._loaded.model)}


def weight_bytes(model: Any) -> int:
    """Bytes of weights that one decode step reads: of a quantised linear the packed ones, and no
    embeddings, of which a step reads a row."""
    total = 0
    quantised = [name for name, module in model.named_modules() if hasattr(module, "packed")]
    for name, module in model.named_modules():
        if packed := getattr(module, "packed", None):
            total += packed.numbers.nbytes + packed.scales.nbytes
        elif module is not model.get_input_embeddings() and not name.startswith(tuple(quantised)):
            total += sum(parameter.nbytes for parameter in module.parameters(recurse=False))
    return total


def _timing(usage: Any) -> Timing:
    return Timing(
        prefill_ms=usage.prefill_ms,
        fresh=usage.prompt_tokens - usage.reused_tokens,
        decode_ms=usage.decode_ms,
        steps=max(0, usage.generated_tokens - 1),
        drafted=getattr(usage, "drafted_tokens", 0),
        accepted=getattr(usage, "accepted_tokens", 0),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=0, help="tokens; 0: as served")
    ours = Ours(parser.parse_args())
    doings = (ours.run, ours.key, ours.write, ours.encode, ours.about)
    child_main({doing.__name__: doing for doing in doings})


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
