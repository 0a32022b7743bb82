"""The same holes filled by the model alone: prefix, suffix, middle in full, greedy, cut at the newline.

No healing, no stop or clean-up rule, no budget: what the pipeline has to be no worse than.
"""

from dataclasses import replace

from benchmarks.alone import load_alone

NEW_TOKENS = 48
"""Gold lines have 46 at most."""


class Plain:
    """The default model with the kernels that are served."""

    def __init__(self) -> None:
        from midfill.model.dialects import Hole

        self._alone = load_alone()
        dialect = self._alone.loaded.dialect
        before, after, middle = dialect.markers
        layout = (before, Hole.PREFIX, after, Hole.SUFFIX, middle)
        self._dialect = replace(dialect, layout=layout)
        self._cache = self._alone.new_cache()

    def line(self, before: str, behind: str) -> str:
        """What the model writes between the two, up to its first line end."""
        from midfill.model.api import Chunk
        from midfill.model.backends.hf.job import Job
        from midfill.model.dialects import render

        loaded = self._alone.loaded
        tokenizer = loaded.tokenizer
        ids = {marker: tokenizer.marker_id(marker) for marker in self._dialect.markers}
        above, below = tokenizer.encode(before), tokenizer.encode_continuation(behind)
        prompt = render(self._dialect, ids, above, below, loaded.bos_id)
        text = ""
        for event in self._alone.loop.stream(self._cache, Job(prompt, NEW_TOKENS, loaded.stop_ids)):
            text += event.text if isinstance(event, Chunk) else ""
            if "\n" in text:
                break
        return text.partition("\n")[0]
