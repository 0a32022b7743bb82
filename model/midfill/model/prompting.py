"""A FIM request becomes a prompt: what fits of it, in the model's dialect, as token ids.

Owns the limits: how much suffix, and how much of a text that nobody has prefilled yet. Knows no device and
no KV cache: the caller says how much of a prompt is held already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midfill.model.api import FimRequest
from midfill.model.budget import fit, room_tokens
from midfill.model.dialects import FimDialect, overhead_tokens, render
from midfill.model.tokens import CodeTokenizer

CPU_SUFFIX_TOKENS = 128
"""In PSM every key typed computes the suffix again: 0.2–0.6 s for so many on 2 cores (measured)."""
GPU_SUFFIX_SHARE = 0.2
"""Of the budget. Continue gives at most 20 %."""
COLD_PREFILL_S = 1.0
"""How long a text that is not in the KV cache may be prefilled while somebody waits for a completion."""
MIN_COLD_TOKENS = 256
"""Less context than this makes suggestions worse than waiting does (a guess; issue 4 measures it)."""

Held = Callable[[Sequence[int]], int]
"""How many tokens of a prompt, from its first on, are in a KV cache already."""


@dataclass(slots=True)
class Prompts:
    """Makes the prompts of one loaded model."""

    tokenizer: CodeTokenizer
    dialect: FimDialect | None
    bos_id: int | None
    context_tokens: int
    on_cpu: bool
    prefill_per_s: float = 0.0
    """Tokens a second, measured at load."""

    def make(self, request: FimRequest, held: Held) -> list[int]:
        """The ids that `request` becomes.

        A slow machine gets less of a text that it has not prefilled yet: somebody is waiting. Prefilling
        ahead takes all of it, and what is prefilled costs nothing.
        """
        overhead = overhead_tokens(self.dialect) if self.dialect else 1
        room, _ = room_tokens(self.context_tokens, request.max_new_tokens, overhead)
        prompt = self.fitted(request, room)
        bearable = max(MIN_COLD_TOKENS, int(self.prefill_per_s * COLD_PREFILL_S))
        if request.prefill_only or len(prompt) - held(prompt) <= bearable:
            return prompt
        return self.fitted(request, min(room, bearable))

    def fitted(self, request: FimRequest, room: int) -> list[int]:
        """The prompt with at most `room` tokens of the user's text."""
        dialect, tokenizer = self.dialect, self.tokenizer
        suffix_max = CPU_SUFFIX_TOKENS if self.on_cpu else int(room * GPU_SUFFIX_SHARE)
        suffix = request.suffix if dialect else ""
        fitted = fit(tokenizer, request.prefix, suffix, room, suffix_max)
        if dialect is None:
            return self._left_to_right(fitted.prefix_ids)
        ids = {marker: tokenizer.marker_id(marker) for marker in dialect.markers}
        known = {marker: i for marker, i in ids.items() if i is not None}
        return render(dialect, known, fitted.prefix_ids, fitted.suffix_ids, self.bos_id)

    def _left_to_right(self, prefix_ids: Sequence[int]) -> list[int]:
        if self.bos_id is not None and (self.tokenizer.leading_space or not prefix_ids):
            return [self.bos_id, *prefix_ids]
        return [*prefix_ids]
