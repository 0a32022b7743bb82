"""Example calls in a Python docstring: what the model proposes and the code was seen to return. Pure.

A result is never the model's word: a call is shown with what came back when it was run (`trying.py`).
"""

import ast
from dataclasses import dataclass

from midfill.server.actions.answers import FORBIDDEN
from midfill.server.actions.targets import Kind, Target

MOST = 2
TEMPERATURES = (0.0, 0.7)
"""Of the first question for calls, and of another where too few of them can be shown."""
MOST_CALLS = 4
"""That are run, to choose from."""
WIDEST = 72
"""Characters of a call and of a result: one line each, as doctest wants them."""


@dataclass(frozen=True, slots=True)
class Call:
    code: str
    expected: str = ""
    """What the model believes it returns, as a literal."""


@dataclass(frozen=True, slots=True)
class Example:
    call: str
    result: str
    """As Python prints it."""


def can_have_examples(target: Target) -> bool:
    """A function that a literal call says all of: no method, no coroutine, nothing that yields or nests."""
    return (
        target.language == "python"
        and target.kind is Kind.FUNCTION
        and not target.indent
        and target.returns
        and bool(target.parameters)
        and not (target.is_async or target.yields or target.has_errors)
    )


def calls_in(answer: str, name: str) -> list[Call]:
    """The calls of `name` with literals in `answer`, one a line, `f(1) == 2` or `f(1)`, none twice."""
    found: dict[str, Call] = {}
    for line in answer.splitlines():
        expression = _expression(line.strip().strip("`").removeprefix(">>>").strip())
        expected = ""
        if isinstance(expression, ast.Compare) and isinstance(expression.ops[0], ast.Eq):
            expected, expression = _literal(expression.comparators[0]), expression.left
        if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Name):
            continue
        values = [*expression.args, *(keyword.value for keyword in expression.keywords)]
        code = ast.unparse(expression)
        if expression.func.id == name and values and all(map(_literal, values)) and len(code) <= WIDEST:
            found.setdefault(code, Call(code, expected))
    return list(found.values())[:MOST_CALLS]


def chosen(calls: list[Call], results: list[str]) -> tuple[Example, ...]:
    """Of `calls` and what each returned, as Python prints it and empty where it did not: those to show.

    First those that came out as expected, and each result once before any comes again.
    """
    ran = [
        (call, result)
        for call, result in zip(calls, results, strict=True)
        if 0 < len(result) <= WIDEST
        and result.isprintable()
        and result != "None"
        and _literal(_expression(result))
        and not any(mark in call.code + result for mark in FORBIDDEN)
    ]
    ran.sort(key=lambda one: not _same(*one))
    seen = [result for _, result in ran]
    first = {number for number, result in enumerate(seen) if result not in seen[:number]}
    order = sorted(range(len(ran)), key=lambda number: number not in first)
    return tuple(Example(ran[number][0].code, ran[number][1]) for number in order[:MOST])


def _same(call: Call, result: str) -> bool:
    return bool(call.expected) and ast.literal_eval(call.expected) == ast.literal_eval(result)


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _literal(node: ast.expr | None) -> str:
    """Its text; empty where it is no literal."""
    try:
        text = ast.unparse(node) if node is not None else ""
        ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return ""
    return text
