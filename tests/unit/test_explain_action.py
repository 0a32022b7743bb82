"""Where a comment that explains a selection goes: the file before and after."""

import ast

import pytest

from midfill.server.actions.explain import Explain
from tests.unit.action_bench import Bench

SAID = "Set two numbers."


def bench(picture: str, language: str = "python") -> Bench:
    return Bench(Explain(), picture, SAID, language=language)


async def with_comment_in(line: int, bench: Bench) -> str:
    """The text after the action, which is as it was but for the comment in that line."""
    before = bench.text
    lines = (await bench.run()).splitlines(keepends=True)
    assert SAID in lines.pop(line)
    assert "".join(lines) == before
    return bench.text


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        (
            "python",
            "def f():\n    ║x = 1\n    y = 2║\n",
            "def f():\n    # Set two numbers.\n    x = 1\n    y = 2\n",
        ),
        ("javascript", "║f(1);\r\n║g(2);\r\n", "// Set two numbers.\r\nf(1);\r\ng(2);\r\n"),
    ],
)
async def test_an_explanation_stands_above_the_selection(language: str, before: str, after: str) -> None:
    assert await bench(before, language).run() == after


@pytest.mark.parametrize(
    ("language", "picture"), [("python", "x = ║1\n"), ("javascript", "/* a\n║b\n║*/\nf()\n")]
)
async def test_no_explanation_of_nothing_or_inside_a_comment(language: str, picture: str) -> None:
    bench_ = bench(picture, language)
    before = bench_.text
    assert await bench_.run() == before
    assert bench_.told
    assert bench_.host.asked == []


@pytest.mark.parametrize(
    ("language", "picture", "line"),
    [
        ("python", "a\nx = 1 + \\\n    ║2 + 3║\n", 1),
        ("python", "a\nx = 1 + \\\n    2 + \\\n    ║3║\n", 1),
        ("python", "a\r\nx = 1 + \\\r\n    ║2║\r\n", 1),
        ("python", "with a as b, \\\n     ║c as d:\n    pass║\n", 0),
        ("python", "x = 1; \\\n    ║y = 2║\n", 0),
        ("python", "# a path: C:\\\n║x = 1║\n", 1),
        ("python", "def f():\n    x = '''a\n║b\n║'''\n", 1),
        ("python", "x = 1 + \\\n  '''é\n║b║\n'''\n", 0),
        ("python", "x = f'''{\n║y║\n}'''\n", 0),
        ("python", "x = (\n    'a'\n    ║'b'║\n)\n", 1),
        ("python", "x = (\n    1,\n    ║2,║\n)\n", 2),
        ("javascript", "f()\ng(`\n║b║`)\n", 1),
        ("c", "int y;\n#define MAX(a) \\\n    ║do { a; \\\n    } while (0)║\nint x;\n", 1),
    ],
)  # fmt: skip
async def test_it_stands_above_the_first_line_of_a_statement_that_goes_on(
    language: str, picture: str, line: int
) -> None:
    after = await with_comment_in(line, bench(picture, language))
    if language == "python":
        ast.parse(after)


@pytest.mark.parametrize(
    ("language", "picture", "line"),
    [
        ("javascript", "g()\r\n// eslint-disable-next-line no-eval\r\n║eval(x)║\r\n", 1),
        ("typescript", "{\n  // @ts-ignore\n  // prettier-ignore\n  ║f(1)║\n}\n", 1),
        ("javascript", "// @ts-ignore\n\n║f(1)║\n", 2),
        ("cpp", "void f() {\n  // NOLINTNEXTLINE\n  ║g();║\n}\n", 1),
        ("python", "# pylint: disable-next=eval-used\n║eval(x)║\n", 0),
        ("python", "# why it is pylint: disable-next\n║eval(x)║\n", 1),
    ],
)
async def test_it_stands_above_a_directive_for_the_next_line(
    language: str, picture: str, line: int
) -> None:
    await with_comment_in(line, bench(picture, language))


async def test_the_model_is_shown_the_whole_of_what_the_comment_stands_above() -> None:
    bench_ = bench("x = 1 + \\\n    ║2║\n")
    await bench_.run()
    assert "```python\nx = 1 + \\\n    2\n```" in bench_.host.asked[0].messages[-1].content


@pytest.mark.parametrize(
    ("language", "picture", "line"),
    [
        ("python", "║#!/usr/bin/env python\nx = 1\n║", 1),
        ("python", "║#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n\nx = 1\n║", 3),
        ("python", "║# vim: set fileencoding=utf-8 :\r\nx = 1\r\n║", 1),
        ("python", "║\n# coding: utf-8\nx = 1\n║", 2),
        ("python", "║# Ours.\n# coding: utf-8\nx = 1\n║", 2),
        ("python", "║# Ours.\n\n# coding: utf-8\nx = 1\n║", 0),
        ("python", "║x = 1\n# coding: utf-8\n║", 0),
        ("javascript", "║#!/usr/bin/env node\nf();\n║", 1),
        ("rust", "║#![allow(dead_code)]\nfn f() {}\n║", 0),
    ],
)
async def test_it_stands_behind_a_shebang_and_the_encoding(language: str, picture: str, line: int) -> None:
    await with_comment_in(line, bench(picture, language))


async def test_it_stands_behind_a_byte_order_mark() -> None:
    assert await bench("║\ufeffx = 1║\n").run() == "\ufeff# Set two numbers.\nx = 1\n"


async def test_a_shebang_alone_is_not_explained() -> None:
    bench_ = bench("║#!/usr/bin/env python║\nx = 1\n")
    before = bench_.text
    assert await bench_.run() == before
    assert "come first" in bench_.told[0]
    assert bench_.host.asked == []


async def test_a_statement_that_has_come_to_go_on_above_meanwhile_gets_none() -> None:
    bench_ = bench("║x = 1║\n")
    bench_.host.held = True
    task = bench_.start()
    assert task is not None
    await bench_.host.waiting.wait()
    bench_.type("z = \\\n" + bench_.text)
    bench_.host.go_on()
    await task
    assert bench_.text == "z = \\\nx = 1\n"
    assert "nothing was inserted" in bench_.told[0]
