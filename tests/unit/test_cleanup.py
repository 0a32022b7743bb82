"""What is inserted: each rule where it fires and where it must not. ║ is the cursor; in what follows
├…┤ is what accepting inserts, and what it replaces is gone."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from midfill.server.completion.cleanup import Suggestion, clean_up, trimmed
from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.rules.ends import without_trailing_space
from midfill.server.completion.rules.indentation import without_double_indentation
from midfill.server.completion.rules.near_lines import not_the_next_line, without_the_lines_below
from midfill.server.completion.rules.same_line import one_line_inside_a_line, without_the_rest_of_the_line
from midfill.server.text import new_snapshot
from tests.cursor import parse, show


def at(picture: str) -> CursorContext:
    text, offset = parse(picture)
    return read_cursor(new_snapshot("file:///a", 1, "python", text), offset, Trigger.AUTOMATIC, 10_000)


def accepted(picture: str, written: str) -> str:
    """The picture of the document after `written` was cleaned up and accepted; or why nothing is left."""
    suggestion, rule = clean_up(written, replace(at(picture), rules_off=frozenset({"whole_syntax"})))
    if suggestion is None:
        return rule
    text, offset = parse(picture)
    rest = text[:offset] + text[offset + suggestion.replace :]
    assert suggestion.offset == offset
    return show(rest, offset, suggestion.text)


@pytest.mark.parametrize(
    ("picture", "written", "after"),
    [
        # the editor closed the bracket
        ("def add(║)", "a, b):\n    return a + b", "def add(├a, b):\n    return a + b┤"),
        ("def add(║):", "a, b):\n    return a + b", "def add(├a, b):\n    return a + b┤"),
        ("def add(║)", "a, b", "def add(├a, b┤)"),
        ("def add(║)", "a=(1, 2)", "def add(├a=(1, 2)┤)"),
        ("def add(║)  \nx", "a, b)", "def add(├a, b)┤  \nx"),
        ("f(║)", "a) + g(b", "f(├a) + g(b┤)"),
        ("f(║)", "a) + g(b)", "f(├a) + g(b)┤"),
        # nested
        ("foo(bar(║))", "x))", "foo(bar(├x))┤"),
        ("foo(bar(║))", "x)", "foo(bar(├x)┤)"),
        ("foo(bar(║))", "x", "foo(bar(├x┤))"),
        ("foo(bar(║))", "x), y)", "foo(bar(├x), y)┤"),
        ("foo([║])", "(a[0], b)", "foo([├(a[0], b)┤])"),
        ("foo([║])", "a] + [b", "foo([├a] + [b┤])"),
        ("{ ║ }", "a: 1 }", "{ ├a: 1┤ }"),
        ("{ ║ }", "a: {b: 1}", "{ ├a: {b: 1}┤ }"),
        ("{ ║ }", "a: 1", "{ ├a: 1┤ }"),
        # quotes
        ("x = '║'", "abc'", "x = '├abc'┤"),
        ("x = '║'", "abc", "x = '├abc┤'"),
        ("x = '║'", "a' + 'b", "x = '├a' + 'b┤'"),
        ('print("║")', "it's (fine\")", 'print("├it\'s (fine")┤'),
        ('print("║")', 'a", sep="x")', 'print("├a", sep="x")┤'),
        ('print("║")', 'say \\"hi', 'print("├say \\"hi┤")'),
        ('f(f"{║}")', "d['k']}\")", "f(f\"{├d['k']}\")┤"),
        ('"""║"""', 'Say "hi" to', '"""├Say "hi" to┤"""'),
        ('"""║"""', 'Say hi."""', '"""├Say hi."""┤'),
        # a block in braces
        ("function f() {║}", "\n  return 1;\n}", "function f() {├\n  return 1;\n}┤"),
        ("function f() {║}", "\n  if (a) {\n  }", "function f() {├\n  if (a) {\n  }┤}"),
        ("function f() {║}", "\n  // don't\n  g();\n}", "function f() {├\n  // don't\n  g();\n}┤"),
        ("function f(║) {", "a) {\n  return a;\n}", "function f(├a) {\n  return a;\n}┤"),
        # generics, arrows, lifetimes
        ("let v: Vec<║>", "Vec<u8>", "let v: Vec<├Vec<u8>┤>"),
        ("let v: Vec<║>", "u8> = vec![];", "let v: Vec<├u8> = vec![];┤"),
        ("let f: Box<║>", "dyn Fn(u8) -> u8", "let f: Box<├dyn Fn(u8) -> u8┤>"),
        ("fn f(║)", "x: &'a str) {", "fn f(├x: &'a str) {┤"),
    ],
)
def test_closers_behind_the_cursor_are_replaced_only_where_the_text_brings_them_itself(
    picture, written, after
):
    assert accepted(picture, written) == after


@pytest.mark.parametrize(
    ("picture", "written", "after"),
    [
        ("f(║, b)\n", "a\nb", "a"),
        ("f(║, b)\n", "\nb", ""),
        ("f(║\n", "a\nb", "a\nb"),
        ("f(║)\n", "a\nb", "a\nb"),
    ],
)
def test_only_one_line_is_written_in_the_middle_of_a_line(picture, written, after):
    assert one_line_inside_a_line(written, at(picture)) == after


@pytest.mark.parametrize(
    ("picture", "written", "after"),
    [
        ("f(║, b)", "a, b)", "a"),
        ("f(║, b)", "a, b)  ", "a"),
        ("x = ║ + 1", "y + 1", "y"),
        ("f(║, b)", "a", "a"),
        ("f(║, b)", "a, b", "a, b"),
        ("f(║", "a)", "a)"),
        ("f(║)", "a)", "a)"),  # closers are replaced instead
        ("f(g║, b)", "(a, b)", "(a, b)"),  # its own bracket
        ("x = [║ ]", "[1, 2]", "[1, 2]"),
    ],
)
def test_the_rest_of_the_line_is_not_inserted_twice(picture, written, after):
    assert without_the_rest_of_the_line(written, at(picture)).rstrip() == after


@pytest.mark.parametrize(
    ("picture", "written", "after"),
    [
        ("def f():\n    ║\n    return x\n", "x = 1\n    return x", "x = 1"),
        ("def f():\n    ║\n\n    return x\n", "x = 1\n\n    return x\n", "x = 1"),
        ("║\nalpha()\nbeta()\n", "new()\nalpha()\nbeta()", "new()"),
        ("║\r\nalpha()\r\n", "new()\nalpha()", "new()"),
        ("║\nalpha()\nbeta()\n", "new()\nbeta()", "new()\nbeta()"),  # not the next one
        ("║\nalpha()\n", "new()\nalpha", "new()\nalpha"),  # not whole
        ("║\nalpha()\n", "new()\n  alpha()", "new()\n  alpha()"),  # indented otherwise
        ("║\n}\n", "a {\n}", "a {\n}"),  # says too little
        ("║", "a\nb", "a\nb"),
    ],
)
def test_whole_lines_that_stand_below_already_are_not_written_again(picture, written, after):
    assert without_the_lines_below(written, at(picture)) == after


@pytest.mark.parametrize(
    ("picture", "written", "dropped"),
    [
        ("║\nreturn x\n", "return x", True),
        ("    ║\n    return x\n", "return x", True),
        ("ret║\nreturn x\n", "urn x\nmore", True),
        ("║\n\n\nreturn x\n", "return x", True),
        ("║\nreturn x\n", "return y", False),
        ("    ║\nreturn x\n", "return x", False),  # another block's
        ("║\n}\n", "}", False),
        ("║\na\n", "a", False),
        ("║", "return x", False),
    ],
)
def test_the_next_line_of_the_file_is_no_suggestion(picture, written, dropped):
    assert (not_the_next_line(written, at(picture)) == "") is dropped


def test_white_space_at_the_end_is_not_inserted_and_at_the_start_it_is():
    assert without_trailing_space("  a \n \t\n", at("║")) == "  a"


@pytest.mark.parametrize(
    ("picture", "written", "rule"),
    [
        ("║", " \n ", "without_trailing_space"),
        ("f(║, b)", ", b)", "without_the_rest_of_the_line"),
        ("f(║, b)", "\nx", "one_line_inside_a_line"),
        ("║\nreturn x", "return x", "not_the_next_line"),
    ],
)
def test_a_dropped_suggestion_names_the_rule_that_dropped_it(picture, written, rule):
    assert clean_up(written, at(picture)) == (None, rule)


def test_line_ends_that_the_model_wrote_its_own_way_are_ours_afterwards():
    assert accepted("if x:║", "\r\n    a\r    b") == "if x:├\n    a\n    b┤"


@pytest.mark.parametrize(
    ("picture", "written", "after"),
    [
        ("def f():\n    x = 1\n    ║", "    return x", "return x"),
        ("def f():\n    ║", "    x = 1\n        return x\n\n        y", "x = 1\n    return x\n\n    y"),
        ("def f():\n    ║", "    if x:\n            y", "if x:\n        y"),
        ("def f():\n    ║", "x = 1\n    return x", "x = 1\n    return x"),
        ("def f():\n║", "    return x", "    return x"),
        ("class A:\n    def f():\n    ║", "    return x", "    return x"),  # one level is missing
        ("\tx = ║", "  1", "  1"),
    ],
)
def test_behind_a_lines_indentation_nothing_is_indented_again(picture, written, after):
    assert without_double_indentation(written, at(picture)) == after


code = st.text(st.sampled_from("ab, \n\r\t(){}[]<>\"'`:;=-\\🦊"), max_size=25)
below = st.builds("".join, st.tuples(st.text(st.sampled_from(")]}>\"'`"), max_size=3), code))


@settings(max_examples=400)
@given(code, below, code)
@example("def add(", ")", "a, b):\n    return a + b")
def test_invariant_6_accepting_leaves_the_rest_of_the_file_as_it_was(before, after, written):
    context = read_cursor(
        new_snapshot("file:///a", 1, "python", before + after), len(before), Trigger.AUTOMATIC, 1000
    )
    suggestion, rule = clean_up(written, context)
    assert (suggestion is None) == bool(rule)
    if suggestion is None:
        return
    replaced, kept = after[: suggestion.replace], after[suggestion.replace :]
    assert suggestion.offset == len(before)
    assert suggestion.text
    assert len(replaced) == suggestion.replace
    assert not set(replaced) & {"\n", "\r"}, "a range never spans lines"
    assert after == replaced + kept
    letters = iter(suggestion.text)
    assert all(char in letters for char in replaced), "what is replaced is typed again, in order"


@settings(max_examples=400)
@given(code, below, code, st.integers(0, 25))
@example("add(", ")", "a, b):\n    return a + b", 5)
def test_invariant_6_holds_for_what_typing_has_left_of_a_suggestion(before, after, written, count):
    snapshot = new_snapshot("file:///a", 1, "python", before + after)
    suggestion, _ = clean_up(written, read_cursor(snapshot, len(before), Trigger.AUTOMATIC, 1000))
    if suggestion is None:
        return
    typed = suggestion.text[:count]
    rest = trimmed(suggestion, typed, len(typed), after[: suggestion.replace])
    assert rest is not None
    assert typed + rest.text == suggestion.text
    assert rest.replace <= suggestion.replace
    letters = iter(rest.text)
    assert all(char in letters for char in after[: rest.replace])


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("", Suggestion(4, "a, b): pass", 1)),
        ("a,", Suggestion(6, " b): pass", 1)),
        ("a, b)", Suggestion(9, ": pass", 0)),  # a bracket typed by hand
        ("a, b): pass", Suggestion(15, "", 0)),
        ("b", None),
        ("a, b): pass!", None),
    ],
)
def test_what_was_typed_meanwhile_is_trimmed_off(typed, left):
    assert trimmed(Suggestion(4, "a, b): pass", 1), typed, len(typed), ")") == left


def test_typing_counts_as_it_stands_in_a_crlf_document():
    assert trimmed(Suggestion(4, "a\nb"), "a\n", 3, "") == Suggestion(7, "b")
