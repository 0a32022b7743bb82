"""Does a test say anything: does it compare what the function returns with a literal? Pure, by `ast`."""

import ast

from midfill.server.actions.unit_tests.function import Function

APPROXIMATE = "pytest.approx"


def reaches(node: ast.AST, function: Function) -> bool:
    """Whether `name(…)` or `something.name(…)` is called in `node`; a property is reached without a call.

    A constructor is tested by what its object then holds, so a call of its class counts for it.
    """
    name = function.owner if function.name == "__init__" else function.name
    for found in ast.walk(node):
        called = found.func if isinstance(found, ast.Call) else found if function.is_property else None
        if isinstance(called, ast.Name) and called.id == name and not function.is_property:
            return True
        if isinstance(called, ast.Attribute) and called.attr == name:
            return True
    return False


def compares_with_literal(statements: list[ast.stmt], function: Function) -> bool:
    """Whether an assertion compares a call of `function`, or a variable that holds one, with a literal."""
    held: set[str] = set()
    for node in (found for statement in statements for found in ast.walk(statement)):
        if isinstance(node, ast.Assign) and reaches(node.value, function):
            held |= {name.id for target in node.targets for name in ast.walk(target) if _is_name(name)}  # type: ignore[attr-defined]
    for node in (found for statement in statements for found in ast.walk(statement)):
        if isinstance(node, ast.Assert):
            for comparison in ast.walk(node.test):
                if isinstance(comparison, ast.Compare) and _is_check(comparison, function, held):
                    return True
    return False


def _is_check(comparison: ast.Compare, function: Function, held: set[str]) -> bool:
    sides = [comparison.left, *comparison.comparators]
    ours = [side for side in sides if reaches(side, function) or _uses(side, held)]
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
