"""Answers at hand: the cache by exact text around the cursor, and what becomes of what is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.model import Finish, FinishReason
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import Trigger, read_cursor
from midfill.server.completion.reuse import (
    CONTRADICTED,
    EMPTY_TTL_S,
    ENTRIES,
    TAIL_CHARS,
    TTL_S,
    TYPED,
    WALK_BACK_CHARS,
    Cache,
    Shown,
    Written,
    read,
    suffix_head,
)
from midfill.server.completion.speculate import after_accept
from midfill.server.text import DocumentSnapshot, new_snapshot
from tests.cursor import parse, show

EOT = Finish(FinishReason.EOT)


def place(picture: str, uri: str = "file:///a.py") -> tuple[DocumentSnapshot, int]:
    text, offset = parse(picture)
    return new_snapshot(uri, 1, "python", text), offset


def context_at(snapshot: DocumentSnapshot, offset: int):
    return read_cursor(snapshot, offset, Trigger.AUTOMATIC, 1000)


def kept(picture: str, written: str = "foo(a)", uri: str = "file:///a.py") -> Cache:
    cache = Cache()
    cache.put(*place(picture, uri), Written(written, EOT), now=0.0)
    return cache


def found(cache: Cache, picture: str, now: float = 1.0, uri: str = "file:///a.py") -> str:
    """The picture with the first suggestion that the cache has there; without one, as it is."""
    snapshot, offset = place(picture, uri)
    for origin, written in cache.find(snapshot, offset, now):
        suggestion, _ = read(written, snapshot, origin, offset, context_at)
        if suggestion:
            rest = snapshot.text[:offset] + snapshot.text[offset + suggestion.replace :]
            return show(rest, offset, suggestion.text)
    return picture


@pytest.mark.parametrize(
    ("asked", "now", "answered"),
    [
        ("x = ║\n", "x = ║\n", "x = ├foo(a)┤\n"),
        ("x = ║\n", "x = fo║\n", "x = fo├o(a)┤\n"),
        ("x = ║\n", "x = foo(a║\n", "x = foo(a├)┤\n"),
        ("x = ║\n", "x = foo(a)║\n", "x = foo(a)║\n"),  # all of it stands there
        ("x = ║\n", "x = fa║\n", "x = fa║\n"),
        ("x = f║\n", "x = ║\n", "x = ║\n"),  # asked further on
        ("x = ║\n", "y = ║\n", "y = ║\n"),
        ("x = ║\nz", "x = ║\ny", "x = ║\ny"),
        ("x = ║\n\n  z", "x = ║\n  z", "x = ║\n  z"),  # blank lines are text too
        ("x = ║\nz\nmore", "x = ║\nz\nother", "x = ├foo(a)┤\nz\nother"),
        ("x = (║)\n", "x = (║]\n", "x = (║]\n"),
        ("x =║\n", "x = ║\n", "x = ║\n"),
    ],
)
def test_what_was_written_is_found_where_the_text_around_the_cursor_is_the_same(asked, now, answered):
    assert found(kept(asked), now) == answered


def test_another_file_with_the_same_text_gets_nothing():
    cache = kept("x = ║\n")
    assert found(cache, "x = ║\n", uri="file:///b.py") == "x = ║\n"


def test_closers_behind_the_cursor_are_judged_when_it_is_read():
    cache = kept("print(║)\n", '"a")')
    assert found(cache, "print(║)\n") == 'print(├"a")┤\n'
    assert found(cache, 'print("a║)\n') == 'print("a├")┤\n'


def test_it_is_found_as_far_back_as_a_line_is_long_and_no_further():
    long = "a" * (WALK_BACK_CHARS + 5)
    cache = kept("x = ║\n", long)
    assert "├" in found(cache, f"x = {long[:WALK_BACK_CHARS]}║\n")
    assert "├" not in found(cache, f"x = {long[: WALK_BACK_CHARS + 1]}║\n")


def test_only_the_text_near_the_cursor_has_to_be_the_same():
    far, near = "a" * 10, "b" * TAIL_CHARS
    cache = kept(f"{far}{near}║\n")
    assert "├" in found(cache, f"{far}x{near}║\n")
    assert "├" not in found(cache, f"{far}{near[1:]}x║\n")


def test_the_nearest_one_that_agrees_is_the_answer():
    cache = kept("x = ║\n", "foo(a)")
    cache.put(*place("x = fo║\n"), Written("od", EOT), now=0.0)
    assert found(cache, "x = fo║\n") == "x = fo├od┤\n"
    assert found(cache, "x = foo║\n") == "x = foo├d┤\n"
    assert found(cache, "x = foo(║\n") == "x = foo(├a)┤\n"
    assert found(cache, "x = f║\n") == "x = f├oo(a)┤\n"


@pytest.mark.parametrize(("written", "seconds"), [("foo(a)", TTL_S), ("", EMPTY_TTL_S)])
def test_entries_age_and_those_of_nothing_sooner(written, seconds):
    cache, (snapshot, offset) = kept("x = ║\n", written), place("x = ║\n")
    assert list(cache.find(snapshot, offset, seconds - 0.1))
    assert not list(cache.find(snapshot, offset, seconds))
    assert not cache.has(snapshot, offset)


def test_the_least_recently_used_entry_goes_first():
    cache = kept("x0 = ║\n")
    for n in range(1, ENTRIES):
        cache.put(*place(f"x{n} = ║\n"), Written("1", EOT), 0.0)
    assert found(cache, "x0 = ║\n") != "x0 = ║\n"  # used
    cache.put(*place("y = ║\n"), Written("1", EOT), 0.0)
    assert cache.has(*place("x0 = ║\n"))
    assert not cache.has(*place("x1 = ║\n"))


def test_a_document_is_forgotten_alone_or_with_all_others():
    cache = kept("x = ║\n")
    cache.put(*place("x = ║\n", "file:///b.py"), Written("1", EOT), 0.0)
    cache.forget("file:///a.py")
    assert found(cache, "x = ║\n") == "x = ║\n"
    assert found(cache, "x = ║\n", uri="file:///b.py") == "x = ├1┤\n"
    cache.forget()
    assert found(cache, "x = ║\n", uri="file:///b.py") == "x = ║\n"


lines = st.text(st.sampled_from("ab(\n "), max_size=8)
uris = st.sampled_from(["file:///a.py", "file:///b.py"])


@given(st.lists(st.tuples(uris, lines, lines, lines), max_size=5), uris, lines, lines)
def test_no_answer_from_another_file_another_suffix_or_another_prefix(entries, uri, before, after):
    cache = Cache()
    for where, *texts in entries:
        cache.put(*place("{}║{}".format(*texts), where), Written(texts[2], EOT), 0.0)
    snapshot, offset = place(f"{before}║{after}", uri)
    for origin, written in cache.find(snapshot, offset, 1.0):
        assert any(
            (where, head, text) == (uri, before[:origin], written.text)
            and suffix_head(tail, 0) == suffix_head(after, 0)
            for where, head, tail, text in entries
        )


@given(lines, lines, lines, lines)
def test_an_answer_read_where_some_of_it_is_typed_is_the_rest_of_the_whole(before, after, text, typed):
    whole = read(Written(text, EOT), *place(f"{before}║{after}"), len(before), context_at)
    snapshot, offset = place(f"{before}{typed}║{after}")
    rest, why = read(Written(text, EOT), snapshot, len(before), offset, context_at)
    if whole[0] is None:
        assert (rest, why) == whole
    elif rest is not None:
        assert (typed + rest.text, rest.offset) == (whole[0].text, offset)
    else:
        assert why == (TYPED if typed == whole[0].text else CONTRADICTED)


# --- what is shown --------------------------------------------------------------------------------------


def shown(picture: str, *texts: str, replace: int = 0, ended: bool = True) -> Shown:
    snapshot, offset = place(picture)
    return Shown(snapshot, offset, tuple(Suggestion(offset, text, replace) for text in texts), ended)


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        ("x = ║\n", "foo"),
        ("x = f║\n", "oo"),
        ("x = foo║\n", None),
        ("x = ba║\n", "r"),  # the second one
        ("x = fa║\n", None),
        ("x║ = f\n", None),
        ("x =║\n", None),
        ("y = f║\n", None),
    ],
)
def test_whichever_of_the_shown_is_typed_stays(now, rest):
    left = shown("x = ║\n", "foo", "bar").typed_through(*place(now))
    assert (left.text if left else None) == rest


@pytest.mark.parametrize(
    ("made_for", "text", "replace", "now", "accepted"),
    [
        ("x = ║\n", "foo", 0, "x = foo║\n", True),
        ("x = ║\n", "foo", 0, "x = fo║\n", False),
        ("x = ║\n", "foo", 0, "x = fox║\n", False),
        ("f(║)\n", "a)", 1, "f(a)║\n", True),
        ("f(║)\n", "a)", 1, "f(a))║\n", False),
        ("if x║\r\n", ":\n    y", 0, "if x:\r\n    y║\r\n", True),
    ],
)
def test_an_accepted_suggestion_is_known_from_the_text_alone(made_for, text, replace, now, accepted):
    assert (shown(made_for, text, replace=replace).accepted_in(place(now)[0]) is not None) == accepted


@pytest.mark.parametrize(
    ("now", "deleted"),
    [
        ("x =║\n", True),
        ("║\n", True),
        ("x = ║\n", False),
        ("x = f║\n", False),
        ("x ║\n\n", False),
        ("y =║\n", False),
    ],
)
def test_deleting_past_its_beginning_is_told_from_other_changes(now, deleted):
    assert shown("x = ║\n", "foo").deleted_into(place(now)[0]) == deleted


@pytest.mark.parametrize(
    ("picture", "text", "replace", "ended", "after"),
    [
        ("x = ║", "foo()", 0, True, "x = foo()\n║"),
        ("x = ║\ny", "foo()", 0, True, "x = foo()\n║\ny"),
        ("x = ║\r\ny", "foo()", 0, True, "x = foo()\r\n║\r\ny"),
        ("f(║)\ny", "a)", 1, True, "f(a)\n║\ny"),
        ("if x║\n", ":\n    y", 0, True, "if x:\n    y\n║\n"),
        ("f(║, b)\n", "a", 0, True, None),
        ("x = ║\ny", "[1, 2,", 0, False, "x = [1, 2,║\ny"),
        ("f(║, b)\n", "[1, 2,", 0, False, "f([1, 2,║, b)\n"),
    ],
)
def test_behind_an_accepted_line_comes_a_new_one(picture, text, replace, ended, after):
    found = after_accept(shown(picture, text, replace=replace, ended=ended))
    assert (show(found[0].text, found[1]) if found else None) == after
