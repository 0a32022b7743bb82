"""What becomes of a suggestion, told from pictures of the document after each change."""

import pytest

from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.reuse import Shown
from midfill.server.statistics.lasting import SLACK_CHARS, Place, still_there
from midfill.server.statistics.watched import Outcome, Watched
from midfill.server.text import new_snapshot
from tests.cursor import parse


def snapshot_of(text: str):
    return new_snapshot("file:///a.py", 1, "python", text)


def outcome(picture: str, written: str | tuple[str, ...], *then: str, replace: int = 0) -> Outcome | None:
    """How `written`, shown at the cursor of `picture`, has ended after the documents `then`."""
    text, offset = parse(picture)
    texts = (written,) if isinstance(written, str) else written
    suggestions = tuple(Suggestion(offset, each, replace) for each in texts)
    watched = Watched(Shown(snapshot_of(text), offset, suggestions), "python", "model", 0.0)
    for number, document in enumerate(then, 1):
        if (found := watched.changed(snapshot_of(document))) is not None:
            assert number == len(then), "it had ended before"
            return found
    return None


@pytest.mark.parametrize(
    ("picture", "written", "then", "ended"),
    [
        ("x = ║", "print(a)", ["x = print(a)"], Outcome.ACCEPTED),
        ("x = ║\ny", "a", ["x = a\ny"], Outcome.TYPED),
        ("x = ║\ny", "ab", ["x = ab\ny"], Outcome.ACCEPTED),
        ("x = ║", "print", ["x = p", "x = pr", "x = pri", "x = prin", "x = print"], Outcome.TYPED),
        ("x = ║", "print(a)", ["x = p", "x = print(a)"], Outcome.ACCEPTED),
        ("x = ║", "print", ["x = pr", "x = print"], Outcome.TYPED),  # three keys in one change
        ("x = ║", "print(a)", ["x = p", "x = q"], Outcome.CONTRADICTED),
        ("x = ║", "print(a)", ["x = q"], Outcome.CONTRADICTED),
        ("x = ║", "print(a)", ["x ="], Outcome.CONTRADICTED),
        ("x = ║", "print(a)", ["x = p", "x ="], Outcome.CONTRADICTED),
        ("x = ║", "print(a)", ["x = p", "x = ", "x = p"], None),
        ("x = ║", "print(a)", ["x = print", "x = print!"], Outcome.PARTLY),
        ("x = ║", "print(a)", ["x = p", "x = pr", "x = pr!"], Outcome.CONTRADICTED),
        ("x = ║\ny = 1", "print(a)", ["x = \ny = 2"], Outcome.LEFT),
        ("x = ║", ("print(a)", "open(b)"), ["x = open(b)"], Outcome.ACCEPTED),
        ("x = ║", ("print(a)", "open(b)"), ["x = o"], None),
        ("a:║\r\n", "\n  b\n  c", ["a:\r\n  b\r\n  c\r\n"], Outcome.ACCEPTED),
        ("a:║\r\n", "\n  b\n  c", ["a:\r\n\r\n"], None),
    ],
)
def test_how_it_ends(picture, written, then, ended):
    assert outcome(picture, written, *then) is ended


def test_a_closer_that_it_covers_is_part_of_it():
    assert outcome("f(║)", "abcd)", "f(abcd)", replace=1) is Outcome.ACCEPTED
    assert outcome("f(║)", "a + b):", "f(a + b):", replace=1) is Outcome.ACCEPTED
    assert outcome("f(║)", "a)", "f(a)", replace=1) is Outcome.TYPED


def test_what_is_left_of_it_is_the_same_suggestion_and_another_is_not():
    watched = Watched(Shown(snapshot_of("x = "), 4, (Suggestion(4, "print(a)"),)), "python", "model", 0.0)
    now = snapshot_of("x = pr")
    assert watched.goes_on_as(Suggestion(6, "int(a)"), now)
    assert not watched.goes_on_as(Suggestion(6, "ices"), now)


TEXT = "total = sum(values)"
BEFORE = "import os\n\ndef mean(values):\n    "
AFTER = "\n    return total\n"


def kept(now: str, text: str = TEXT) -> bool:
    return still_there(Place(text, len(BEFORE), len(text + AFTER)), snapshot_of(now))


@pytest.mark.parametrize(
    ("now", "there"),
    [
        (BEFORE + TEXT + AFTER, True),
        (BEFORE + AFTER, False),
        ("", False),
        (BEFORE + "total = sum(list(values))" + AFTER, True),
        (BEFORE + "raise NotImplementedError" + AFTER, False),
        ("# new\n" * 2000 + BEFORE + TEXT + AFTER, True),  # it moved down, and its end stayed
        (BEFORE + TEXT + AFTER + "# new\n" * 2000, True),
        (("# new\n" * SLACK_CHARS) + AFTER + BEFORE + TEXT + "\n# new" * SLACK_CHARS, False),
    ],
)
def test_an_accepted_text_is_looked_for_at_its_place(now, there):
    assert kept(now) is there


def test_line_ends_do_not_count():
    text = "if a:\n    b()\n    c()"
    edited = "# new\n" * 20  # on both sides
    assert kept(edited + BEFORE + text.replace("\n", "\r\n") + AFTER + edited, text)
