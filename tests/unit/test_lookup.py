"""Guesses, by pictures: `┃` is the cursor, left of it what stands there, right of it what follows."""

import pytest

from midfill.model.lookup import GUESS_CHARS, MAX_CHARS, WINDOW_CHARS, Guess, Lookup, Source


def look(picture: str, *written: str, suggestion: str = "") -> dict[Source, Guess]:
    prefix, _, suffix = picture.partition("┃")
    lookup = Lookup(prefix, suffix, suggestion)
    for text in written:
        lookup.feed(text)
    return {guess.source: guess for guess in lookup.guesses()}


@pytest.mark.parametrize(
    ("picture", "written", "source", "text"),
    [
        ("total = first + second\ntotal = ┃\n", (), Source.ABOVE, "first + second\ntotal = "),
        ("x┃\nreturn self.value\n", ("return se",), Source.BELOW, "lf.value\n"),
        ("call(alpha)\ncal┃", ("l(al",), Source.ABOVE, "pha)\ncall(al"),  # inside a word
        ("one_a = 1\none_b = 2\n┃", ("one_",), Source.ABOVE, "b = 2\none_"),  # the nearest above
        ("┃\none_a = 1\none_b = 2", ("one_",), Source.BELOW, "a = 1\none_b = 2"),  # the nearest below
        ("abcdefg 1\nxdefg 2\n┃", ("abcdefg",), Source.ABOVE, " 1\nxdefg 2\nabcdefg"),  # the longest
        ("ab ab ab ┃", (), Source.ABOVE, "ab "),  # a pattern that goes on
    ],
)
def test_what_followed_the_last_characters_may_come_next(
    picture: str, written: tuple[str, ...], source: Source, text: str
) -> None:
    assert look(picture, *written)[source].text == text


@pytest.mark.parametrize("picture", ["┃", "abc┃abc", "x = 1\ny = ┃", "unseen┃", "abcd┃"])
def test_where_the_last_characters_stand_nowhere_else_nothing_is_guessed(picture: str) -> None:
    assert look(picture) == {}


def test_nothing_is_guessed_where_the_text_ends() -> None:
    assert look("x┃ = abcd", "abcd") == {}


def test_agreement_is_counted_without_white_space_and_grows_while_guesses_come_true() -> None:
    lookup = Lookup("def f(a):\n    return a + b\n\ndef f(a):\n    ")
    [first] = lookup.guesses()
    assert (first.agreeing, first.text[:8]) == (len("def f(a):".replace(" ", "")), "return a")
    lookup.feed("return")
    [second] = lookup.guesses()
    assert (second.agreeing, second.text[:6]) == (first.agreeing + 6, " a + b")


def test_a_guess_that_came_wrong_is_given_up() -> None:
    lookup = Lookup("value = compute(1)\nvalue = ")
    [guess] = lookup.guesses()
    assert guess.text.startswith("compute(1)")
    lookup.feed("0x77")
    assert lookup.guesses() == []


def test_what_was_suggested_before_is_guessed_again_where_typing_agrees_with_it() -> None:
    before = Lookup("def area(self):\n    ", "\n")
    before.feed("return self.w * self.h")
    written = before.written()
    found = look("def area(self):\n    ret┃\n", suggestion=written)
    assert found[Source.SUGGESTION].text == "urn self.w * self.h"


def test_what_was_suggested_before_outlives_an_answer_cut_short() -> None:
    before = Lookup("def area(self):\n    ", "\n")
    before.feed("return self.w * self.h")
    short = Lookup("def area(self):\n    ret", "\n", before.written())
    short.guesses()
    short.feed("urn")
    assert short.written().endswith("return self.w * self.h")
    short.feed(" None")
    assert short.written().endswith("return None")


def test_far_text_is_not_searched_and_guesses_are_short() -> None:
    assert look("needle" + "x" * WINDOW_CHARS + "┃", "needle") == {}
    found = look("needle" + "x" * 500 + "┃", "needle")[Source.ABOVE]
    assert found.text == "x" * GUESS_CHARS
    long = "y" * 3 * MAX_CHARS
    assert look(long + "z" + long + "┃")[Source.ABOVE].agreeing == MAX_CHARS
