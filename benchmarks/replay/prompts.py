"""How many tokens of a request must be prefilled: the prompt as each side makes it, and its KV cache.

Ours is made by the `Prompts` that serves, in the default model's dialect. The others' is plain PSM within
their own windows, on llama.cpp's cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from benchmarks.replay.costs import PREFILL_MS
from benchmarks.replay.pieces import PieceTokenizer, split
from midfill.model import FimRequest
from midfill.model.dialects.table import QWEN_SPM
from midfill.model.prompting import Prompts

CONTEXT_TOKENS = 2048
"""Our default on a CPU."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt, and what is there of it already."""

    ids: list[int]
    reused: int
    hidden: str = ""
    """Text before the cursor that the model writes again: healed."""

    @property
    def fresh(self) -> int:
        """Tokens to prefill: at least the last, whose logits are the first answer."""
        return max(1, len(self.ids) - self.reused)


class Prompter(Protocol):
    """One side's prompts and its KV cache."""

    def ask(self, request: FimRequest) -> Asked: ...

    def keep(self, asked: Asked, prefilled: int, written: str) -> None:
        """What the cache holds now: `prefilled` tokens of the prompt and, behind all of it, an answer."""


class OurPrompts:
    def __init__(self) -> None:
        self._tokenizer = PieceTokenizer()
        self._held: list[int] = []
        tokenizer = cast(Any, self._tokenizer)
        self._prompts = Prompts(tokenizer, QWEN_SPM, None, CONTEXT_TOKENS, on_cpu=True)
        self._prompts.prefill_per_s = 1000 / PREFILL_MS

    def ask(self, request: FimRequest) -> Asked:
        prompt = self._prompts.make(request, self._reused)
        before = request.prefix.encode()
        hidden = before[len(before) - prompt.hidden_bytes :].decode()
        return Asked(prompt.ids, self._reused(prompt.ids), hidden)

    def keep(self, asked: Asked, prefilled: int, written: str) -> None:
        answer = self._tokenizer.encode(asked.hidden + written) if written else []
        self._held = asked.ids[:prefilled] + answer

    def _reused(self, ids: Sequence[int]) -> int:
        return _run(self._held, 0, ids, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """How much of a document goes into a prompt. 0: no limit of this kind."""

    prefix_tokens: int
    suffix_tokens: int
    prefix_lines: int = 0
    suffix_lines: int = 0
    prefix_chars: int = 0
    suffix_chars: int = 0
    least_chunk: int = 0
    """llama.cpp's --cache-reuse: shorter runs of tokens are not moved to a new place in the cache."""


class TheirPrompts:
    """PSM: prefix, suffix, middle. The prefix loses lines at its top, the suffix tokens at its end."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._tokenizer = PieceTokenizer()
        self._pre, self._suf, self._mid = (
            self._tokenizer.marker_id(marker)
            for marker in ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
        )
        self._held: list[int] = []

    def ask(self, request: FimRequest) -> Asked:
        prefix = self._tokenizer.encode(top_cut(request.prefix, self._window))
        suffix = self._tokenizer.encode(self._bottom_cut(request.suffix))[: self._window.suffix_tokens]
        ids = [self._pre, *prefix, self._suf, *suffix, self._mid]
        return Asked(ids, reusable(self._held, ids, self._window.least_chunk))

    def keep(self, asked: Asked, prefilled: int, written: str) -> None:
        self._held = asked.ids[:prefilled] + (self._tokenizer.encode(written) if written else [])

    def _bottom_cut(self, suffix: str) -> str:
        window = self._window
        if window.suffix_chars:
            suffix = suffix[: window.suffix_chars]
        return "\n".join(suffix.split("\n")[: window.suffix_lines + 1]) if window.suffix_lines else suffix


def top_cut(prefix: str, window: Window) -> str:
    """What of `prefix` fits the window: whole lines, and at least the cursor's."""
    lines = prefix.split("\n")
    lines = lines[-1 - window.prefix_lines :] if window.prefix_lines else lines
    tokens, chars, kept = window.prefix_tokens, window.prefix_chars or len(prefix) + 1, 0
    for line in reversed(lines):
        tokens, chars = tokens - len(split(line)) - 1, chars - len(line) - 1
        if tokens < 0 or chars < 0:
            break
        kept += 1
    return "\n".join(lines[-max(1, kept) :])


def reusable(held: Sequence[int], ids: Sequence[int], least_chunk: int) -> int:
    """How many tokens of `ids` a llama.cpp slot that holds `held` need not compute.

    The common beginning; then, with --cache-reuse, runs of at least `least_chunk` that follow in the prompt
    and stand further on in the cache: text that fell out at the top does not cost the rest. Text that came
    in does (tools/server, "reuse chunks from the cached prompt by shifting their KV cache").
    """
    done = place = _run(held, 0, ids, 0)
    while least_chunk and place < len(held) and done < len(ids):
        run = _run(held, place, ids, done)
        long = run >= least_chunk
        place, done = place + (run if long else 1), done + (run if long else 0)
    return done


def _run(held: Sequence[int], place: int, ids: Sequence[int], at: int) -> int:
    """How many tokens are equal from these places on."""
    longest = min(len(held) - place, len(ids) - at)
    return next((n for n in range(longest) if held[place + n] != ids[at + n]), longest)
