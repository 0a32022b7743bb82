"""How often guesses come true, and how many at a time are worth a pass. Pure arithmetic.

Knows nothing of texts, tokens and models: a guess is where it was read and how much before it agreed.
"""

from collections.abc import Sequence

from midfill.model.lookup import Source

MEMORY = 64
"""Guesses of one kind that are remembered: then the older ones begin to count less."""
PRIOR_WEIGHT = 8
"""Guesses that the prior counts for."""
TEXT = (0.15, 0.3, 0.33, 0.33, 0.55, 0.65, 0.9, 0.9)
"""Chances by bits of the agreement's length (0, 1, 2–3, 4–7, …, 64 characters), measured: the default
model's greedy answers to 64 of the edits that `benchmarks.edits` replays."""
PRIORS = {
    Source.SUGGESTION: (0.5, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9),  # a guess: the model wrote it itself
    Source.ABOVE: TEXT,
    Source.BELOW: TEXT,
}


class Acceptance:
    """Running estimates, one for each source and length of agreement, learned from every token written,
    whether its guess was verified in a pass or only looked at."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Source, int], list[float]] = {}

    def chance(self, source: Source, agreeing: int) -> float:
        """How likely a guess is right: 0–1."""
        right, tried = self._kind(source, agreeing)
        return right / tried

    def saw(self, source: Source, agreeing: int, right: bool) -> None:
        """A guess of this kind was `right` or not."""
        kind = self._kind(source, agreeing)
        if kind[1] >= MEMORY:
            kind[:] = [count / 2 for count in kind]
        kind[0] += right
        kind[1] += 1

    def _kind(self, source: Source, agreeing: int) -> list[float]:
        step = min(agreeing.bit_length(), len(PRIORS[source]) - 1)
        if (source, step) not in self._seen:
            self._seen[source, step] = [PRIORS[source][step] * PRIOR_WEIGHT, PRIOR_WEIGHT]
        return self._seen[source, step]


def best_length(chances: Sequence[float], costs: Sequence[float], rows: int = 1, streams: int = 1) -> int:
    """How many guesses give the most tokens per unit of time.

    `chances[i]`: that guess i is right, if all before it are. `costs[n]`: of a pass over n + 1 rows, `rows`
    of which are computed anyway. Beside the guesses that come true the pass gives a token to each of the
    `streams` that share it: all of them wait for what it takes longer. What the others' guesses give is not
    counted.
    """
    best, best_rate = 0, streams / costs[rows - 1]
    tokens, all_right = float(streams), 1.0
    for count, chance in enumerate(chances[: len(costs) - rows], 1):
        all_right *= chance
        tokens += all_right
        if tokens / costs[rows - 1 + count] > best_rate:
            best, best_rate = count, tokens / costs[rows - 1 + count]
    return best
