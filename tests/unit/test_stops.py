"""Where answers end. `▢` in no picture: each case is line before the cursor, raw answer, what is kept."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midfill.model.api import Scope, StopRules
from midfill.model.dialects import TEXT_MARKERS
from midfill.model.stops import StopScanner


def scan(rules: StopRules, chunks: list[str]) -> tuple[str, bool]:
    """(what comes out, whether a rule ended it) for a stream in these chunks, which then ends."""
    scanner = StopScanner(rules)
    out, stopped = "", False
    for chunk in chunks:
        text, stopped = scanner.feed(chunk)
        out += text
        if stopped:
            return out, True
    out += scanner.finish()
    return out, stopped


def line(answer: str, before: str = "", below: str = "") -> str:
    return scan(StopRules(Scope.SINGLE_LINE, before, below), [answer])[0]


def block(answer: str, before: str = "", below: str = "") -> str:
    return scan(StopRules(Scope.BLOCK, before, below), [answer])[0]


@pytest.mark.parametrize(
    ("before", "answer", "kept"),
    [
        ("return ", "a + b\nprint(1)", "a + b"),
        ("return ", "a + b", "a + b"),
        ("return a", "\nprint(1)", ""),
        ("    ", "\n    x = 1", "    x = 1"),  # a blank line is no answer
        ("x = foo.", "\n    bar()\nbaz()", "bar()"),
        ("x = foo.", "\n\n\n\nbar()", ""),
        ("i++", "\nx = 1", ""),
        ("", "\n", ""),
        ("", "  x  # y \n", "  x  # y "),
        ("x = ", "a\r\nb", "a"),
    ],
)
def test_a_single_line_ends_at_its_line_end(before: str, answer: str, kept: str) -> None:
    assert line(answer, before) == kept


@pytest.mark.parametrize(
    ("before", "answer", "kept"),
    [
        ("    ", "x = 1\n    y = 2\nz = 3\n", "x = 1\n    y = 2"),
        ("def f():", "\n    return 1\n\nprint(f())", "\n    return 1"),
        ("def f():", "  # why\n    return 1\nprint(f())", "  # why\n    return 1"),
        ("fn f() {", "\n    1\n}\nfn g() {", "\n    1\n}"),
        (
            "  if (x) {",
            "\n    a();\n  } else {\n    b();\n  }\n  c();",
            "\n    a();\n  } else {\n    b();\n  }",
        ),
        ("  foo(", "\n    a,\n  )\n  bar()", "\n    a,\n  )"),
        ("def f", "()\n  1\nend\nputs 2", "()\n  1\nend"),
        ("void f()", "\n{\n    g();\n}\nvoid h()\n{\n}\n", "\n{\n    g();\n}"),
        ("", "    return x\n\nclass A:\n    pass\n", "    return x"),
        (
            "    ",
            "for x in y:\n        f(x)\n    return z\nw = 1",
            "for x in y:\n        f(x)\n    return z",
        ),
        ("\t", "a()\n\tb()\n}\n", "a()\n\tb()"),
        ("x = 1", "\ny = 2\nz = 3", "\ny = 2\nz = 3"),
        ("endpoint = {", "\n  a\nendpoint2 = 1", "\n  a"),
    ],
)
def test_a_block_ends_where_its_indentation_does(before: str, answer: str, kept: str) -> None:
    assert block(answer, before) == kept


def test_a_block_that_ends_by_itself_is_kept_whole() -> None:
    assert block("a\n    b\n", "    ") == "a\n    b\n"


def test_two_blank_lines_end_a_block_and_one_does_not() -> None:
    assert block("a = 1\n\nb = 2\n\n\nc = 3\n") == "a = 1\n\nb = 2"


def test_generating_the_line_below_ends_the_answer_before_it() -> None:
    assert block("x = 1\n    return x\n", "    ", "    return x") == "x = 1"
    assert block("return x\n", "    ", "    return x") == ""
    assert line("return x", "    ", "    return x") == ""
    assert line("return xs", "    ", "    return x") == "return xs"
    assert line("        return x", "", "    return x") == "        return x"  # another block's


def test_a_line_below_that_says_little_ends_nothing_but_a_closer_at_its_column_does() -> None:
    assert block("f()\nx\ng()", "", "x") == "f()\nx\ng()"
    assert block("\n    g();\n}\n", "f() {", "}") == "\n    g();"
    assert block("\n    if (x) {\n    }\n    g();\n}\n", "f() {", "}") == "\n    if (x) {\n    }\n    g();"


def test_the_third_identical_line_ends_the_answer() -> None:
    assert block("f()\nf()\nf()\nf()\n") == "f()\nf()\nf()"


def test_a_code_fence_at_a_line_start_never_leaks() -> None:
    assert block("```python\nx = 1\n```\n") == ""
    assert block("x = 1\n```\nThis adds", "") == "x = 1"
    assert line("  ```js") == ""
    assert line("f(`${x}`)", "y = ") == "f(`${x}`)"


@pytest.mark.parametrize("marker", TEXT_MARKERS)
@pytest.mark.parametrize("scope", list(Scope))
def test_a_marker_spelled_out_in_text_ends_the_answer_before_it(marker: str, scope: Scope) -> None:
    assert scan(StopRules(scope, "x = "), list(f"a{marker}b")) == ("a", True)


def test_a_half_marker_at_the_end_is_only_text() -> None:
    assert scan(StopRules(Scope.SINGLE_LINE, "x = "), list("a <|fim_mid")) == ("a <|fim_mid", False)


def test_a_first_line_goes_out_as_it_comes() -> None:
    scanner = StopScanner(StopRules(Scope.SINGLE_LINE, "x = "))
    assert [scanner.feed(text)[0] for text in ("a", " +", " b")] == ["a", " +", " b"]


def test_a_stopped_scanner_gives_out_nothing_more() -> None:
    scanner = StopScanner(StopRules())
    assert scanner.feed("a\nb") == ("a", True)
    assert scanner.feed("c") == ("", True)
    assert scanner.finish() == ""


PIECES = [
    "a",
    "x1",
    " ",
    "    ",
    "\n",
    "\r\n",
    "\r",
    "}",
    "{",
    ":",
    "`",
    "```",
    "end",
    "return x",
    "<|",
    "\t",
]
TEXT = st.lists(st.sampled_from([*PIECES, *TEXT_MARKERS[:3], TEXT_MARKERS[0][:5]]), max_size=25).map(
    "".join
)


@given(
    text=TEXT,
    cuts=st.lists(st.integers(0, 60), max_size=12),
    scope=st.sampled_from(list(Scope)),
    before=st.sampled_from(["", "    ", "x = ", "def f():", "  if x {"]),
    below=st.sampled_from(["", "    return x", "}", "a"]),
)
@example("  ```a", [2], Scope.SINGLE_LINE, "", "")
@example("a\r\nb", [2], Scope.BLOCK, "x = ", "")
@example("<|\r\n", [], Scope.SINGLE_LINE, "", "")
def test_the_chunking_of_the_stream_does_not_matter(
    text: str, cuts: list[int], scope: Scope, before: str, below: str
) -> None:
    rules = StopRules(scope, before, below)
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[a:b] for a, b in pairwise(edges)]
    whole = scan(rules, [text])
    assert scan(rules, chunks) == whole
    assert scan(rules, list(text)) == whole
    assert not any(marker in whole[0] for marker in TEXT_MARKERS)
