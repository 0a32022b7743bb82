"""A model's answer, and a docstring's examples, become test cases; garbage becomes none."""

import ast

import pytest

from midfill.server.actions.unit_tests.case import Case, Result, Source, Verdict
from midfill.server.actions.unit_tests.examples import examples_of
from midfill.server.actions.unit_tests.function import Function, function_at
from midfill.server.actions.unit_tests.offer import ENOUGH, MAX_PASSING, chosen
from midfill.server.actions.unit_tests.parsing import parse_answer, renamed

MEAN = '''
def mean(values, start=0):
    """The mean.

    >>> mean([1, 3])
    2.0
    >>> numbers = [1, 2]
    >>> mean(numbers)
    1.5

    mean([]) => None
    mean([4], 1) == 5.0 (a remark)
    mean(a) => 3
    mean([2]) returns true
    """
    return start + sum(values) / len(values) if values else None
'''
STACK = """
class Stack:
    def __init__(self):
        self.items = []

    @property
    def top(self):
        return self.items[-1]

    def push(self, item):
        self.items.append(item)
        return len(self.items)
"""


def function(text: str = MEAN, line: int = 3) -> Function:
    found = function_at(text, line)
    assert found is not None
    return found


def bodies(answer: str) -> list[str]:
    return [case.body for case in parse_answer(answer, function()).cases]


@pytest.mark.parametrize(
    "answer",
    [
        "assert mean([1]) == 1.0",
        "```python\nassert mean([1]) == 1.0\n```",
        "Sure! Here is a test:\n\n```py\nassert mean([1]) == 1.0\n```\nIt tests the mean.",
        "```\nassert mean([1]) == 1.0\nassert mean([2, 4",
        "```python\nfrom solution import mean\n\ndef test_mean():\n    assert mean([1]) == 1.0\n```",
        "```python\nassert mean([1]) == 1.0\n```\n```javascript\nexpect(mean([1])).toBe(1)\n```",
        "assert mean([1]) == 1.0\n" * 200,
        "import unittest\nclass T(unittest.TestCase):\n    def test_one(self):\n"
        "        self.assertEqual(mean([1]), 1.0)\n",
        "\r\n".join(["```python", "assert mean([1]) == 1.0", "```"]),
    ],
)
def test_one_test_is_found_in_whatever_is_around_it(answer):
    assert bodies(answer) == ["assert mean([1]) == 1.0"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot help with that.",
        "```javascript\ntest('mean', () => expect(mean([1])).toBe(1));\n```",
        "assert True",
        "assert mean([1])",  # compares nothing
        "assert mean([1]) == mean([1])",
        "assert sum([1]) == 1",
        "assert mean([1]) == undefined_name",
        "assert helper(mean([1])) == 1",
        "def test_it():\n    def mean(v): return 1\n    assert mean(1) == 1",
        "mean = lambda v: 1\nassert mean([1]) == 1",
        "def test_it(client):\n    assert mean([1]) == 1",
        "assert (" * 3000,
        "assert mean([1]) ==\x00 1",
        "```python\n" + "x = 1\n" * 5000,
    ],
)
def test_what_is_no_test_of_the_function_is_none(answer):
    assert bodies(answer) == []


def test_what_was_left_out_is_counted_with_the_reason():
    left_out = parse_answer("assert mean([1])\nassert mean(zzz) == 1", function()).left_out
    assert left_out == (
        "it compares no result of the function with a literal",
        "it uses `zzz`, which is nowhere defined",
    )


def test_a_test_with_several_assertions_is_taken_apart_and_each_keeps_what_is_set_up():
    body = "values = [1, 3]\n    assert mean(values) == 2\n    assert mean(values, 1) == 3"
    answer = f"def test_two():\n    {body}"
    assert bodies(answer) == [
        "values = [1, 3]\nassert mean(values) == 2",
        "values = [1, 3]\nassert mean(values, 1) == 3",
    ]


def test_a_setup_without_its_assertion_is_no_test_and_does_not_spoil_the_next():
    assert bodies("values = [1,\nassert mean([1]) == 1") == ["assert mean([1]) == 1"]


def test_none_and_floats_are_compared_as_one_would():
    assert bodies("assert mean([]) == None\nassert mean([1, 2]) == 1.5\nassert mean([1]) == [0.5, 1]") == [
        "assert mean([]) is None",
        "assert mean([1, 2]) == pytest.approx(1.5)",
        "assert mean([1]) == pytest.approx([0.5, 1])",
    ]
    (case, *_) = parse_answer("assert mean([1, 2]) == 1.5", function()).cases
    assert case.imports == ("import pytest",)


def test_names_say_what_can_be_seen_and_are_told_apart():
    answer = "assert mean([]) == None\nassert mean([], 1) == None\nassert mean([1]) == None"
    cases = renamed(list(parse_answer(answer, function()).cases), {"test_mean_is_none"})
    assert [case.name for case in cases] == [
        "test_mean_of_empty_list",
        "test_mean_of_empty_list_2",
        "test_mean_is_none_2",
    ]


def test_a_method_is_tested_through_its_class():
    push = function(STACK, 11)
    assert (push.label, push.imported) == ("Stack.push", "Stack")
    answer = "def test_first():\n    stack = Stack()\n    assert stack.push(1) == 1"
    (case,) = parse_answer(answer, push).cases
    assert (case.name, case.names) == ("test_stack_push_first", ("Stack",))


def test_modules_that_are_used_are_imported():
    (case,) = parse_answer("assert mean([math.pi]) == 3", function()).cases
    assert case.imports == ("import math",)


def test_examples_of_a_docstring_are_tests_by_construction():
    cases = examples_of(function())
    assert [case.body for case in cases] == [
        "assert mean([1, 3]) == 2.0",
        "numbers = [1, 2]\nassert mean(numbers) == pytest.approx(1.5)",
        "assert mean([]) is None",
        "assert mean([4], 1) == 5.0",
    ]
    assert {case.source for case in cases} == {Source.EXAMPLE}
    for case in cases:
        ast.parse(case.body)


def test_the_function_at_a_line_is_the_one_that_can_be_imported():
    text = "import os\n\n\n@cache\ndef f(x):\n    def inner():\n        return x\n    return inner()\n"
    assert function_at(text, 1) is None
    found = function_at(text, 7)
    assert found is not None
    assert (found.name, found.first_line, found.last_line, found.body_line) == ("f", 4, 8, 6)
    with pytest.raises(SyntaxError):
        function_at("def f(:", 1)


def test_of_a_class_it_is_the_first_public_method_else_how_an_object_is_made():
    text = "class A:\n    def __init__(self): ...\n    def _own(self): ...\n"
    text += "    @property\n    def p(self): ...\n"
    for code, line, name in (
        (f"{text}    def f(self): ...\n    def g(self): ...\n", 1, "f"),
        (f"{text}    def f(self): ...\n    def g(self): ...\n", 7, "g"),
        (text, 1, "__init__"),
    ):
        found = function_at(code, line)
        assert found is not None
        assert (found.owner, found.name) == ("A", name)
    assert function_at("class A:\n    x = 1\n", 1) is None


def test_a_block_in_a_test_stands_at_the_left_edge():
    answer = "def test_it():\n    with pytest.raises(ValueError):\n        mean([1], -1)\n"
    assert bodies(answer) == ["with pytest.raises(ValueError):\n    mean([1], -1)"]


def test_what_reaches_nothing_new_is_left_out_beyond_a_few():
    def reached(name: str, *mutants: int) -> Result:
        return Result(Case(name, ""), Verdict.PASS, mutants_failed=frozenset(mutants))

    same = [reached(f"same{n}", 1) for n in range(6)]
    assert chosen(same) == tuple(same[:ENOUGH])
    assert chosen([*same, reached("new", 2)])[-1].case.name == "new"
    assert len(chosen([reached(f"n{n}", n) for n in range(9)])) == MAX_PASSING
