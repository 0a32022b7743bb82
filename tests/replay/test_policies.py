"""The replayed policies do what is published of them: how they wait, reuse, stay silent and guess ahead."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.replay import runs
from benchmarks.replay.passages import Passage
from benchmarks.replay.policies.cody import first_statement
from benchmarks.replay.policies.continue_ import DEBOUNCE_S
from benchmarks.replay.policies.writing import place
from benchmarks.replay.session import Key, Session
from benchmarks.replay.typists import TYPISTS
from midfill.server.text import new_snapshot
from tests.replay.sessions import PASSAGE

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
LINES = replace(PASSAGE, truth="\n        ".join(f"self.{name} = {name}" for name in NUMBERS))


def play(name: str, typist: str = "copies", passage: Passage = PASSAGE) -> Session:
    return runs.play_scripted(passage, TYPISTS[typist], runs.ENGINES[name])


def at_once(session: Session) -> Iterator[Key]:
    return (key for key in session.given if key.answered == key.at)


def test_continue_lets_even_what_it_knows_wait():
    waits = [key.answered - key.at for key in play("continue").given]
    assert min(waits) == pytest.approx(DEBOUNCE_S)


def test_continue_goes_on_reading_what_agrees_with_the_typing():
    session = play("continue")
    joined = [i for i, key in enumerate(session.keys) if key.given and not session.ledger.asked_for(i, 1e9)]
    assert joined
    assert len(session.ledger.decodes) < len(session.given)


def test_cody_answers_what_is_typed_through_at_once_and_is_silent_behind_a_closer():
    session = play("cody")
    assert len(list(at_once(session))) > 5
    closed = [key for key in session.keys if key.written.endswith(")")]
    assert {key.reply.reason for key in closed} == {"line-ended"}


def test_cody_is_silent_right_behind_an_accepted_line():
    session = play("cody", "accepts")
    accepted = [key for key in session.keys if key.press.accepts and "\n" not in key.press.text]
    assert "accepted" in {key.reply.reason for key in accepted}


def test_cody_knows_the_next_line_from_the_stream_of_the_last():
    session = play("cody", passage=LINES)
    fresh = [key for key in at_once(session) if key.written.endswith("\n        ")]
    assert fresh, "the key that began a line was answered out of the cache"


@pytest.mark.parametrize(
    ("line", "text", "shown", "enough"),
    [
        ("x = ", "1", "1", False),
        ("x = ", "1\ny", "1", True),
        ("", "if x:\n    y\nz\n", "if x:\n    y", True),
        ("", "if x:\n    y\nz", "if x:\n    y\nz", False),  # `z` may still be `zoom`
        ("function f() ", "{\n  y\n}\n", "{\n  y\n}", True),
    ],
)
def test_cody_shows_a_line_or_the_block_that_it_opens(line, text, shown, enough):
    context = place(new_snapshot("file:///a.py", 1, "python", line), len(line))
    assert first_statement(text, context) == (shown, enough)


def test_llama_vim_has_one_request_at_a_time():
    """Each decode is asked for when the one before it has written its last token."""
    decodes = play("llama_vim").ledger.decodes
    assert len(decodes) > 5
    assert all(before.done <= after.at for before, after in pairwise(decodes))


def test_llama_vim_asks_ahead_behind_what_it_shows():
    session = play("llama_vim", passage=LINES)
    unasked = {decode.typed for decode in session.ledger.decodes if decode.key == -1}
    shown = {key.shown for key in session.given}
    assert len(unasked & shown) > 2  # as if it had been accepted
    assert unasked - shown <= {key.written for key in session.given}  # and where a hint is shown already
