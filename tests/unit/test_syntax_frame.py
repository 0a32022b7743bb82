"""Frames: what encloses the cursor and nothing beside. `…` in an expected frame is the cursor."""

import pytest

from midfill.server.languages import language_of
from midfill.server.syntax import frame, is_whole
from midfill.server.syntax.frame import FAR_CHARS, NEAR_CHARS
from tests.cursor import parse


def framed(picture: str) -> str:
    text, offset = parse(picture)
    before, after = frame(text[:offset], text[offset:])
    assert text[:offset].endswith(before.rpartition("\n")[2])
    return f"{before}║{after}"


@pytest.mark.parametrize(
    ("picture", "kept"),
    [
        # the functions beside it go
        ("def a():\n    x\n\ndef b():\n    ║\n\ndef c():\n    z\n", "def b():\n    ║\n"),
        # the class and the methods above it stay: they may be looked at
        (
            "i\nclass A:\n    def a(self):\n        pass\n    def b(self):\n        ║\n        z\nw\n",
            "class A:\n    def a(self):\n        pass\n    def b(self):\n        ║\n        z",
        ),
        # what closes the blocks stays, what else stands in them goes
        (
            "class A {\n  void f() {\n    ║\n    g();\n  }\n  void h() {\n    i();\n  }\n}\nint j;\n",
            "class A {\n  void f() {\n    ║\n    g();\n  }\n}",
        ),
        # an else belongs to its if
        ("if (a) {\n  b();\n} else {\n  ║\n}\nc();\n", "if (a) {\n  b();\n} else {\n  ║\n}"),
        ("if (a) {\n  ║\n} else {\n  b();\n}\nc();\n", "if (a) {\n  ║\n} else {\n}"),
        # a brace on a line of its own belongs to the line above it
        ("x\nvoid f()\n{\n    ║\n}\nvoid g()\n{\n}\n", "void f()\n{\n    ║\n}"),
        # two closers at one column: the second closes what the frame does not hold
        ("namespace a {\nint f() {\n    ║\n}\n}\n", "int f() {\n    ║\n}"),
        # what is not closed yet
        ("class A {\n  void f() {\n    ║\n", "class A {\n  void f() {\n    ║\n  }\n}"),
        ("class A {\n  void f() {\n    ║\n  }\n", "class A {\n  void f() {\n    ║\n  }\n}"),
        ("class A {\n  void f() {\n    ║", "class A {\n  void f() {\n    ║\n  }\n}"),
        ("f(\n    a,\n    ║", "f(\n    a,\n    ║"),
        # nothing encloses the cursor
        ("import a\n║", "import a\n║"),
        ("a()\nb.║\nc()\n", "b.║\nc()"),
        ("║", "║"),
    ],
)
def test_a_frame_holds_what_encloses_the_cursor(picture: str, kept: str) -> None:
    assert framed(picture) == kept


LONG = "".join(
    f"    def f{n}(self):\n        return [\n            {n},\n        ]\n\n" for n in range(150)
)


def test_a_frame_of_a_long_class_is_small_and_parses_as_the_file_does() -> None:
    text = f"class A:\n{LONG}    def here(self):\n        return ║\n\n{LONG}"
    found = framed(text)
    assert len(found) < 2 * NEAR_CHARS
    assert found.startswith("class A:\n    def ")
    assert is_whole("python", found.replace("║", "x"))
    assert not is_whole("python", found.replace("║", ")"))


def test_what_encloses_the_cursor_from_too_far_away_is_left_out() -> None:
    beside = "".join(f"  int f{n}() {{\n    return {n};\n  }}\n" for n in range(FAR_CHARS // 20))
    text = f"class A {{\n{beside}  int here() {{\n    ║\n  }}\n{beside}}}\n"
    assert framed(text) == "  int here() {\n    ║\n  }"
    near = f"class A {{\n  int here() {{\n    ║\n  }}\n{beside}}}\n"
    assert framed(near) == "class A {\n  int here() {\n    ║\n  }\n}"


NESTED = {
    "a.py": (
        "class A:\n    def f(self):\n        if x:\n            ║\n        return 1\n",
        "y = 1",
        "y = (",
    ),
    "a.js": ("function f() {\n  if (x) {\n    ║\n  }\n}\n", "y = 1;", "y = );"),
    "a.jsx": ("const f = () => {\n  return (\n    <a>\n      ║\n    </a>\n  );\n};\n", "<b />", "{b(}"),
    "a.ts": ("class A {\n  f(x: number): void {\n    ║\n  }\n}\n", "const y: number = 1;", "const = ;"),
    "a.tsx": ("const f = (): X => {\n  return <a>{x}</a>;\n  ║\n};\n", "y();", "y(;"),
    "a.java": ("class A {\n  void f() {\n    ║\n  }\n}\n", "int y = 1;", "int y = ;"),
    "a.go": ("func f() {\n\tif x {\n\t\t║\n\t}\n}\n", "y := 1", "y := ("),
    "a.rs": ("impl A {\n    fn f() {\n        ║\n    }\n}\n", "let y = 1;", "let y = ;"),
    "a.c": ("int f(void) {\n    ║\n    return 0;\n}\n", "int y = 1;", "int y = ;"),
    "a.cpp": ("class A {\npublic:\n  void f() {\n    ║\n  }\n};\n", "auto y = g();", "auto y = g(;"),
}


@pytest.mark.parametrize("name", NESTED)
def test_every_grammar_tells_whole_code_from_broken(name: str) -> None:
    picture, good, bad = NESTED[name]
    language = language_of(name)
    text, offset = parse(picture)
    before, after = frame("x\n\n" + text[:offset], text[offset:])
    assert is_whole(language, before + good + after) is True
    assert is_whole(language, before + bad + after) is False


def test_a_language_without_a_grammar_is_neither_whole_nor_broken() -> None:
    assert is_whole("plaintext", "((") is None
