"""Faults planted in a function, to see whether its tests notice. Pure, by Python's `ast`.

Kinds after Offutt et al. 1996, "An experimental determination of sufficient mutant operators": relations,
arithmetic, constants, conditions, statements. Some mutants do what the original does; no test can find
those.
"""

import ast
import contextlib
from collections.abc import Callable, Iterator
from itertools import zip_longest

from midfill.server.actions.unit_tests.place import normal

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
"""Sets attributes of a node, and changes nothing that was in them."""


def mutants_of(
    text: str, first_line: int, count: int = COUNT, stop: Callable[[], bool] = lambda: False
) -> tuple[str, ...]:
    """Up to `count` versions of the module `text`, each with one fault in the body of the function that
    begins (decorators included) at `first_line`: of different kinds, spread over the body, always the same.
    `stop` is asked before each of them.

    Raises SyntaxError where `text` does not parse.
    """
    lines = normal(text).split("\n")
    found: dict[str, None] = {}
    for statement in ast.parse(text).body:
        for node, plant in _faults(_body_nodes(statement, first_line)):
            if len(found) == count or stop():
                return tuple(found)
            with _planted(node, plant):
                mutant = _with_statement(lines, statement)
            if mutant is not None:
                found[mutant] = None
    return tuple(found)


def _with_statement(lines: list[str], statement: ast.stmt) -> str | None:
    """The module of `lines` with a statement of its top level as it is now, the rest untouched: a larger
    module takes long to write anew. None: there is no such Python."""
    first = min(node.lineno for node in (statement, *getattr(statement, "decorator_list", ())))
    try:
        written = ast.unparse(statement).split("\n")
        mutant = "\n".join([*lines[: first - 1], *written, *lines[statement.end_lineno :]])
        compile(mutant, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return mutant


def _faults(nodes: list[ast.AST]) -> Iterator[tuple[ast.AST, Plant]]:
    """All that change something: a kind after the other, of each the middle of the body first."""
    kinds: dict[str, list[tuple[ast.AST, Plant]]] = {}
    for node in nodes:
        for kind, plant in _plants(node):
            original = ast.dump(node)
            with _planted(node, plant):
                changes = ast.dump(node) != original
            if changes:
                kinds.setdefault(kind, []).append((node, plant))
    turns = zip_longest(*(_spread(faults) for faults in kinds.values()))
    return (fault for turn in turns for fault in turn if fault is not None)


@contextlib.contextmanager
def _planted(node: ast.AST, plant: Plant) -> Iterator[None]:
    """`node` with a fault, and then as it was: copying a module takes longer than all else."""
    original = dict(vars(node))
    try:
        plant(node)
        yield
    finally:
        vars(node).update(original)


def _body_nodes(tree: ast.AST, first_line: int) -> list[ast.AST]:
    """All nodes of the function's body; docstrings are none of it."""
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
    node.ops = [RELATIONS[type(node.ops[0])](), *node.ops[1:]]


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


def _spread(faults: list[tuple[ast.AST, Plant]]) -> list[tuple[ast.AST, Plant]]:
    """The middle first, then the ends: a body's faults are not all in its first lines."""
    middle = len(faults) // 2
    return [faults[at] for at in sorted(range(len(faults)), key=lambda at: abs(at - middle))]
