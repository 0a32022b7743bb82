"""A FIM request becomes a prompt: what fits of it, in the model's dialect, as token ids.

Owns the limits, how much suffix and how much of a text that nobody has prefilled yet, and the memory of
what the last prompts kept. Knows no device and no KV cache: the caller says how much of a prompt is held.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from midfill.model.api import FimRequest
from midfill.model.budget import Fitted, fit, room_tokens
from midfill.model.dialects import FimDialect, Order, overhead_tokens, render
from midfill.model.headroom import Headroom
from midfill.model.steady import fit_again
from midfill.model.tokens import CodeTokenizer

CPU_SUFFIX_TOKENS = 128
"""In PSM every key typed computes the suffix again: 0.2–0.6 s for so many on 2 cores (measured)."""
GPU_SUFFIX_SHARE = 0.2
"""Of the budget. Continue gives at most 20 %."""
COLD_PREFILL_S = 1.0
"""How long a text that is not in the KV cache may be prefilled while somebody waits for a completion."""
MIN_COLD_TOKENS = 256
"""Less context than this makes suggestions worse than waiting does (a guess; issue 4 measures it)."""

REMEMBERED = 8
"""Cuts that are remembered: a short and a long one for each of a few documents or places."""

Held = Callable[[Sequence[int]], int]
"""How many tokens of a prompt, from its first on, are in a KV cache already."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """What a prompt was made of, to be found again at the next key."""

    path: str
    whole: bool
    """Made for all the room there is, not for what a slow machine prefills while somebody waits."""
    fitted: Fitted


class Prompts:
    """Makes the prompts of one loaded model, each as much like the last of its place as can be."""

    def __init__(
        self,
        tokenizer: CodeTokenizer,
        dialect: FimDialect | None,
        bos_id: int | None,
        context_tokens: int,
        *,
        on_cpu: bool,
    ) -> None:
        self.prefill_per_s = 0.0
        """Tokens a second, measured at load."""
        self.headroom = Headroom()
        """What memory has room for: told by whoever runs the prompts."""
        self._tokenizer = tokenizer
        self._dialect = dialect
        self._bos_id = bos_id
        self._context_tokens = context_tokens
        self._on_cpu = on_cpu
        self._overhead = overhead_tokens(dialect) if dialect else 1
        ids = {marker: tokenizer.marker_id(marker) for marker in dialect.markers} if dialect else {}
        self._ids = {marker: i for marker, i in ids.items() if i is not None}
        # What is typed goes behind the suffix: a new suffix costs the cache of everything.
        self._freeze_suffix = dialect is not None and dialect.order is not Order.PSM
        self._cuts: list[_Cut] = []

    def make(self, request: FimRequest, held: Held) -> list[int]:
        """The ids that `request` becomes.

        A slow machine gets less of a text that it has not prefilled yet: somebody is waiting. Prefilling
        ahead takes all of it, and what is prefilled costs nothing. Either keeps its own left edge.
        """
        room, _ = room_tokens(self._context_tokens, request.max_new_tokens, self._overhead)
        room = self.headroom.allow(room)
        bearable = max(MIN_COLD_TOKENS, int(self.prefill_per_s * COLD_PREFILL_S))
        for cut in self._known(request):
            fitted = self._fit_again(cut.fitted, request, room)
            if fitted is None:
                continue
            prompt = self._render(fitted)
            if request.prefill_only or len(prompt) - held(prompt) <= bearable:
                self._remember(cut, replace(cut, fitted=fitted))
                return prompt
        limit = room if request.prefill_only else min(room, bearable)
        fitted = self._fit(request, limit)
        self._remember(None, _Cut(request.path, limit == room, fitted))
        return self._render(fitted)

    def fitted(self, request: FimRequest, room: int) -> list[int]:
        """The prompt with at most `room` tokens of the user's text; nothing is remembered."""
        return self._render(self._fit(request, room))

    def _known(self, request: FimRequest) -> list[_Cut]:
        """The cuts that may serve again, the long before the short, the last used first."""
        known = [cut for cut in self._cuts if cut.path == request.path]
        short = [] if request.prefill_only else [cut for cut in known if not cut.whole]
        return [cut for cut in known if cut.whole] + short

    def _remember(self, old: _Cut | None, new: _Cut) -> None:
        self._cuts = [new, *(cut for cut in self._cuts if cut is not old)][:REMEMBERED]

    def _fit(self, request: FimRequest, room: int) -> Fitted:
        suffix = request.suffix if self._dialect else ""
        return fit(self._tokenizer, request.prefix, suffix, room, self._suffix_max(room))

    def _fit_again(self, known: Fitted, request: FimRequest, room: int) -> Fitted | None:
        suffix = request.suffix if self._dialect else ""
        return fit_again(
            self._tokenizer,
            known,
            request.prefix,
            suffix,
            room,
            self._suffix_max(room),
            freeze_suffix=self._freeze_suffix,
        )

    def _suffix_max(self, room: int) -> int:
        return CPU_SUFFIX_TOKENS if self._on_cpu else int(room * GPU_SUFFIX_SHARE)

    def _render(self, fitted: Fitted) -> list[int]:
        if self._dialect is None:
            return self._left_to_right(fitted.prefix_ids)
        return render(self._dialect, self._ids, fitted.prefix_ids, fitted.suffix_ids, self._bos_id)

    def _left_to_right(self, prefix_ids: Sequence[int]) -> list[int]:
        if self._bos_id is not None and (self._tokenizer.leading_space or not prefix_ids):
            return [self._bos_id, *prefix_ids]
        return [*prefix_ids]
