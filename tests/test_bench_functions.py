"""The chooser of real functions, and how docstrings in every style are judged."""

import random
from pathlib import Path

import pytest

from benchmarks.act.docstrings import ARGUMENTS, EXAMPLES, bare, judged, said_in, templated
from benchmarks.act.problems import program
from benchmarks.measure.functions import _one_each, _packages, functions_in, problem_of
from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.docstrings.examples import Example
from midfill.server.actions.docstrings.python_style import docstring
from midfill.server.actions.signature import Parameter

SAID = '"""Find what is wanted among all that is there.\n\n    And more.\n    """'
FILE = f"""\
import os

def wanted(a, b=1):
    {SAID}
    c = a
    d = b
    return c, d

class A:
    async def method(self, a):
        {SAID}
        c = a
        return c

    def alone(self):
        {SAID}
        a = b = c = 1
        return a

def short(a):
    {SAID}
    return a

def twice(a):
    {SAID}
    b = a
    c = a
    return b

def twice(a): pass

def test_it(a):
    {SAID}
    b = a
    c = a
    return b

def silent(a):
    b = a
    c = a
    return b
"""


def test_functions_are_taken_that_have_something_to_compare() -> None:
    assert [node.name for node in functions_in(FILE)] == ["wanted", "method"]


def test_a_problem_ends_its_prompt_behind_the_docstring_and_loses_nothing() -> None:
    for node in functions_in(FILE):
        problem = problem_of("p/f", FILE, node)
        assert program(problem) == FILE
        assert problem["prompt"].endswith('"""\n')
        text, target = bare(problem)
        assert said_in(text, target.name) == ""
        after = templated(text, target)
        found = judged(text, after, target, said_in(FILE, target.name), ["x"])
        assert (found["applied"], found["tree_equal"], found["params"]) == (True, True, False)


def test_a_seed_gives_the_same_functions_one_a_package(tmp_path: Path) -> None:
    for name in ("one", "two", "midfill"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text(FILE)
        (tmp_path / name / "tests" / "__init__.py").write_text("def (")
    (tmp_path / "three.py").write_text(FILE)
    (tmp_path / "broken.py").write_text("def (")
    packages = _packages(tmp_path)
    assert sorted(packages) == ["broken", "one", "three", "two"]
    first, again = (list(_one_each(packages, random.Random(5), 9)) for _ in range(2))
    assert first == again
    assert sorted(one["task_id"].partition("/")[0] for one in first) == ["one", "three", "two"]
    assert len(list(_one_each(packages, random.Random(5), 2))) == 2


@pytest.mark.parametrize("style", ["google", "numpy", "rest"])
def test_parameters_and_examples_are_found_in_every_style(style: str) -> None:
    parameters = ((Parameter("a", "int"), "What to take."), (Parameter("rest", stars="*"), "More of it."))
    bare_content = Content("Do it.", parameters, "It.")
    with_examples = Content(
        "Do it.", parameters, "It.", examples=(Example("f(1)", "2"), Example("f(2)", "3"))
    )
    plain, shown = (
        "\n".join(docstring(content, style, '"""', 80)).removesuffix('"""').rstrip()
        for content in (bare_content, with_examples)
    )
    assert ">>> f(2)\n" in shown
    assert EXAMPLES.sub("", shown).split() == plain.split()
    texts = {name: " ".join(told.split()) for each in ARGUMENTS for name, told in each.findall(plain)}
    assert {"a": "What to take.", "rest": "More of it."}.items() <= texts.items()
