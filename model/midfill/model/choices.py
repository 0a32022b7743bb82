"""Answers that are one of a few given texts, whole, and then end.

Knows a vocabulary by its bytes (see `trie`), no prompt and no tensor. Nothing says how a text is to be cut
into tokens: every way to spell it is open, and the model takes the one that it finds likeliest.
"""

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from midfill.model.trie import TokenTrie


class Rest(NamedTuple):
    """What is still to come of a choice that what was written agrees with."""

    text: bytes
    passable: tuple[bool, ...]
    """For each position in `text`, its end included: whether tokens can get from there to its end."""

    def behind(self, length: int) -> "Rest":
        return Rest(self.text[length:], self.passable[length:])


@dataclass(frozen=True, slots=True)
class OneOf:
    """A `Constraint`: the answer's bytes are one of the choices, and one of `ends` comes behind them.

    Where a choice is over that another one begins with, an end stands against going on, and the likelier
    wins.
    """

    trie: TokenTrie
    open: tuple[Rest, ...]
    ends: frozenset[int]

    def allowed(self) -> "array[int]":
        ids = {
            token_id
            for text, passable in self.open
            for length, token_id in self.trie.within(text)
            if passable[length]
        }
        over = any(not rest.text for rest in self.open)
        return array("i", sorted(ids | self.ends) if over else sorted(ids))

    def after(self, token_id: int) -> "OneOf | None":
        if token_id in self.ends:
            return None
        done = self.trie.token_bytes(token_id)
        agreeing = tuple(rest.behind(len(done)) for rest in self.open if rest.text.startswith(done))
        return OneOf(self.trie, agreeing, self.ends)


def one_of(trie: TokenTrie, texts: Iterable[bytes], ends: Collection[int]) -> OneOf | None:
    """The constraint that an answer is one of `texts`; None where the vocabulary cannot spell one of them.

    `ends`, at least one, are ids that add no bytes.
    """
    whole = tuple(Rest(text, _passable(trie, text)) for text in texts)
    return OneOf(trie, whole, frozenset(ends)) if all(rest.passable[0] for rest in whole) else None


def _passable(trie: TokenTrie, text: bytes) -> tuple[bool, ...]:
    found = [True]  # from the end
    for at in range(len(text) - 1, -1, -1):
        found.append(any(found[-length] for length, _ in trie.within(text[at:])))
    return tuple(found[::-1])
