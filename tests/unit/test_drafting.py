"""Guesses as token ids: which of them are tried, and what is learned. A token is a word or a sign."""

import re

import pytest

from midfill.model.acceptance import Acceptance
from midfill.model.drafting import Drafter
from midfill.model.lookup import Lookup, Source

FREE = (10.0,) * 8
"""A pass over several rows costs no more than one."""
DEAR = tuple(10.0 * n for n in range(1, 9))
WORDS: list[str] = []


def encode(text: str) -> list[int]:
    ids = []
    for word in re.findall(r" ?\w+|\n|.", text):
        if word not in WORDS:
            WORDS.append(word)
        ids.append(WORDS.index(word))
    return ids


def decode(ids: list[int]) -> str:
    return "".join(WORDS[i] for i in ids)


def drafter(prefix: str, costs: tuple[float, ...] = FREE, learned: Acceptance | None = None, **how: bool):
    return Drafter(Lookup(prefix), encode, decode, learned or Acceptance(), costs, **how)


TWICE = "total = alpha + beta * gamma\nother = 1\ntotal ="


def test_the_tokens_of_what_followed_are_tried() -> None:
    assert decode(drafter(TWICE).draft(99, 1)) == " alpha + beta * gamma"


def test_a_single_line_is_guessed_up_to_its_end() -> None:
    line = "func(a)\nb = 2\nfunc("
    assert decode(drafter(line).draft(99, 1)).startswith("a)\nb")
    assert decode(drafter(line, single_line=True).draft(99, 1)) == "a)"


@pytest.mark.parametrize(
    ("room", "rows", "costs", "count"),
    [
        (3, 1, FREE, 3),
        (0, 1, FREE, 0),
        (9, 6, FREE, 2),
        (9, 8, FREE, 0),
        (9, 300, FREE, 0),
        (9, 1, DEAR, 0),
    ],
)
def test_no_more_is_tried_than_there_is_room_and_than_pays(
    room: int, rows: int, costs: tuple[float, ...], count: int
) -> None:
    assert len(drafter(TWICE, costs).draft(room, rows)) == count


def test_without_a_place_nothing_is_tried() -> None:
    assert drafter("nothing twice").draft(99, 1) == []


def test_guesses_that_are_not_verified_are_learned_from_too() -> None:
    acceptance = Acceptance()
    agreeing = len("\ntotal =".replace(" ", "").strip())
    before = acceptance.chance(Source.ABOVE, agreeing)
    guessing = drafter(TWICE, DEAR, acceptance)
    assert guessing.draft(99, 1) == []
    guessing.saw(encode(" alpha")[0], " alpha")
    assert acceptance.chance(Source.ABOVE, agreeing) > before
    guessing = drafter(TWICE, DEAR, acceptance)
    for _ in range(9):
        guessing.draft(99, 1)
        guessing.saw(encode(" wrong")[0], " wrong")
    assert acceptance.chance(Source.ABOVE, agreeing) != before


def test_of_several_guesses_the_likeliest_is_tried() -> None:
    learned = Acceptance()
    for _ in range(200):
        learned.saw(Source.ABOVE, 6, False)
        learned.saw(Source.BELOW, 6, True)
    lookup = Lookup("total = alpha + 1\ntotal =", "\ntotal = gamma - 2\n")
    lookup_only = Drafter(lookup, encode, decode, learned, FREE)
    assert decode(lookup_only.draft(2, 1)) == " gamma "
