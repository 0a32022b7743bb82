"""Closers that close nothing are cut off; ║ is the cursor."""

import pytest

from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.rules.balance import without_stray_closers
from midfill.server.text import new_snapshot
from tests.cursor import parse


def at(picture: str, language: str) -> CursorContext:
    text, offset = parse(picture)
    return read_cursor(new_snapshot("file:///a", 1, language, text), offset, Trigger.AUTOMATIC, 10_000)


@pytest.mark.parametrize(
    ("picture", "written", "left"),
    [
        ("x = ║\n", "f(a))", "f(a)"),
        ("x = ║\n", "a]\ny", "a"),
        ("f(║, b)\n", "a)", "a"),
        ("f(\n    a,\n    ║\n)\n", "b)", "b"),
        ("f(║)\n", "a))", "a)"),
        ("x = ║\n", ")", ""),
        # must not fire
        ("x = ║\n", "f(a)", "f(a)"),
        ("f(g(║\n", "a))", "a))"),
        ("f(║)\n", "a)", "a)"),
        ("f(║, b)\n", "a) + (c", "a) + (c"),
        ("x = ║\n", "'a)'", "'a)'"),
        ("x = ║\n", "f(a)  # :)", "f(a)  # :)"),
        ("f(\n    a,\n    ║\n", "b)\ng()", "b)\ng()"),
        ("x = ║\n", "f(", "f("),
        ("# a list: ║\n", "1) this", "1) this"),
        (" * a list: ║\n", "1) this", "1) this"),
        ('x = "a ║\n', 'smile :)"', 'smile :)"'),
        ('"""\n║\n', "1) this", "1) this"),
    ],
)
def test_a_closer_that_closes_nothing_is_not_inserted(picture, written, left):
    assert without_stray_closers(written, at(picture, "ruby")) == left


@pytest.mark.parametrize(
    ("picture", "language", "written"),
    [
        ("pages = total // max(\n    ║\n", "python", "1, size)"),
        ("x = a // b\ny = f(║\n", "ruby", "c)"),
        ("return (\n  <p>Don't {t('x')}</p>\n║", "javascriptreact", ");"),
        ("class A {\n  #items = [\n    ║", "typescript", "1,\n  ];"),
        ("f(a,  // a (\n  ║", "javascript", "b)"),
    ],
)
def test_what_is_a_comment_or_a_string_is_told_by_the_language(picture, language, written):
    assert without_stray_closers(written, at(picture, language)) == written


@pytest.mark.parametrize(
    ("language", "written"),
    [("rust", "&'a f(&'a x)"), ("plaintext", "1) first"), ("shellscript", "stop) do_stop ;;")],
)
def test_where_brackets_are_not_told_from_text_nothing_is_cut(language, written):
    assert without_stray_closers(written, at("x = ║", language)) == written
