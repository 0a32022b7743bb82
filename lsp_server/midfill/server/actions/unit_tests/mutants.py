"""Faults planted in a function, to see whether its tests notice. Pure, by Python's `ast`.

Kinds after Offutt et al. 1996, "An experimental determination of sufficient mutant operators": relations,
arithmetic, constants, conditions, statements. Some mutants do what the original does; no test can find
those.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from itertools import zip_longest

COUNT = 5
"""As issue 5 has it."""
RELATIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
Plant = Callable[[ast.AST], None]


def mutants_of(text: str, first_line: int, count: int = COUNT) -> tuple[str, ...]:
    """Up to `count` versions of the module `text`, each with one fault in the body of the function that
    begins (decorators included) at `first_line`: of different kinds, spread over the body, always the same.

    Raises SyntaxError where `text` does not parse.
    """
    tree = ast.parse(text)
    size = len(_body_nodes(tree, first_line))
    kinds: dict[str, list[str]] = {}
    same = ast.unparse(tree)
    for at in range(size):
        for kind, plant in _plants(_body_nodes(tree, first_line)[at]):
            changed = copy.deepcopy(tree)
            plant(_body_nodes(changed, first_line)[at])
            mutant = ast.unparse(ast.fix_missing_locations(changed))
            if mutant != same and _compiles(mutant):
                kinds.setdefault(kind, []).append(mutant)
    queues = [_spread(found) for found in kinds.values()]
    turns = [mutant for turn in zip_longest(*queues) for mutant in turn if mutant is not None]
    return tuple(dict.fromkeys(turns))[:count]


def _body_nodes(tree: ast.AST, first_line: int) -> list[ast.AST]:
    """All nodes of the function's body, in the same order for equal trees; docstrings are none of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
            if min(lines) == first_line:
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                return [found for statement in body for found in ast.walk(statement)]
    return []


def _plants(node: ast.AST) -> Iterator[tuple[str, Plant]]:
    """(kind, what plants it) for each fault that `node` can be given."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in RELATIONS:
            yield "relation", _swap_relation
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield "arithmetic", _swap_operator
        case ast.BoolOp():
            yield "condition", _swap_and_or
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition", _negate
        case ast.Constant(value=bool() | int() | float() | str()):
            yield "constant", _change_constant
        case ast.Return(value=ast.expr()):
            yield "return", _return_nothing
    match node:
        case ast.Assign() | ast.AugAssign() | ast.Expr(value=ast.Call()):
            yield "statement", _change_nothing


def _swap_relation(node: ast.AST) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[0] = RELATIONS[type(node.ops[0])]()


def _swap_operator(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    node.op = ARITHMETIC[type(node.op)]()


def _swap_and_or(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _negate(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.While | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _change_constant(node: ast.AST) -> None:
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, bool):
        node.value = not value
    elif isinstance(value, int | float):
        node.value = value + 1
    elif isinstance(value, str):
        node.value = f"{value}x"


def _return_nothing(node: ast.AST) -> None:
    assert isinstance(node, ast.Return)
    node.value = ast.Constant(None)


def _change_nothing(node: ast.AST) -> None:
    """Drop the statement: an assignment keeps its target's old value, or none."""
    value: ast.expr = ast.Constant(...)
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node, ast.Assign) and isinstance(targets[0], ast.Name):
            node.value = ast.Constant(None)
            return
        if isinstance(node, ast.AugAssign):
            node.op, node.value = ast.Add(), _nothing_like(node.value)
            return
    if isinstance(node, ast.Expr):
        node.value = value


def _nothing_like(value: ast.expr) -> ast.expr:
    match value:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return ast.Constant("")
        case ast.List() | ast.ListComp():
            return ast.List([], ast.Load())
        case _:
            return ast.Constant(0)


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _spread(found: list[str]) -> list[str]:
    """The middle first, then the ends: a body's faults are not all in its first lines."""
    return sorted(found, key=lambda mutant: abs(found.index(mutant) - len(found) // 2))
