"""One of HumanEval's functions, or of a file like it, as something to write tests for."""

import re

from midfill.server.actions.unit_tests.evaluate import Subject
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import Module

FILE = "solution.py"
"""What its module is called."""
Problem = dict[str, str]
"""A row: task_id, prompt, canonical_solution, entry_point; for most also test."""


def subject_of(problem: Problem) -> Subject:
    text = program(problem)
    function = function_at(text, line_of(text, problem))
    assert function is not None, "every problem has its function"
    return Subject(text, function, Module(FILE.removesuffix(".py"), "."), None, FILE)


def program(problem: Problem) -> str:
    return problem["prompt"] + problem["canonical_solution"]


def line_of(text: str, problem: Problem) -> int:
    return text[: text.index(f"def {problem['entry_point']}(")].count("\n") + 1


def without_examples(problem: Problem) -> Problem:
    """The same with nothing in its docstring from the first example on: a model copies those."""
    prompt, name = problem["prompt"], re.escape(problem["entry_point"])
    begun = re.search(rf"def {name}\(.*?(\"{{3}}|'{{3}})", prompt, re.DOTALL)
    assert begun is not None, "every problem has a docstring"
    end = prompt.rindex(begun[1])
    told = prompt[begun.end() : end]
    first = re.search(rf">>>|\b{name}\(|\bexamples?\b|\be\.g\.", told, re.IGNORECASE)
    told = told[: first.start()].rstrip() if first else told
    return problem | {"prompt": prompt[: begun.end()] + told + "\n    " + prompt[end:]}
