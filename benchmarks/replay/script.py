"""What the scripted model writes into a passage: the true text, each token wrong with a seeded probability.

A token is right or wrong by where it begins, not by who asks: every policy has the same model, and the same
question gets the same answer. Knows no costs.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator

from benchmarks.replay.passages import SEED, Passage
from benchmarks.replay.pieces import PieceTokenizer, split

WRONG_SHARE = 0.05
"""Of the tokens (the issue's figure)."""
MARK_CHARS = 200
"""So much of what stands above the passage says where in a prompt the passage begins."""


class Script:
    """One passage as the model knows it."""

    def __init__(self, passage: Passage) -> None:
        self._truth = passage.truth
        self._mark = passage.above[-MARK_CHARS:]
        self._starts = [*PieceTokenizer().starts(passage.truth), len(passage.truth)]
        self._pieces = split(passage.truth)
        self._seed = f"{SEED} {passage.name}"

    def typed(self, prefix: str) -> str:
        """What of `prefix` was typed into the passage. ValueError where it does not belong to it."""
        return prefix[prefix.rindex(self._mark) + len(self._mark) :]

    def pieces(self, prefix: str) -> Iterator[str]:
        """What the model writes behind `prefix`, token by token, to the passage's end.

        Behind a slip of the typist's it goes on as if the slip were right: models seldom correct.
        """
        at = len(self.typed(prefix))
        while at < len(self._truth):
            after = self._starts[bisect_right(self._starts, at)]
            right = self._truth[at:after]
            yield self._wrong(at, right) or right
            at = after

    def knows_line(self, written: str) -> bool:
        """Whether what the model writes behind `written`, typed into the passage, is right to the end of a
        line of which something is left.
        """
        rest = self._truth[len(written) :].partition("\n")[0]
        if not rest.strip() or not self._truth.startswith(written):
            return False
        return "".join(self.pieces(self._mark + written)).startswith(rest)

    def _wrong(self, at: int, right: str) -> str:
        """Another piece of the passage instead of `right`; empty where the model is right."""
        chance = random.Random(f"{self._seed} {at}")
        if chance.random() >= WRONG_SHARE:
            return ""
        others = [piece for piece in self._pieces if piece[0] != right[0]]
        return chance.choice(others) if others else "?"
