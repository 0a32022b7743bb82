"""Answers that a parser shortens or drops, and those that it must leave alone. ║ is the cursor."""

import pytest

from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.rules.whole import only_what_is_reached, whole_syntax
from midfill.server.text import new_snapshot
from tests.cursor import parse


def at(picture: str, language: str = "python") -> CursorContext:
    text, offset = parse(picture)
    return read_cursor(new_snapshot("file:///a", 1, language, text), offset, Trigger.AUTOMATIC, 10_000)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("if a:\n        return 1\n    else:\n        return 2\n    g()\n    h()",
         "if a:\n        return 1\n    else:\n        return 2"),
        ("return f(\n        a\n    )\n    g()", "return f(\n        a\n    )"),
        ("return 1", "return 1"),
        ("if a:\n        return 1\n    g()", "if a:\n        return 1\n    g()"),
        ("if a:\n        return 1\n        c()\n    d", "if a:\n        return 1\n        c()\n    d"),
        ("def g():\n        return 1\n    return g", "def g():\n        return 1\n    return g"),
    ],
)  # fmt: skip
def test_what_is_never_reached_is_not_inserted(written, left):
    assert only_what_is_reached(written, at("def f():\n    ║\n")) == left


@pytest.mark.parametrize(
    ("picture", "written", "left", "language"),
    [
        ("def f():\n    ║\n", "a()\n    b(]\n    c()", "a()", "python"),
        ("def f():\n    ║\n    d()\n", "a = b)", "", "python"),
        ("def f():\n    ║\n", "a()\n    b(", "a()", "python"),
        ("def f():\n    ║\n", "a(b,", "a(b,", "python"),  # only unfinished
        ("f(║)\n", "a, b)", "a, b)", "python"),  # it types the editor's bracket again
        ("f(║)\n", "a] + b", "", "python"),
        ("def f(:\n    ║\n", "a = b)", "a = b)", "python"),  # broken before
        ("class A {\n  void f() {\n    ║\n  }\n}\n", "a();\n  }\n  b();", "a();", "java"),
        ("class A {\n  void f() {\n    ║\n  }\n}\n", "int x = y z;", "", "java"),
        ("int f(void) {\n    ║\n}\n", "int x = ;", "", "c"),
        (
            "int f(void) {\n    ║\n}\n",
            "each(p) {\n    }",
            "each(p) {\n    }",
            "c",
        ),
        ("int f(void) {\n    ║\n}\n", "int x UNUSED = 1;", "int x UNUSED = 1;", "cpp"),
        ("function f() {\n  ║\n}\n", "a = b);", "", "javascript"),
        ("function f() {\n  ║\n}\n", "a = b);", "a = b);", "typescript"),
        ("function f() {\n  ║\n}\n", "a = b);", "a = b);", "plaintext"),
        ("def f():\n    ║\n", "  ", "  ", "python"),
    ],
)
def test_an_answer_that_breaks_whole_syntax_is_cut_to_what_does_not(picture, written, left, language):
    assert whole_syntax(written, at(picture, language)) == left


@pytest.mark.parametrize("half", ["\ud83d", "\ud83d\ud83d", "\ude00é😀"])
def test_half_of_a_surrogate_pair_changes_no_rules_mind(half):
    beside = at(f'def f():\n    """A {half}."""\n    ║\n    x = "{half}"\n')
    assert whole_syntax(f'a("{half}")\n    b(]', beside) == f'a("{half}")'
    assert only_what_is_reached(f'return "{half}"\n    g()', beside) == f'return "{half}"'
