"""Guesses as token ids: reads them in the text, decides how many pay, learns from what comes next.

Between `lookup`, which knows text, and the decode loop, which knows tokens. One `Drafter` for each answer.
"""

from collections.abc import Callable, Sequence

from midfill.model.acceptance import Acceptance, best_length
from midfill.model.lookup import Guess, Lookup

Encode = Callable[[str], list[int]]
"""Text as the rest of something, to token ids."""


class Drafter:
    """What the loop asks for guesses: see `backends/hf/job.py`.

    `costs[n]` is what a pass over n + 1 rows takes, in any unit. A `single_line` answer ends at a line end:
    nothing is guessed behind one.
    """

    def __init__(
        self,
        lookup: Lookup,
        encode: Encode,
        decode: Callable[[Sequence[int]], str],
        acceptance: Acceptance,
        costs: Sequence[float],
        single_line: bool = False,
    ) -> None:
        self.lookup = lookup
        self._encode, self._decode = encode, decode
        self._acceptance, self._costs = acceptance, costs
        self._single_line = single_line
        self._guess: Guess | None = None
        self._ids: list[int] = []
        self._agreeing: list[int] = []
        """For each of the ids that have not come true yet."""

    def draft(self, room: int, rows: int, streams: int = 1) -> list[int]:
        """At most `room` ids that may come next, none where they do not pay: see `best_length`."""
        if rows >= len(self._costs):
            return []
        guesses = self.lookup.guesses()
        self._take(max(guesses, key=self._chance) if guesses else None)
        chances = (
            [self._acceptance.chance(self._guess.source, n) for n in self._agreeing] if self._guess else []
        )
        return self._ids[: best_length(chances[:room], self._costs, rows, streams)]

    def saw(self, token: int, text: str) -> None:
        """`token` came next, and completed `text`."""
        if self._guess and self._ids:
            right = token == self._ids[0]
            self._acceptance.saw(self._guess.source, self._agreeing[0], right)
            self._ids, self._agreeing = (self._ids[1:], self._agreeing[1:]) if right else ([], [])
        self.lookup.feed(text)

    def _chance(self, guess: Guess) -> float:
        return self._acceptance.chance(guess.source, guess.agreeing)

    def _take(self, guess: Guess | None) -> None:
        self._guess, self._ids, self._agreeing = guess, [], []
        if guess is None:
            return
        text = guess.text
        if self._single_line:
            line, end, _ = text.partition("\n")
            text = line + end
        ids = self._encode(text)[:-1]  # the last one may have gone on
        self._ids = ids[: len(self._costs) - 1]
        agreeing = guess.agreeing
        for token in self._ids:
            self._agreeing.append(agreeing)
            agreeing += len("".join(self._decode([token]).split()))
