"""Each rule of clean-up where it fires and where it must not. ║ is the cursor, ├…┤ what is inserted."""

from dataclasses import replace

import pytest

from midfill.server.completion.cleanup import explain
from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.rules import ALWAYS, RULES
from midfill.server.completion.rules.ends import something_said
from midfill.server.completion.rules.indentation import with_the_files_indentation, without_double_space
from midfill.server.completion.rules.leaks import without_fences, without_markers, without_thoughts
from midfill.server.completion.rules.near_lines import not_the_line_above
from midfill.server.completion.rules.repetition import without_a_loop
from midfill.server.completion.rules.same_line import without_a_new_start, without_an_echo
from midfill.server.text import new_snapshot
from tests.cursor import parse, show


def at(picture: str, language: str = "python") -> CursorContext:
    text, offset = parse(picture)
    return read_cursor(new_snapshot("file:///a", 1, language, text), offset, Trigger.AUTOMATIC, 10_000)


def after(rule, picture: str, written: str, language: str = "python") -> str:
    """The picture of the document with what `rule` leaves; "" where it drops all."""
    left = rule(written, at(picture, language))
    text, offset = parse(picture)
    return show(text, offset, left) if left else ""


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("a<|im_sep|>b", "a"),
        ("a<fim_middle>b", "a"),
        ("<|endoftext|>", ""),
        ("a <| b |> c", "a <| b |> c"),
        ("<a href='x'></s>", "<a href='x'></s>"),
    ],
)
def test_nothing_from_a_marker_on_is_inserted(written, left):
    assert without_markers(written, at("║")) == left


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("<think>\nIt adds.\n</think>\n\nx = 1", "x = 1"),
        ("<think>\nIt adds, and never ends", ""),
        ("x = '<think>'", "x = '<think>'"),
    ],
)
def test_thoughts_are_not_inserted(written, left):
    assert without_thoughts(written, at("║")) == left


@pytest.mark.parametrize(
    ("picture", "language", "written", "left"),
    [
        ("║", "python", "```python\nx = 1\n```\nThis adds.", "x = 1"),
        ("║", "python", "```\nx = 1", "x = 1"),
        ("║", "python", "x = 1\n```\n\nThis adds.", "x = 1\n"),
        ("║", "markdown", "```\nx = 1\n```", "```\nx = 1\n```"),
        ('"""\n```║', "python", "py\nx = 1\n```", "py\nx = 1\n```"),
        ("x = ║", "javascript", "`a```", "`a```"),
    ],
)
def test_fences_are_not_inserted_into_code(picture, language, written, left):
    assert without_fences(written, at(picture, language)) == left


@pytest.mark.parametrize(
    ("picture", "written", "picture_after"),
    [
        ("x = ║", " 1", "x = ├1┤"),
        ("foo.║", " bar", "foo.├bar┤"),
        ("x =║", " 1", "x =├ 1┤"),
        ("x = ║", "1  # y", "x = ├1  # y┤"),
        ("    ║", "  x", "    ├  x┤"),  # indentation is another rule's
        ("║", " x", "├ x┤"),
    ],
)
def test_one_blank_is_enough(picture, written, picture_after):
    assert after(without_double_space, picture, written) == picture_after


@pytest.mark.parametrize(
    ("picture", "language"),
    [
        ("The first sentence.║", "markdown"),
        ("# The first sentence.║", "python"),
        ("/* The first sentence.\n * The second.║", "c"),
        ('def f():\n    """The value.║', "python"),
    ],
)
def test_a_sentence_keeps_its_distance_from_the_one_before(picture, language):
    assert without_double_space(" And on.", at(picture, language)) == " And on."


def test_a_makefile_keeps_its_tabs_whatever_is_indented_around():
    picture = "SRCS = a.c \\\n       b.c\n\nclean:\n║"
    written = "\trm a.o\n\trm app\n"
    assert with_the_files_indentation(written, at(picture, "makefile")) == written
    assert with_the_files_indentation(written, at(picture, "python")) != written


@pytest.mark.parametrize(
    ("picture", "written", "picture_after"),
    [
        ("\tif x:║\n", "\n        a\n        b", "\tif x:├\n\t\ta\n\t\tb┤\n"),
        (
            "f() {\n\ta();\n\tif (x) {║\n}\n",
            "\n    b();\n  }",
            "f() {\n\ta();\n\tif (x) {├\n\t\tb();\n\t}┤\n}\n",
        ),
        ("    if x:║\n", "\n\t\ta\n", "    if x:├\n        a\n┤\n"),
        ("\tif x:║\n", "\n\t\ta", "\tif x:├\n\t\ta┤\n"),
        ("\tx\n    if x:║\n", "\n        a", "\tx\n    if x:├\n        a┤\n"),  # the file has both
        ("if x:║\n", "\n    a", "if x:├\n    a┤\n"),  # the file has neither
        ("\tx = ║", "    1", "\tx = ├    1┤"),  # no line below the first
    ],
)
def test_lines_are_indented_as_the_file_is(picture, written, picture_after):
    assert after(with_the_files_indentation, picture, written) == picture_after


@pytest.mark.parametrize(
    ("picture", "written", "picture_after"),
    [
        ("undo.║", "undo.undo(m)", "undo.├undo(m)┤"),
        ("    value = foo.║", "value = foo.bar()", "    value = foo.├bar()┤"),
        ("undo.║", "undo(m)", "undo.├undo(m)┤"),
        ("x.║", "x.y", "x.├x.y┤"),  # too short to tell
        ("    test║", "test_it()", "    test├test_it()┤"),  # a word may begin with itself
        ("║", "x", "├x┤"),
    ],
)
def test_the_lines_own_beginning_is_not_written_again(picture, written, picture_after):
    assert after(without_an_echo, picture, written) == picture_after


@pytest.mark.parametrize(
    ("picture", "written", "picture_after"),
    [
        ("    aa,\n    bbb.║", "c(),\n    aa,\n    bbb.d())", "    aa,\n    bbb.├d())┤"),
        (
            "    aa,\n    bbb.║",
            "c(),\n    aa,\n    bbb.d(\n        e)",
            "    aa,\n    bbb.├d(\n        e)┤",
        ),
        (
            "    aa,\n    bbb.║",
            "c(),\n    xx,\n    bbb.d())",
            "    aa,\n    bbb.├c(),\n    xx,\n    bbb.d())┤",
        ),
        ("    aa,\n    ║", "c(),\n    aa,\n    d())", "    aa,\n    ├c(),\n    aa,\n    d())┤"),
    ],
)
def test_an_answer_that_starts_over_begins_where_it_catches_up(picture, written, picture_after):
    assert after(without_a_new_start, picture, written) == picture_after


@pytest.mark.parametrize(
    ("picture", "written", "dropped"),
    [
        ("assert len(m.positions) == 1\n║", "assert len(m.positions) == 1", True),
        ("pop()\n║", "pop()", False),
        ("assert len(m.positions) == 1\n║", "assert len(m.positions) == 2", False),
        ("    assert len(m.positions) == 1\n║", "assert len(m.positions) == 1", False),
    ],
)
def test_a_long_line_is_not_written_twice_in_a_row(picture, written, dropped):
    assert (not_the_line_above(written, at(picture)) == "") is dropped


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("a\nfoo()\nfoo()\nfoo()", "a\nfoo()"),
        ("a\nfoo()\nbar()\nfoo()\nbar()\nfoo()\nbar()", "a\nfoo()\nbar()"),
        ("foo()\nfoo()\nfoo()\nfo", "foo()\nfoo()\nfoo()\nfo"),  # not to the end
        ("foo()\nfoo()", "foo()\nfoo()"),
        ("    }\n  }\n}", "    }\n  }\n}"),
        ("x\n}\n}\n}", "x\n}\n}\n}"),  # says too little
        ("x = " + "very " * 12, ""),
        ("x = 1\ny = a, b, a, b, a, b, a, b, a, b, a, b", "x = 1"),
        ("[0, 0, 0, 0, 0, 0, 0]", "[0, 0, 0, 0, 0, 0, 0]"),
        ("x = -----------------------------", "x = -----------------------------"),
        ("first, second, third = first_of(values), second_of(values), third_of(values)",) * 2,
    ],
)
def test_a_loop_of_the_model_is_cut_to_one_round(written, left):
    assert without_a_loop(written, at("║")) == left


@pytest.mark.parametrize(
    ("written", "said"), [("...", False), ("x", True), (")", True), ("-", False), ('"', True)]
)
def test_a_suggestion_says_something(written, said):
    assert bool(something_said(written, at("║"))) is said


FIRES = {
    "without_thoughts": ("║", "<think>a</think>b"),
    "without_markers": ("║", "a<|im_end|>"),
    "without_fences": ("║", "```\na\n```"),
    "without_double_indentation": ("def f():\n    ║", "    a"),
    "without_double_space": ("x = ║", " a"),
    "with_the_files_indentation": ("\tif x:║\n", "\n        a"),
    "one_line_inside_a_line": ("f(║, b)", "a\nc"),
    "without_a_new_start": ("    aaaa(),\n    bbbb.║", "c(),\n    aaaa(),\n    bbbb.d()"),
    "without_an_echo": ("undo.║", "undo.do()"),
    "without_the_rest_of_the_line": ("f(║, b)", "a, b)"),
    "without_the_lines_below": ("║\nalpha()", "a\nalpha()"),
    "not_the_next_line": ("║\nreturn x", "return x"),
    "not_the_line_above": ("assert a_long_name == 1\n║", "assert a_long_name == 1"),
    "without_a_loop": ("║", "foo()\nfoo()\nfoo()"),
    "without_stray_closers": ("x = ║", "f(a))"),
    "only_what_is_reached": ("def f():\n    ║\n", "return 1\n    a()"),
    "whole_syntax": ("def f():\n    ║\n", "a = = b"),
    "without_trailing_space": ("║", "a "),
    "something_said": ("x = ║", "..."),
}
"""A case for each rule, by name."""


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_each_rule_says_that_it_fired_and_can_be_switched_off(rule):
    picture, written = FIRES[rule]
    assert rule in explain(written, at(picture)).fired
    off = explain(written, replace(at(picture), rules_off=frozenset({rule})))
    assert (rule in off.fired) is (rule in {always.__name__ for always in ALWAYS})
