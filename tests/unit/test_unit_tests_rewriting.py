"""What a model or a docstring says is written so that it says the same in a test."""

import ast

import pytest

from midfill.server.actions.unit_tests.examples import examples_of
from midfill.server.actions.unit_tests.parsing import parse_answer
from tests.unit.test_unit_tests_parsing import STACK, bodies, function


@pytest.mark.parametrize(
    "answer",
    [
        'assert mean(parse("""1\n2""")) == 1.0',
        'def test_mean():\n    assert mean("""1\n2""") == 1.0',
        "def test_mean():\n    with pytest.raises(TypeError):\n        mean('''1\n2''')",
        'class TestMean:\n    def test_a(self):\n        self.assertEqual(mean("""1\n2"""), 1.0)',
    ],
)
def test_a_string_of_several_lines_keeps_what_it_says(answer):
    answer = answer.replace("parse(", "str(")
    (body,) = bodies(answer)
    assert any(isinstance(n, ast.Constant) and n.value == "1\n2" for n in ast.walk(ast.parse(body)))
    assert all(line.startswith(("assert", "with", "    mean")) for line in body.split("\n"))


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ("assertTrue(mean([1]) == 1.0)", "assert (mean([1]) == 1.0) is True"),
        ("assertFalse(mean([1]) > 2 or None)", "assert (mean([1]) > 2 or None) is False"),
        ("assertEqual(not mean([]), True)", "assert (not mean([])) is True"),
        ("assertEqual(mean([-1]), -1)", "assert mean([-1]) == -1"),
    ],
)
def test_what_a_unittest_method_asserts_keeps_its_meaning(said, body):
    assert bodies(f"class TestMean:\n    def test_a(self):\n        self.{said}") == [body]


FETCH = "async def fetch(n):\n    return n\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ("assert await fetch(1) == 1", "assert asyncio.run(fetch(1)) == 1"),
        (
            "@pytest.mark.asyncio\nasync def test_it():\n    found = await fetch(1)\n    assert found == 1",
            "found = asyncio.run(fetch(1))\nassert found == 1",
        ),
        (
            "assert await fetch(await fetch(1)) == 1",
            "assert asyncio.run(fetch(asyncio.run(fetch(1)))) == 1",
        ),
    ],
)
def test_what_awaits_is_run_in_a_loop_of_its_own(answer, body):
    (case,) = parse_answer(answer, function(FETCH, 1)).cases
    assert case.body == body
    assert case.imports == ("import asyncio",)


def test_a_generator_is_not_awaited():
    (case,) = parse_answer("assert fetch(1) == 1", function(FETCH.replace("return", "yield"), 1)).cases
    assert case.body == "assert fetch(1) == 1"


def test_what_only_a_coroutine_may_do_is_left_out_with_the_reason():
    answer = "async def test_it():\n    async with it() as a:\n        pass\n    assert await fetch(a) == 1"
    parsed = parse_answer(answer, function(FETCH, 1))
    assert parsed.cases == ()
    assert "it is no code for a test: 'async with' outside async function" in parsed.left_out[0]


def test_examples_that_are_comparisons_hold_for_the_right_function():
    text = '''def add(a, b):
    """Add.

    >>> add(1, 2) == 3
    True
    >>> 2 in [add(1, 1)]
    True
    >>> add(1, 2) > 4
    False
    >>> add(2, 2)  # as everybody knows
    4
    >>> not add(0, 0)
    True
    """
    return a + b
'''
    cases = examples_of(function(text, 1))
    assert [case.body for case in cases] == [
        "assert add(1, 2) == 3",
        "assert 2 in [add(1, 1)]",
        "assert (add(1, 2) > 4) is False",
        "assert add(2, 2) == 4",
        "assert (not add(0, 0)) is True",
    ]
    space: dict[str, object] = {}
    exec(text, space)
    for case in cases:
        exec(case.body, space)


def test_a_property_is_reached_without_a_call():
    top = function(STACK, 7)
    (case,) = parse_answer("stack = Stack()\nstack.push(3)\nassert stack.top == 3", top).cases
    assert case.body.endswith("assert stack.top == 3")
    assert parse_answer("stack = Stack()\nassert stack.items == []", top).cases == ()
