"""transformers' own `generate()` in float32 on the same weights, as a child of `engines.Child`."""

import argparse
import os
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from benchmarks.measure.engines import Timing, child_main
from midfill.model.store.catalogue import DEFAULT_MODEL


class FirstToken:
    """A streamer that notes when the first token came: transformers calls `put` for the prompt, then for
    each token."""

    def __init__(self) -> None:
        self.calls, self.at = 0, 0.0

    def put(self, _: Any) -> None:
        self.calls += 1
        if self.calls == 2:
            self.at = perf_counter()

    def end(self) -> None:
        pass


class Generate:
    """The model as `AutoModelForCausalLM` loads it."""

    def __init__(self, threads: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        from midfill.model.backends.hf.quiet import keep_quiet
        from midfill.model.store.local import converted_dir
        from midfill.model.store.store import Store

        keep_quiet()
        torch.set_num_threads(threads)
        folder = converted_dir(Store().find(DEFAULT_MODEL).sha256)
        self._model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        ).eval()

    def run(self, prompt: Sequence[int], steps: int, keep: bool) -> Timing:
        """See `Engine.run`; it keeps no KV cache."""
        import torch

        assert not keep
        batch, first = torch.tensor([prompt]), FirstToken()
        began = perf_counter()
        self._model.generate(
            batch, attention_mask=torch.ones_like(batch), max_new_tokens=steps + 1,
            min_new_tokens=steps + 1, do_sample=False, pad_token_id=0, streamer=first,
        )  # fmt: skip
        ended = perf_counter()
        return Timing(1000 * (first.at - began), len(prompt), 1000 * (ended - first.at), steps)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    child_main({"run": Generate(parser.parse_args().threads).run})


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
