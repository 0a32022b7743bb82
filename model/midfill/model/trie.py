"""The vocabulary by its tokens' bytes, and answers that must begin with given bytes.

A trie, kept as one sorted table: tokens that begin alike lie side by side, and a branch is a range found by
bisection. Knows a vocabulary; knows no prompt, no tensor and nothing of why bytes are given.
"""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from midfill.model.tokens import CodeTokenizer

PAST_ANY_BYTE = b"\xff" * 8
"""Sorts behind whatever a branch continues with: 0xFF is in no UTF-8 text, and in one token alone."""


class Constraint(Protocol):
    """Which tokens an answer may go on with. Immutable: a step makes the next one."""

    def allowed(self) -> "array[int]":
        """The ids that may come next (32 bits each), at least one. A stop id only where the answer may end
        and whoever made the constraint named it; never another marker."""
        ...

    def after(self, token_id: int) -> "Constraint | None":
        """What holds behind `token_id`, which is one of `allowed`; None: anything."""
        ...


class TokenTrie:
    """Every token that adds bytes to a text, by these bytes.

    150,000 tokens take 2.4 MB, and 0.3 s to read and sort (measured, one core). Markers are left out, and
    so is `without`: ids that end an answer.
    """

    def __init__(self, tokenizer: CodeTokenizer, without: Collection[int] = ()) -> None:
        spelled = tokenizer.all_token_bytes()
        for token_id in without:
            if token_id < len(spelled):
                spelled[token_id] = b""
        ids = sorted((i for i, text in enumerate(spelled) if text), key=spelled.__getitem__)
        table = [spelled[i] for i in ids]
        self._ids = array("i", ids)
        self._bytes = b"".join(table)
        self._starts = array("I", accumulate(map(len, table), initial=0))
        self._longest = max(map(len, table), default=0)
        self.token_bytes = tokenizer.token_bytes

    def within(self, text: bytes) -> Iterator[tuple[int, int]]:
        """(length in bytes, id) of every token that `text` begins with, shorter ones first."""
        for length in range(1, min(len(text), self._longest) + 1):
            row = self._row(text[:length])
            while row < len(self._ids) and self._at(row) == text[:length]:  # bytes may have two ids
                yield length, self._ids[row]
                row += 1

    def beyond(self, text: bytes) -> "array[int]":
        """The ids of all tokens that begin with `text`, itself included."""
        return self._ids[self._row(text) : self._row(text + PAST_ANY_BYTE)]

    def _row(self, text: bytes) -> int:
        """The first row that does not sort before `text`."""
        return bisect_left(range(len(self._ids)), text, key=self._at)

    def _at(self, row: int) -> bytes:
        return self._bytes[self._starts[row] : self._starts[row + 1]]


@dataclass(frozen=True, slots=True)
class StartsWith:
    """A `Constraint`: the answer's bytes begin with `wanted`; its tokens may end past it, not before."""

    trie: TokenTrie
    wanted: bytes
    """What is still to come: not empty."""
    passable: tuple[bool, ...]
    """For each position in `wanted`: whether tokens can get from there to its end."""

    def allowed(self) -> "array[int]":
        steps = self.trie.within(self.wanted[:-1])
        inside = array("i", (token_id for length, token_id in steps if self.passable[length]))
        return inside + self.trie.beyond(self.wanted)

    def after(self, token_id: int) -> "StartsWith | None":
        done = len(self.trie.token_bytes(token_id))
        if done >= len(self.wanted):
            return None
        return StartsWith(self.trie, self.wanted[done:], self.passable[done:])


def starts_with(trie: TokenTrie, wanted: bytes) -> StartsWith | None:
    """The constraint that an answer begins with `wanted`; None where that says nothing, or where the
    vocabulary cannot spell it."""
    passable: list[bool] = []  # from the end
    for at in range(len(wanted) - 1, -1, -1):
        rest = wanted[at:]
        inside = any(passable[-length] for length, _ in trie.within(rest[:-1]))
        passable.append(inside or len(trie.beyond(rest)) > 0)
    return StartsWith(trie, wanted, tuple(passable[::-1])) if passable and passable[-1] else None
