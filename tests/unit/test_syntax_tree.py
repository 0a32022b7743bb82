"""What a parser says of a cursor's place, in every language that has a grammar."""

import pytest

from midfill.server.syntax import begins_block, frame, is_whole, unclosed, unreached
from midfill.server.syntax.grammars import GRAMMARS
from tests.cursor import parse


def around(picture: str) -> tuple[str, str]:
    text, offset = parse(picture)
    return frame(text[:offset], text[offset:])


@pytest.mark.parametrize(
    ("language", "picture", "begins"),
    [
        ("python", 'class A:\n    def f(self):\n        """Doc.\n\n        More.\n        """\n║\n', True),
        ("python", 'def f():\n    """Doc."""\n    ║\n', True),
        ("python", "def f():\n    # why\n    ║\n", True),
        ("python", "def f():\n\n    ║\n", True),
        ("python", 'def f():\n    """Doc."""\n    x = 1\n    ║\n', False),
        ("python", 'if x:\n    """No docstring here."""\n    ║\n', False),
        ("python", "def f():\n    x = 1\n    ║\n", False),
        ("python", "x = 1\n║\n", False),
        ("javascript", "function f() {\n  // why\n  ║\n}\n", True),
        ("javascript", "function f() {\n  a();\n  ║\n}\n", False),
        ("javascriptreact", "function f() {\n\n  ║\n}\n", True),
        ("typescript", "class A {\n  f(x: number): void {\n\n    ║\n  }\n}\n", True),
        ("typescriptreact", "const f = () => {\n  const a = 1;\n  ║\n};\n", False),
        ("java", "class A {\n  void f() {\n    // why\n    ║\n  }\n}\n", True),
        ("java", "class A {\n  void f() {\n    g();\n    ║\n  }\n}\n", False),
        ("go", "func f() {\n\t// why\n\t║\n}\n", True),
        ("go", "func f() {\n\tx := 1\n\t║\n}\n", False),
        ("rust", "fn f() {\n    // why\n    ║\n}\n", True),
        ("rust", "fn f() {\n    let x = 1;\n    ║\n}\n", False),
        ("c", "int f(void) {\n    /* why */\n    ║\n}\n", True),
        ("c", "int f(void) {\n    int x = 1;\n    ║\n}\n", False),
        ("cpp", "namespace a {\nint f() {\n    // why\n    ║\n}\n}\n", True),
        ("cuda-cpp", "void f() {\n    g();\n    ║\n}\n", False),
        ("plaintext", "f {\n  ║\n}\n", None),
    ],
)
def test_a_block_begins_below_its_header_its_comments_and_its_docstring(language, picture, begins):
    assert begins_block(language, *around(picture)) is begins


def test_every_grammar_is_asked_above():
    mark = test_a_block_begins_below_its_header_its_comments_and_its_docstring.pytestmark[0]
    assert {language for language, _, _ in mark.args[1]} >= set(GRAMMARS)


JAVA = "class A {\n  int f() {\n    ║\n  }\n}\n"


@pytest.mark.parametrize(
    ("language", "picture", "text", "dead"),
    [
        ("python", "def f():\n    ║\n", "return 1\n    g()", "g()"),
        ("python", "def f():\n    return 1\n    ║\n", "g()", "g()"),  # by what stands above
        (
            "python",
            "def f():\n    ║\n",
            "if a:\n        raise b\n    else:\n        return 2\n    g()",
            "g()",
        ),
        (
            "python",
            "def f():\n    ║\n",
            "if a:\n        return 1\n    elif b:\n        return 2\n    g()",
            "",
        ),
        ("python", "def f():\n    ║\n", "for a in b:\n        break\n    g()", ""),
        ("python", "def f():\n    ║\n", "return 1\n    # said afterwards", ""),
        ("python", "def f():\n    ║\n\ndef g():\n    pass\n", "return 1", ""),
        ("python", "def f():\n    ║\n", "é = 'ü'\n    return é\n    g()", "g()"),
        ("javascript", "function f() {\n  ║\n}\n", "return 1;\n  g();", "g();"),
        ("javascript", "function f() {\n  ║\n}\n", "if (a) return 1;\n  g();", ""),
        ("javascript", "function f() {\n  ║\n}\n", "return 1;\n  function g() {}", ""),  # lifted up
        ("typescript", "function f() {\n  ║\n}\n", "throw e;\n  g();", "g();"),
        ("java", JAVA, "if (a) {\n      return 1;\n    } else {\n      return 2;\n    }\n    g();", "g();"),
        (
            "java",
            JAVA,
            "switch (x) {\n      case 1:\n        return 1;\n      case 2:\n        g();\n    }",
            "",
        ),
        ("go", "func f() int {\n\t║\n}\n", "return 1\n\tg()", "g()"),
        ("rust", "fn f() -> i32 {\n    ║\n}\n", "if a { return 1; } else { return 2; }\n    g();", "g();"),
        ("c", "int f(void) {\n    ║\n}\n", "return 1;\nout:\n    g();", ""),
        ("cpp", "int f() {\n    ║\n}\n", "return 1;\n    g();", "g();"),
        ("ruby", "def f\n  ║\nend\n", "return 1\n  g", ""),
    ],
)
def test_below_what_always_leaves_nothing_is_reached(language, picture, text, dead):
    before, after = around(picture)
    found = unreached(language, before, text, after)
    assert [text[at:] for at in found][:1] == ([dead] if dead else [])


@pytest.mark.parametrize(
    ("picture", "count"),
    [
        ("f(║)", 0),
        ("f(║", 1),
        ("f(g(║\n    )", 1),
        ("    f(\n        g, ║\n}", 1),
        ("f(║\n]", 1),
        ("x = {║", 1),
        ("if (a) {\n  ║", 0),  # a function at the end of a file may lack its brace for long
        ("f('(', ║)", 0),
        ("f(  # (\n    ║\n)", 0),
        ("f(a) + ║", 0),
        ("(\n) = g[║\n]", 0),
    ],
)
def test_brackets_that_nothing_behind_the_cursor_closes_are_counted(picture, count):
    text, offset = parse(picture)
    assert unclosed(text[:offset], text[offset:]) == count


@pytest.mark.parametrize("half", ["\ud83d", "\ude00a", "é\ud83d😀"])
def test_half_of_a_surrogate_pair_moves_no_offset(half):
    before, after = f'def f():\n    """{half}"""\n    ', f'\n\nx = "{half}"\n'
    assert is_whole("python", before + "pass" + after) is True
    assert begins_block("python", before, after) is True
    assert begins_block("python", before + "a()\n    ", after) is False
    text = f'return "{half}"\n    g("{half}")'
    assert [text[at:] for at in unreached("python", before, text, after)] == [f'g("{half}")']
