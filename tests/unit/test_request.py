"""From the cursor to the model's request: what it sees, how far it may write. (║ is the cursor.)"""

import time
from dataclasses import replace

import pytest

from midfill.model import Scope
from midfill.server.completion.cursor import EDGE_CHARS, CursorContext, Trigger, read_cursor
from midfill.server.completion.request import (
    SINGLE_LINE_TOKENS,
    build_request,
    decide_scope,
    line_above,
    next_line,
)
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot
from tests.cursor import parse

BLOCK, LINE = Scope.BLOCK, Scope.SINGLE_LINE


def at(picture: str, language: str = "python", max_chars: int = 10_000) -> CursorContext:
    text, offset = parse(picture)
    snapshot = new_snapshot("file:///a", 1, language, text)
    return read_cursor(snapshot, offset, Trigger.AUTOMATIC, max_chars)


@pytest.mark.parametrize(
    ("picture", "scope"),
    [
        ("def f(a):║", BLOCK),
        ("def f(a):\n    ║", BLOCK),
        ("def f(a):\n    ║\n\nx = 1\n", BLOCK),
        ("def f(a):\n    return ║", LINE),
        ("def f(a):\n    x = 1\n    ║", LINE),
        ("def f(a):\n\n    ║", BLOCK),
        ("def add(║)", BLOCK),
        ("x = [║]", BLOCK),
        ("x = f(║, b)", LINE),
        ("x = ║", LINE),
        ("import ║", LINE),
        ("if x:║  # why", LINE),
        ("║", LINE),
        ("║x = 1\n", LINE),
        ("\n\n║", LINE),
        ("function f() {║}", BLOCK),
        ("function f() {\n  ║\n}", BLOCK),
        ("const f = (a) =>║", BLOCK),
        ("const f = (a) => ║", BLOCK),
        ("const x = ║;", LINE),
        ("if (a) {\n  b();\n} else {\n  ║\n}", BLOCK),
        ("foo(function () {\n  ║\n});", BLOCK),
        ("func main() {\n\t║\n}\n", BLOCK),
        ("if err != nil {║}", BLOCK),
        ("\tx := ║", LINE),
        ("fn f(x: &str) -> usize {\n    ║\n}", BLOCK),
        ("let v: Vec<║>", LINE),
        ("match x {\n    Some(y) =>║", BLOCK),
        ("let x = ║;", LINE),
        ("if [ -f a ]; then\n  ║\nfi", BLOCK),
        ("for x in *; do\n  ║\ndone", BLOCK),
        ("undo\n║", LINE),
        ("def f(a):\r\n    ║\r\n", BLOCK),
        ('def f(a):\n    """Doc."""\n║\n\nx = 1\n', BLOCK),
        ('def f(a):\n    """Doc."""\n    # why\n    ║\n', BLOCK),
        # the block has lines already
        ('def f(a):\n    """Doc."""\n║\n    x = 1\n', LINE),
        ("def f(a):\n    ║\n    x = 1\n", LINE),
        ("def f(a):║\n    x = 1\n", LINE),
        ("function f() {\n  // why\n  ║\n  a();\n}\n", LINE),
    ],
)
def test_a_block_is_written_only_where_one_begins(picture, scope):
    assert decide_scope(at(picture)) is scope


@pytest.mark.parametrize(
    ("picture", "found"),
    [
        ("a║b\nc\n", "c"),
        ("║\n\n   \n  c = 1  \nd", "  c = 1  "),
        ("║\n\t\n", ""),
        ("║", ""),
        ("a║)", ""),
        ("║\r\n\r\nc\r\nd", "c"),
        ("║\rc", "c"),
        ("║\n\x0c\nc", "c"),
    ],
)
def test_the_next_line_is_the_first_below_the_cursor_that_is_not_blank(picture, found):
    assert next_line(at(picture)) == found


@pytest.mark.parametrize(
    ("after", "closers", "line_end"),
    [
        ("", False, True),
        ("   ", False, True),
        (")", True, True),
        ("))", True, True),
        (")  ", True, True),
        ("):", True, True),
        ('")', True, True),
        ("});", True, True),
        (") {", True, True),
        ("'", True, True),
        (">", True, True),
        (", b)", False, False),
        (" }", False, False),
        (";", False, False),
        (") + 1", False, False),
        (")(", False, False),
        ("x", False, False),
    ],
)
def test_closers_are_told_from_text_that_matters(after, closers, line_end):
    context = at(f"f(║{after}\nnext)")
    assert (context.closers_follow, context.at_line_end) == (closers, line_end)


def test_closers_of_the_editor_are_kept_from_the_model_and_the_lines_below_are_not():
    request = build_request(at("def add(║):\n    pass\n"), Settings())
    assert (request.prefix, request.suffix) == ("def add(", "\n    pass\n")
    assert build_request(at("f(║, b)\n"), Settings()).suffix == ", b)\n"


@pytest.mark.parametrize(
    ("picture", "line"),
    [
        ("a\nb║", "a"),
        ("a\n║\nb", "a"),
        ("  a  \n\t║", "  a  "),
        ("a\n\n║", ""),
        ("║\na", ""),
        ("a\r\n  b║", "a"),
    ],
)
def test_the_line_above_is_the_one_directly_above(picture, line):
    assert line_above(at(picture)) == line


def test_the_scanner_is_told_what_is_open_at_the_cursor():
    def rules(picture):
        return build_request(replace(at(picture), rules_off=frozenset({"growth"})), Settings()).stop

    assert [rules(p).may_grow for p in ("x = ║", "f(║)", "f(║, b)")] == [True, True, False]
    assert [rules(p).unclosed for p in ("f(\n  a, ║", "f(\n  a, ║\n)", "f(║)", "x = ║")] == [1, 0, 1, 0]
    assert [rules(p).in_string for p in ('"""a\n║', '"""a"""\n║')] == [True, False]
    assert rules("║").off == {"growth"}


def test_line_ends_of_every_kind_reach_the_model_as_one():
    request = build_request(at("a\r\nb\rc\x0c\u2028║\r\nd\r"), Settings())
    assert (request.prefix, request.suffix) == ("a\nb\nc\x0c\u2028", "\nd\n")


def test_the_request_carries_what_the_place_and_the_settings_say():
    settings = Settings(max_new_tokens=100, temperature=0.5)
    request = build_request(at("def f():\n    if x:║\n\nprint()\n", "python"), settings)
    assert (request.language, request.path) == ("python", "file:///a")
    assert (request.max_new_tokens, request.temperature) == (100, 0.5)
    assert (request.stop.scope, request.stop.line_before) == (BLOCK, "    if x:")
    assert request.stop.next_line == "print()"
    assert not request.prefill_only


def test_a_single_line_gets_fewer_tokens_but_never_more_than_the_setting():
    for setting, inside, may_grow in ((100, SINGLE_LINE_TOKENS, 100), (7, 7, 7)):
        asked = Settings(max_new_tokens=setting)
        assert build_request(at("f(║, x)"), asked).max_new_tokens == inside
        assert build_request(at("x = ║"), asked).max_new_tokens == may_grow


def test_both_texts_are_cut_near_the_cursor_in_a_long_document():
    context = at("a" * 100_000 + "║" + "b" * 100_000, max_chars=1000)
    assert 1000 <= len(context.prefix) <= 1000 + EDGE_CHARS
    assert context.suffix == "b" * 1000
    assert context.offset == 100_000


def test_the_start_of_a_long_prefix_stays_put_while_typing():
    text = "".join(f"line {number}\n" for number in range(10_000))
    start, starts = 50_000, set()
    for typed in range(0, EDGE_CHARS, 32):
        offset = start + typed
        snapshot = new_snapshot("file:///a", typed, "python", text[:start] + "x" * typed + text[start:])
        context = read_cursor(snapshot, offset, Trigger.AUTOMATIC, 4096)
        starts.add(offset - len(context.prefix))
        assert len(context.prefix) >= 4096
        assert context.suffix == text[start : start + 4096]
        if typed == 320:
            assert len(starts) == 1
    assert len(starts) == 2  # it moved once, by a whole edge


def test_a_fence_ends_an_answer_in_code_and_not_in_markdown():
    assert "fence" in build_request(at("# Run this:\n\n║", "markdown"), Settings()).stop.off
    assert "fence" not in build_request(at("x = ║"), Settings()).stop.off


def test_a_long_gap_behind_a_bracket_is_looked_at_in_no_time():
    began = time.perf_counter()
    assert not at(f"f(║){' ' * 60_000}x", max_chars=100_000).closers_follow
    assert at(f"f(║){' ' * 30_000};{' ' * 30_000}", max_chars=100_000).closers_follow
    assert time.perf_counter() - began < 1  # it took 17 s
