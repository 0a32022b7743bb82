"""The same holes filled by the model alone: prefix, suffix, middle in full, greedy, cut at the newline.

No healing, no stop or clean-up rule, no budget: what the pipeline has to be no worse than.
"""

from typing import Any

MODEL = "qwen2.5-coder-0.5b-instruct"
NEW_TOKENS = 48
"""Gold lines have 46 at most."""


class Plain:
    """The default model with the kernels that are served."""

    def __init__(self, model: str = MODEL) -> None:
        from dataclasses import replace

        from midfill.model.backends.hf.backend import TransformersBackend
        from midfill.model.backends.hf.kv import TokenCache
        from midfill.model.config import ModelConfig
        from midfill.model.dialects import Hole

        backend = TransformersBackend(ModelConfig(model=model))
        backend.load(lambda _: None)
        self._loaded, self._loop, *_ = backend._ready()
        before, after, middle = self._loaded.dialect.markers
        layout = (before, Hole.PREFIX, after, Hole.SUFFIX, middle)
        self._dialect: Any = replace(self._loaded.dialect, layout=layout)
        self._cache = TokenCache(self._loaded.make_past)

    def line(self, before: str, behind: str) -> str:
        """What the model writes between the two, up to its first line end."""
        from midfill.model.api import Chunk
        from midfill.model.backends.hf.decode import Job
        from midfill.model.dialects import render

        tokenizer = self._loaded.tokenizer
        ids = {marker: tokenizer.marker_id(marker) for marker in self._dialect.markers}
        above, below = tokenizer.encode(before), tokenizer.encode_continuation(behind)
        prompt = render(self._dialect, ids, above, below, self._loaded.bos_id)
        text = ""
        for event in self._loop.stream(self._cache, Job(prompt, NEW_TOKENS, self._loaded.stop_ids)):
            text += event.text if isinstance(event, Chunk) else ""
            if "\n" in text:
                break
        return text.partition("\n")[0]
