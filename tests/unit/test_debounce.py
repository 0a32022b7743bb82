"""How long typing must rest before the model is asked."""

import pytest

from midfill.server.completion.cursor import Trigger, read_cursor
from midfill.server.completion.debounce import (
    FIRST_GUESS_S,
    KEYS,
    LEADING_EDGE_S,
    LEAST_S,
    MOST_S,
    PAUSE_S,
    Rhythm,
    delay_s,
)
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot
from tests.cursor import parse


def typed(*gaps: float) -> tuple[Rhythm, float]:
    """Keys with these seconds between them; and when the last came."""
    rhythm, now = Rhythm(), 50.0
    rhythm.key(now)
    for gap in gaps:
        now += gap
        rhythm.key(now)
    return rhythm, now


def delay(picture: str, rhythm: Rhythm, now: float, setting="auto", idle=True, trigger=Trigger.AUTOMATIC):
    text, offset = parse(picture)
    context = read_cursor(new_snapshot("file:///a.py", 1, "python", text), offset, trigger, 1000)
    return delay_s(Settings(debounce_ms=setting), context, rhythm, now, idle)


@pytest.mark.parametrize("gaps", [(0.08, 0.08), (0.3, 0.08)])
def test_inside_a_word_and_a_burst_it_waits_for_half_an_interval(gaps):
    rhythm, now = typed(*gaps)
    assert delay("x = foo║\n", rhythm, now) == pytest.approx(sum(gaps) / len(gaps) / 2, abs=0.035)
    assert LEAST_S <= delay("x = foo║\n", rhythm, now) <= MOST_S


@pytest.mark.parametrize(("gap", "seconds"), [(0.01, LEAST_S), (0.1, 0.05), (0.149, 0.0745)])
def test_the_wait_follows_the_typist_within_its_bounds(gap, seconds):
    rhythm, now = typed(*[gap] * 5)
    assert delay("x = foo║\n", rhythm, now) == pytest.approx(seconds)
    slow, then = typed(*[0.35] * 5, 0.1)
    assert delay("x = foo║\n", slow, then) == MOST_S


@pytest.mark.parametrize("picture", ["x = ║\n", "foo(║)\n", "foo.║\n", "x\n║", "x\n    ║\n", "║", "🦊║"])
def test_at_a_new_line_and_behind_what_is_no_word_it_does_not_wait(picture):
    assert delay(picture, *typed(0.05, 0.05), idle=False) == 0


def test_the_first_key_after_a_rest_does_not_wait_while_the_device_is_idle():
    for burst in (typed(), typed(0.05, LEADING_EDGE_S + 0.01)):
        assert delay("x = foo║\n", *burst) == 0
        assert delay("x = foo║\n", *burst, idle=False) > 0
    rhythm, now = typed(0.05)
    assert delay("x = foo║\n", rhythm, now + LEADING_EDGE_S + 0.01) == 0, "the client itself waited"
    assert delay("x = foo║\n", rhythm, now + 0.1) > 0


@pytest.mark.parametrize(("setting", "seconds"), [(120, 0.12), (0, 0.0), (350.0, 0.35)])
def test_a_number_is_kept_to_everywhere(setting, seconds):
    assert delay("x = ║\n", *typed(), setting=setting) == seconds
    assert delay("x = foo║\n", *typed(0.05), setting=setting) == seconds


@pytest.mark.parametrize("setting", ["auto", 120])
def test_an_explicit_request_never_waits(setting):
    assert delay("x = foo║\n", *typed(0.05), setting=setting, idle=False, trigger=Trigger.INVOKED) == 0


def test_pauses_are_no_part_of_the_rhythm_and_old_keys_drop_out():
    assert typed(PAUSE_S + 0.1, 3.0)[0].mean_s == FIRST_GUESS_S
    assert typed(0.1, 3.0, 0.2)[0].mean_s == pytest.approx(0.15)
    assert typed(0.3, *[0.1] * KEYS)[0].mean_s == pytest.approx(0.1)
