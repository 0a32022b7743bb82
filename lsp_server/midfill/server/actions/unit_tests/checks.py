"""Does a test say anything: does it compare what the function returns with a literal? Pure, by `ast`.

Also the small rewrites that leave what a test says as it is.
"""

import ast

from midfill.server.actions.unit_tests.function import Function

APPROXIMATE = "pytest.approx"


def calls(node: ast.AST, name: str) -> bool:
    """Whether `name(…)` or `something.name(…)` is called in `node`."""
    for found in ast.walk(node):
        if isinstance(found, ast.Call):
            function = found.func
            if isinstance(function, ast.Name) and function.id == name:
                return True
            if isinstance(function, ast.Attribute) and function.attr == name:
                return True
    return False


def compares_with_literal(statements: list[ast.stmt], function: Function) -> bool:
    """Whether some assertion compares a call of `function`, or a variable that holds one, with a literal.

    A constructor is tested by what its object then holds, so a call of its class counts as well.
    """
    called = function.owner if function.name == "__init__" else function.name
    held: set[str] = set()
    for node in (found for statement in statements for found in ast.walk(statement)):
        if isinstance(node, ast.Assign) and calls(node.value, called):
            held |= {name.id for target in node.targets for name in ast.walk(target) if _is_name(name)}  # type: ignore[attr-defined]
    for node in (found for statement in statements for found in ast.walk(statement)):
        if isinstance(node, ast.Assert):
            for comparison in ast.walk(node.test):
                if isinstance(comparison, ast.Compare) and _is_check(comparison, called, held):
                    return True
    return False


def _is_check(comparison: ast.Compare, called: str, held: set[str]) -> bool:
    sides = [comparison.left, *comparison.comparators]
    ours = [side for side in sides if calls(side, called) or _uses(side, held)]
    return bool(ours) and any(is_literal(side) for side in sides if side not in ours)


def _uses(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(found, ast.Name) and found.id in names for found in ast.walk(node))


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def is_literal(node: ast.expr) -> bool:
    """A literal, an empty `set()`, or one of these in `pytest.approx`."""
    if isinstance(node, ast.Call):
        if ast.unparse(node.func) == APPROXIMATE and node.args:
            return is_literal(node.args[0])
        return ast.unparse(node) == "set()"
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def tidied(text: str, statement: ast.Assert) -> str:
    """`statement` (whose source is `text`) as one would write it: `is None`, and floats nearly equal."""
    comparison = statement.test
    if statement.msg is not None or not isinstance(comparison, ast.Compare) or len(comparison.ops) > 1:
        return text
    if not isinstance(comparison.ops[0], ast.Eq):
        return text
    left = ast.get_source_segment(text, comparison.left)
    value = comparison.comparators[0]
    if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool)):
        return f"assert {left} is {value.value}"
    if is_literal(value) and _has_fraction(value):
        return f"assert {left} == {APPROXIMATE}({ast.get_source_segment(text, value)})"
    return text


def _has_fraction(node: ast.expr) -> bool:
    """A float with digits behind its point, alone or in a flat list or tuple of numbers."""
    found = ast.literal_eval(node) if not isinstance(node, ast.Call) else None
    values = found if isinstance(found, list | tuple) else [found]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return False
    return any(isinstance(value, float) and not value.is_integer() for value in values)
