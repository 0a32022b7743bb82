"""How near one text is to another, by their characters: chrF2 (Popović 2015). Pure."""

from collections import Counter

GRAMS = 6
"""chrF: character n-grams up to this length."""
BETA = 2
"""chrF2: recall counts twice."""


def chrf(written: str, reference: str) -> float:
    """F score of character n-grams without white space, averaged over n; 0–1."""
    scores = []
    ours, theirs = "".join(written.split()), "".join(reference.split())
    for n in range(1, GRAMS + 1):
        one, other = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (ours, theirs))
        if not one or not other:
            continue
        both = (one & other).total()
        precision, recall = both / one.total(), both / other.total()
        weighted = BETA**2 * precision + recall
        scores.append((1 + BETA**2) * precision * recall / weighted if weighted else 0.0)
    return sum(scores) / len(scores) if scores else 0.0
