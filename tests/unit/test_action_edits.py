"""Where an edit belongs after the file moved on, and whether two texts are the same code."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.server.actions.edits import Edit, FileEdit, Tracker, applied, hunk_between, rebased
from midfill.server.actions.sameness import same_code
from midfill.server.actions.source import read_source
from midfill.server.text import new_snapshot

TEXTS = st.text("ab\n", max_size=12)


@given(TEXTS, TEXTS)
def test_a_hunk_makes_one_text_into_the_other(before: str, after: str) -> None:
    hunk = hunk_between(before, after)
    if hunk is None:
        assert before == after
        return
    new = after[hunk.start : hunk.start + hunk.new]
    assert before[: hunk.start] + new + before[hunk.start + hunk.old :] == after


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3), st.text("ab", max_size=3)), max_size=6))
def test_an_edit_lands_beside_the_same_characters_or_nowhere(changes: list[tuple[int, int, str]]) -> None:
    text = "aaaa<guard>bbbb"
    tracker = Tracker(new_snapshot("u", 1, "python", text))
    now = text
    for start, length, new in changes:
        now = now[:start] + new + now[start + length :]
        tracker.changed(new_snapshot("u", 2, "python", now))
    moved = rebased(FileEdit("u", (Edit((5, 5), "!"),), (4, 11)), tracker)
    if moved is None:
        assert now != text
    else:
        assert "<!guard>" in applied(now, moved.edits)


def test_without_a_guard_any_change_is_one_too_many() -> None:
    tracker = Tracker(new_snapshot("u", 1, "python", "abc"))
    edit = FileEdit("u", (Edit((0, 0), "x"),))
    assert rebased(edit, tracker) == edit
    tracker.changed(new_snapshot("u", 2, "python", "abcd"))
    assert rebased(edit, tracker) is None


@pytest.mark.parametrize(
    ("language", "before", "after", "same"),
    [
        ("python", "def f():\n    pass\n", 'def f():\n    """d"""\n    pass\n', True),
        ("python", "def f(): 'a'\n", "def f():\n    'b'\n", True),
        ("python", "def f(): pass  # x\n", "# y\ndef f():\n    pass\n", True),
        ("python", "if a:\n    b\nc\n", "if a:\n    b\n    c\n", False),
        ("python", "x = 1\n", "x = 2\n", False),
        ("python", "x = 'a'\n", "x = 'b'\n", False),
        ("python", "def f():\n    x\n    'a'\n", "def f():\n    x\n    'b'\n", False),
        ("python", "def f():\n    f'{x}'\n", "def f():\n    pass\n", False),
        ("python", "def f():\n    pass\n", "def f():\n    pass\n)", False),
        ("python", "x = 1 + \\\n    2\n", "x = 1 + \\\n    # d\n    2\n", False),
        ("python", "x = 1; \\\n    y = 2\n", "x = 1; \\\n    # d\n    y = 2\n", False),
        ("python", "x = (\n    1)\ny = 2\n", "x = (\n    # d\n    1)\n# e\ny = 2\n", True),
        ("python", "def f():\n\tpass\n", "def f():\n    'd'\n\tpass\n", False),
        ("python", "def f():\n\tpass\n)", "def f():\n    'd'\n\tpass\n)", False),
        ("python", "def f(:\n    pass\n", "def f(:\n    # d\n    pass\n", True),
        ("python", "x = '\ud800'\n", "# d\nx = '\ud800'\n", True),
        ("python", "x = '\0'\n", "# d\nx = '\0'\n", True),
        ("python", "x = " + "-" * 5000 + "1\n", "# d\nx = " + "-" * 5000 + "1\n", True),
        ("python", "#!/bin/python\nx\n", "# d\n#!/bin/python\nx\n", False),
        ("python", "#!/bin/python\nx\n", "#!/bin/python\n# d\nx\n", True),
        ("python", "# c\n# coding: latin-1\nx\n", "# d\n# c\n# coding: latin-1\nx\n", False),
        ("python", "# c\n# coding: latin-1\nx\n", "# c\n# coding: latin-1\n# d\nx\n", True),
        ("python", "x\n", "# Set the coding: latin-1.\nx\n", False),
        ("python", "x\ny\n", "x\n# Set the coding: latin-1.\ny\n", True),
        ("python", "\ufeffx\n", "# d\n\ufeffx\n", False),
        ("javascript", "#!/bin/node\nf()\n", "// d\n#!/bin/node\nf()\n", False),
        ("rust", "#![no_std]\n", "// d\n#![no_std]\n", True),
        ("javascript", "f(a)\n", "/** d */\nf(a)\n", True),
        ("javascript", "return f(a)\n", "return /** d\n */\nf(a)\n", False),
        ("javascript", "f(a)", "f(b)", False),
        ("go", "package a\n", "// d\npackage a\n", True),
        ("rust", "fn f() {}\n", "/// d\nfn f() {}\n", True),
        ("cpp", "int a;\n", "/* int b; */ int a;\n", True),
        ("cpp", "int a;\n", "/* int a;\n", False),
    ],
)  # fmt: skip
def test_the_same_code(language: str, before: str, after: str, same: bool) -> None:
    old, new = read_source(language, before), read_source(language, after)
    assert old is not None
    assert new is not None
    assert same_code(old, new) is same
    assert same_code(old, old)


def test_python_itself_reads_no_more_than_the_statements_around_an_edit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    parse = ast.parse
    before = "".join(f"def f{number}():\n    pass\n" for number in range(9))
    after = before.replace("f4():\n", "f4():\n    'd'\n")
    old, new = read_source("python", before), read_source("python", after)
    assert old is not None
    assert new is not None
    with monkeypatch.context() as patched:  # pytest itself parses
        patched.setattr(ast, "parse", lambda text: (read.append(text), parse(text))[1])
        assert same_code(old, new)
    assert read == ["def f4():\n    pass", "def f4():\n    'd'\n    pass"]
