"""One of HumanEval's functions, or of a file like it, as something to write tests for."""

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
