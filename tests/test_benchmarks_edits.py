"""The replay of real edits puts the cursor where an editor had it: between new text above, old below."""

import pytest

from benchmarks.edits import Edit, cut, place, shares_run

OLD = """\
def a(x):
    return first(x, y, z) + second(x)


def c(x):
    return x
"""
NEW = """\
def a(x):
    return first(x, y, z) + second(x)


def b(x):
    return first(x, y, z) + second(x)


def c(x):
    y = 1
    return y
"""


def edits(old: str = OLD, new: str = NEW, typing: bool = False) -> list[Edit]:
    return [place("p", "p.py", old, hunk, typing) for hunk in cut(old, new)]


def picture(edit: Edit) -> str:
    """The last line above, the cursor as ┃, what was written next in brackets, and the line below."""
    return f"{edit.prefix[-12:]}┃[{edit.gold}]{edit.suffix[:12]}"


def test_above_the_cursor_is_the_new_text_and_below_it_the_old() -> None:
    added, changed = edits()
    assert added.prefix + added.gold + added.suffix == NEW.replace(
        "    y = 1\n    return y", "    return x"
    )
    assert changed.prefix + changed.gold + changed.suffix == NEW
    assert changed.prefix.endswith("def c(x):\n    ")
    assert (changed.gold, changed.suffix) == ("y = 1\n    return y", "\n")


def test_half_of_the_first_line_stands_there_while_it_is_typed() -> None:
    fresh, typing = edits()[0], edits(typing=True)[0]
    assert fresh.prefix + fresh.gold == typing.prefix + typing.gold
    assert typing.prefix.endswith("\ndef ")
    assert typing.gold.startswith("b(x):")
    assert (typing.name, fresh.name) == ("p:5 typing", "p:5")


def test_an_edit_repeats_when_eight_tokens_in_a_row_are_there_already() -> None:
    assert [edit.repeats for edit in edits()] == [True, False]


@pytest.mark.parametrize(
    ("these", "shared"),
    [("abcdefgh", True), ("xxabcdefghxx", True), ("abcdefg", False), ("abcd efgh", False)],
)
def test_runs_are_unbroken(these: str, shared: bool) -> None:
    assert shares_run(list(these), list("..abcdefgh..")) is shared


def test_hunks_that_nobody_writes_in_one_go_are_left_out() -> None:
    long = "".join(f"x{i} = {i}\n" for i in range(7))
    assert list(cut("", long)) == []
    assert list(cut(OLD, OLD.replace("    return x\n", ""))) == []  # only removed
