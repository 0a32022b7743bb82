"""A FIM request becomes a prompt: what fits of it, in the model's dialect, as token ids.

Owns the limits, how much suffix and how much of a text that nobody has prefilled yet, and the memory of
what the last prompts kept. Knows no device and no KV cache: the caller says how much of a prompt is held.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from midfill.model.api import FimRequest
from midfill.model.budget import Fitted, fit, room_tokens
from midfill.model.dialects import FimDialect, Heals, Order, overhead_tokens, render
from midfill.model.dialects.repository import repository_format
from midfill.model.headroom import Headroom
from midfill.model.healing import heal, heals_behind
from midfill.model.steady import fit_again
from midfill.model.surroundings import Renderer, Surroundings
from midfill.model.tokens import CodeTokenizer
from midfill.model.trie import Constraint, TokenTrie, starts_with

CPU_SUFFIX_TOKENS = 128
"""In PSM every key typed computes the suffix again: 0.2–0.6 s for so many on 2 cores (measured)."""
GPU_SUFFIX_SHARE = 0.2
"""Of the budget. Continue gives at most 20 %."""
COLD_PREFILL_S = 0.35
"""How long a text that is not in the KV cache may be prefilled while somebody waits for a completion. Here
that is 0.2 of exact matches where 1 s has 0.25; a rest of the cursor prefills the whole (bench-cold)."""
MIN_COLD_TOKENS = 192
"""However slow the machine: with half of them, half of the exact matches are gone (bench-cold)."""

SURROUNDINGS_SHARE = 0.3
"""Of the context, for text from other files (pipeline.md, S6). What they leave is the prefix's."""
REMEMBERED = 8
"""Cuts that are remembered: a short and a long one for each of a few documents or places."""

LEFT_TO_RIGHT_HEALS = Heals.IN_LINES
"""Of models that complete left to right: the prefix comes last, as in SPM."""

Held = Callable[[Sequence[int]], int]
"""How many tokens of a prompt, from its first on, are in a KV cache already."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked, and how its answer must begin."""

    ids: list[int]
    constraint: Constraint | None = None
    hidden_bytes: int = 0
    """How much of the answer's beginning stands before the cursor already: healed text."""
    snippets: int = 0
    """How many of the request's it has room for."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """What a prompt was made of, to be found again at the next key."""

    path: str
    whole: bool
    """Made for all the room there is, not for what a slow machine prefills while somebody waits."""
    fitted: Fitted
    around: Surroundings


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
        stop_ids: Collection[int] = (),
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
        self._stop_ids = stop_ids
        self._heals = dialect.heals if dialect else LEFT_TO_RIGHT_HEALS
        self._overhead = overhead_tokens(dialect) if dialect else 1
        ids = {marker: tokenizer.marker_id(marker) for marker in dialect.markers} if dialect else {}
        self._ids = {marker: i for marker, i in ids.items() if i is not None}
        # What is typed goes behind the suffix: a new suffix costs the cache of everything.
        self._freeze_suffix = dialect is not None and dialect.order is not Order.PSM
        self._cuts: list[_Cut] = []
        format = repository_format(dialect.family if dialect else "", tokenizer.marker_id)
        tokenizer.reserve(format.markers)
        marks = {marker: i for marker in format.markers if (i := tokenizer.marker_id(marker)) is not None}
        self._renderer = Renderer(tokenizer, format, marks)
        self._last_around: tuple[object, Surroundings] = (None, Surroundings())

    def make(self, request: FimRequest, held: Held) -> Prompt:
        """The prompt that `request` becomes.

        A slow machine gets less of a text that it has not prefilled yet: somebody is waiting. Prefilling
        ahead takes all of it, and what is prefilled costs nothing. Either keeps its own left edge.
        """
        room, _ = room_tokens(self._context_tokens, request.max_new_tokens, self._overhead)
        room = self.headroom.allow(room)
        bearable = max(MIN_COLD_TOKENS, int(self.prefill_per_s * COLD_PREFILL_S))
        around = self._around(request)
        patient = request.prefill_only or request.patient
        for cut in self._known(request):
            again = self._cut_again(cut, request, around, room)
            if again is None:
                continue
            prompt = self._render(again)
            if patient or len(prompt.ids) - held(prompt.ids) <= bearable:
                self._remember(cut, again)
                return prompt
        limit = room if patient else min(room, bearable)
        cut = self._cut(request, around if limit == room else Surroundings(), limit, whole=limit == room)
        self._remember(None, cut)
        return self._render(cut)

    def apart(self, request: FimRequest) -> Prompt:
        """The prompt of a request that belongs to no cursor: no key pays for its suffix again, which may be
        half of it. Nothing is remembered.
        """
        room, _ = room_tokens(self._context_tokens, request.max_new_tokens, self._overhead)
        room = self.headroom.allow(room)
        return self._render(self._cut(request, Surroundings(), room, whole=False, suffix_max=room // 2))

    def fitted(self, request: FimRequest, room: int) -> Prompt:
        """The prompt with at most `room` tokens of the user's text; nothing is remembered."""
        return self._render(self._cut(request, Surroundings(), room, whole=False))

    def _known(self, request: FimRequest) -> list[_Cut]:
        """The cuts that may serve again, the long before the short, the last used first."""
        known = [cut for cut in self._cuts if cut.path == request.path]
        short = [] if request.prefill_only or request.patient else [cut for cut in known if not cut.whole]
        return [cut for cut in known if cut.whole] + short

    def _remember(self, old: _Cut | None, new: _Cut) -> None:
        self._cuts = [new, *(cut for cut in self._cuts if cut is not old)][:REMEMBERED]

    def _around(self, request: FimRequest) -> Surroundings:
        """What other files give; rendered again only when something of it changed."""
        asked = (request.path, request.language, request.repository, request.snippets)
        if asked != self._last_around[0]:
            budget = int(self._context_tokens * SURROUNDINGS_SHARE)
            self._last_around = (asked, self._renderer.render(request, budget))
        return self._last_around[1]

    def _cut(
        self,
        request: FimRequest,
        around: Surroundings,
        room: int,
        *,
        whole: bool,
        suffix_max: int | None = None,
    ) -> _Cut:
        fitted = fit(
            self._tokenizer,
            request.prefix,
            self._suffix_of(request),
            max(0, room - around.tokens),
            self._suffix_max(room) if suffix_max is None else suffix_max,
            continued=bool(around.in_prefix),
        )
        return _Cut(request.path, whole, fitted, around)

    def _cut_again(self, cut: _Cut, request: FimRequest, around: Surroundings, room: int) -> _Cut | None:
        """`cut` at this key. Text from other files is only for cuts that were made for all the room."""
        around = around if cut.whole else Surroundings()
        fitted = fit_again(
            self._tokenizer,
            cut.fitted,
            request.prefix,
            self._suffix_of(request),
            max(0, room - around.tokens),
            self._suffix_max(room),
            freeze_suffix=self._freeze_suffix,
            continued=bool(around.in_prefix),
        )
        return replace(cut, fitted=fitted, around=around) if fitted else None

    def _suffix_of(self, request: FimRequest) -> str:
        return request.suffix if self._dialect else ""

    def _suffix_max(self, room: int) -> int:
        return CPU_SUFFIX_TOKENS if self._on_cpu else int(room * GPU_SUFFIX_SHARE)

    def _render(self, cut: _Cut) -> Prompt:
        prefix_ids, given = cut.fitted.prefix_ids, b""
        if heals_behind(self._heals, cut.fitted.prefix):
            kept, given = heal(prefix_ids, self._tokenizer.token_bytes)
            prefix_ids = prefix_ids[:kept]
        constraint = starts_with(self.trie, given) if given else None
        if given and constraint is None:  # a vocabulary that cannot spell its own tokens otherwise
            prefix_ids, given = cut.fitted.prefix_ids, b""
        prefix_ids = (*cut.around.in_prefix, *prefix_ids)
        if self._dialect is None:
            return Prompt(self._left_to_right(prefix_ids), constraint, len(given), cut.around.snippets)
        ids = render(self._dialect, self._ids, prefix_ids, cut.fitted.suffix_ids, self._bos_id)
        begin = 1 if self._dialect.bos and self._bos_id is not None else 0
        whole = [*ids[:begin], *cut.around.before, *ids[begin:]]
        return Prompt(whole, constraint, len(given), cut.around.snippets)

    @cached_property
    def trie(self) -> TokenTrie:
        """Built when it is first needed: in the warm-up, if this model's prompts are healed at all."""
        return TokenTrie(self._tokenizer, self._stop_ids)

    def _left_to_right(self, prefix_ids: Sequence[int]) -> list[int]:
        if self._bos_id is not None and (self._tokenizer.leading_space or not prefix_ids):
            return [self._bos_id, *prefix_ids]
        return [*prefix_ids]
