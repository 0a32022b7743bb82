"""Guessing ahead with one loaded model: what its passes cost, how often guesses came true, and drafters.

Whether guesses pay is decided by measurement: see `acceptance.best_length`.
"""

from collections.abc import Generator
from itertools import pairwise

from midfill.model.acceptance import Acceptance
from midfill.model.api import ChatRequest, FimRequest, Scope
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.drafting import Drafter
from midfill.model.lookup import Lookup
from midfill.model.tokens import CodeTokenizer

ROWS = (1, 2, 4, 8)
"""Measured; interpolated between. Beyond 8 the lean passes go another, slower way for every token."""
TOKEN = 1
"""Whatever it is, it costs the same."""
ROUNDS = 2
"""Of each, the better counts: 0.26 s in all for the default model on one core."""


class Speculation:
    """Makes drafters; they begin to guess once `measure` has run."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self._tokenizer = tokenizer
        self.costs: tuple[float, ...] = ()
        """Seconds that a pass over 1, 2, 3 … rows takes."""
        self._fim, self._chat = Acceptance(), Acceptance()

    def measure(self, loop: DecodeLoop, cache: TokenCache) -> Generator[None, None, None]:
        """Find out what a pass over few rows behind `cache` costs. Yields after every pass."""
        best = dict.fromkeys(ROWS, float("inf"))
        for _ in range(ROUNDS):
            for rows in ROWS:
                best[rows] = min(best[rows], loop.seconds(cache, [TOKEN] * rows))
                yield
        self.costs = interpolated(best)

    def for_fim(self, request: FimRequest, last: Lookup | None) -> Drafter:
        """`last` followed the answer before in the same document: what it wrote may come again."""
        lookup = Lookup(request.prefix, request.suffix, last.written() if last else "")
        return self._drafter(lookup, self._fim, request.stop.scope is Scope.SINGLE_LINE)

    def for_chat(self, request: ChatRequest) -> Drafter:
        """What is said about code quotes it."""
        said = "\n".join(message.content for message in request.messages)
        return self._drafter(Lookup(said), self._chat)

    def _drafter(self, lookup: Lookup, acceptance: Acceptance, single_line: bool = False) -> Drafter:
        tokenizer = self._tokenizer
        return Drafter(
            lookup, tokenizer.encode_continuation, tokenizer.decode, acceptance, self.costs, single_line
        )


def interpolated(measured: dict[int, float]) -> tuple[float, ...]:
    """The costs of 1, 2, 3 … rows, straight lines between those `measured`; more rows never cost less."""
    costs = [measured[1]]
    for (few, low), (many, high) in pairwise(measured.items()):
        costs += [low + (high - low) * (rows - few) / (many - few) for rows in range(few + 1, many + 1)]
    return tuple(max(costs[: rows + 1]) for rows in range(len(costs)))
