"""Keeps transformers off the user's terminal and off the network. Imported before the rest of `hf`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from transformers import modeling_gguf_pytorch_utils as gguf_reading
from transformers.utils import logging

# Weights come from the store, already there: nothing here may look for another version of them, nor
# start transformers' background thread that asks the hub to convert pickle files (inference.md §6).
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")


def keep_quiet() -> None:
    """No progress bars, no advice and no whole configs on stderr; errors still come as exceptions."""
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()


@contextmanager
def without_bars() -> Iterator[None]:
    """Reading GGUF draws a bar of its own, which `disable_progress_bar` does not reach (5.23)."""
    bar = getattr(gguf_reading, "tqdm", None)
    if bar is None:
        yield
        return
    gguf_reading.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        gguf_reading.tqdm = bar
