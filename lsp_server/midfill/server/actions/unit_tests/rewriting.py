"""Small rewrites of a model's statements that leave what a test says as it is. Pure, by `ast`."""

import ast
import textwrap

from midfill.server.actions.unit_tests.checks import APPROXIMATE, is_literal


def text_of(source: str, statement: ast.stmt) -> str:
    """The text of `statement` in `source`, at the left edge. Written anew where it holds a string of
    several lines: indenting it once more would change what the string says."""
    if _has_long_string(statement):
        return ast.unparse(statement)
    return textwrap.dedent(ast.get_source_segment(source, statement, padded=True) or "")


def without_await(text: str, coroutine: str = "") -> str:
    """`await x` as `asyncio.run(x)`: a test is no coroutine, and nobody knows which plugins there are.

    So is a call of `coroutine`, the async function under test, where a small model forgot to await it.
    """
    tree = ast.parse(text)
    change = _Run(coroutine)
    changed = change.visit(tree)
    return ast.unparse(ast.fix_missing_locations(changed)) if change.count else text


class _Run(ast.NodeTransformer):
    def __init__(self, coroutine: str) -> None:
        self._coroutine, self.count = coroutine, 0

    def visit_Await(self, node: ast.Await) -> ast.expr:
        self.generic_visit(node.value)  # which is no call to run by itself
        return self._run(node.value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if ast.unparse(node.func).startswith("asyncio."):
            for argument in node.args:
                self.generic_visit(argument)
            return node
        self.generic_visit(node)
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        return self._run(node) if name and name == self._coroutine else node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node  # may await

    def _run(self, coroutine: ast.expr) -> ast.Call:
        self.count += 1
        run = ast.Attribute(ast.Name("asyncio", ast.Load()), "run", ast.Load())
        return ast.Call(run, [coroutine], [])


def tidied(text: str, statement: ast.Assert) -> str:
    """`statement` (whose source is `text`) as one would write it: `is None`, and floats nearly equal."""
    comparison = statement.test
    if statement.msg is not None or not isinstance(comparison, ast.Compare) or len(comparison.ops) > 1:
        return text
    if not isinstance(comparison.ops[0], ast.Eq):
        return text
    left = compared(ast.get_source_segment(text, comparison.left) or "", comparison.left)
    value = comparison.comparators[0]
    if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool)):
        return f"assert {left} is {value.value}"
    if is_literal(value) and _has_fraction(value):
        return f"assert {left} == {APPROXIMATE}({ast.get_source_segment(text, value)})"
    return text


def compared(text: str, expression: ast.expr) -> str:
    """`text`, which is `expression`, as one side of a comparison: in parentheses if it binds less."""
    negated = isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.Not)
    loose = ast.Compare | ast.BoolOp | ast.IfExp | ast.Lambda | ast.NamedExpr
    return f"({text})" if negated or isinstance(expression, loose) else text


def _has_fraction(node: ast.expr) -> bool:
    """A float with digits behind its point, alone or in a flat list or tuple of numbers."""
    found = ast.literal_eval(node) if not isinstance(node, ast.Call) else None
    values = found if isinstance(found, list | tuple) else [found]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return False
    return any(isinstance(value, float) and not value.is_integer() for value in values)


def _has_long_string(statement: ast.stmt) -> bool:
    return any(
        node.lineno != node.end_lineno
        for node in ast.walk(statement)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    )
