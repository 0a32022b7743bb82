"""The typists type exactly the file, whatever they are shown."""

import random

import pytest

from benchmarks.replay.passages import Passage, cut, inside_brackets
from benchmarks.replay.typists import ERROR_SHARE, NOTICE_S, TYPISTS, Seen, gaps, right_part, slips
from tests.replay.sessions import PASSAGE

SOURCE = "".join(f"def f{i}(x):\n    y = x + {i}\n\n    return y\n\n\n" for i in range(40))


def typed(name: str, passage: Passage, seen: Seen | None = None) -> tuple[str, int]:
    """What stands there when a typist is done, and how many keys it took."""
    typist, written, keys = TYPISTS[name](passage), "", 0
    while written != passage.truth:
        press = typist.press(written, seen, now=1.0)
        written = written[: len(written) - press.back] + press.text
        keys += 1
        assert keys < 10 * len(passage.truth), "never done"
    return written, keys


@pytest.mark.parametrize("name", TYPISTS)
@pytest.mark.parametrize("seed", range(5))
def test_the_file_is_typed_to_the_letter(name, seed):
    passage = cut("f.py", SOURCE, random.Random(seed))
    assert passage.above + passage.truth + passage.below == SOURCE
    written, keys = typed(name, passage)
    assert written == passage.truth
    assert keys == len(passage.keys) + (2 * len(slips(passage)) if name == "errs" else 0)


def test_one_key_in_ten_is_wrong_at_first():
    passage = Passage("long", "long.py", "python", "", "x = [1, 2]\n" * 300, "")
    share = len(slips(passage)) / len(passage.keys)
    assert abs(share - ERROR_SHARE) < 0.02
    assert all(wrong != passage.truth[at] for at, wrong in slips(passage).items())


def test_a_line_end_brings_its_indentation_and_is_one_key():
    assert "".join(PASSAGE.keys) == PASSAGE.truth
    assert "\n        " in PASSAGE.keys
    assert PASSAGE.truth.count("\n") == sum(key.startswith("\n") for key in PASSAGE.keys)


@pytest.mark.parametrize(
    ("shown", "rest", "taken"),
    [
        ("radius", "radius\n", "radius"),
        ("radius\n\n    def", "radius\n\n    def area", "radius\n\n    def"),
        ("radius\n    x = 1", "radius\n    y = 2", "radius"),
        ("rad\n    x = 1", "radius\n    y = 2", ""),  # half a line is no line
        ("radius2", "radius\n", ""),
        ("radius", "radius", "radius"),
        ("radius\n", "radius", "radius"),  # nothing follows
        ("", "radius", ""),
    ],
)
def test_what_is_right_is_accepted_line_by_line(shown, rest, taken):
    assert right_part(shown, rest) == taken


@pytest.mark.parametrize(
    ("seen", "accepted"),
    [
        (Seen("self.radius", since=1.0 - NOTICE_S), True),
        (Seen("self.radius", since=1.0 - NOTICE_S + 0.01), False),  # nobody is so quick
        (Seen("self.area", since=0.0), False),
        (Seen("s", since=0.0), False),  # one key for one key
        (None, False),
    ],
)
def test_tab_is_pressed_for_what_is_right_and_was_seen(seen, accepted):
    press = TYPISTS["accepts"](PASSAGE).press("", seen, now=1.0)
    assert press.accepts is accepted
    assert press.text == ("self.radius" if accepted else "s")


def test_gaps_have_the_median_of_a_quick_typist_and_pauses_before_lines():
    passage = Passage("long", "long.py", "python", "", "value = other_value\n" * 200, "")
    found = gaps(passage)
    inside = sorted(gap for at, gap in found.items() if passage.truth[at - 1] not in "\n ")
    lines = sorted(gap for at, gap in found.items() if at and passage.truth[at - 1] == "\n")
    assert 0.14 < inside[len(inside) // 2] < 0.16
    assert sum(gap > 0.6 for gap in lines) > 0.15 * len(lines)
    assert found == gaps(passage)


def test_inside_brackets_the_closer_stands_there_already():
    passage = cut("f.py", "\n" + SOURCE.replace("return y", "return min(y, 100)"), random.Random(1))
    inside = inside_brackets(passage)
    assert inside.truth == "y, 100"
    assert inside.above.endswith("return min(")
    assert inside.below.startswith(")\n")
    assert inside.above + inside.truth + inside.below == passage.above + passage.truth + passage.below
    assert inside_brackets(PASSAGE) is None  # of `area(self):` nobody needs the rest
