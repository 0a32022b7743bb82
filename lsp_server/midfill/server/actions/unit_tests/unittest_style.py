"""Assertions between `unittest`'s methods and plain `assert`. Pure."""

import ast
from collections.abc import Callable

from midfill.server.actions.unit_tests.case import FIXTURES
from midfill.server.actions.unit_tests.rewriting import compared

RELATIVE, ABSOLUTE = 1e-6, 1e-12
"""Tolerances of `pytest.approx` where none is stated."""

TO_PLAIN: dict[str, Callable[[list[str]], str]] = {
    "assertEqual": lambda a: f"assert {a[0]} == {a[1]}",
    "assertEquals": lambda a: f"assert {a[0]} == {a[1]}",
    "assertListEqual": lambda a: f"assert {a[0]} == {a[1]}",
    "assertDictEqual": lambda a: f"assert {a[0]} == {a[1]}",
    "assertTupleEqual": lambda a: f"assert {a[0]} == {a[1]}",
    "assertAlmostEqual": lambda a: f"assert {a[0]} == pytest.approx({a[1]})",
    "assertNotEqual": lambda a: f"assert {a[0]} != {a[1]}",
    "assertTrue": lambda a: f"assert {a[0]} == True",
    "assertFalse": lambda a: f"assert {a[0]} == False",
    "assertIsNone": lambda a: f"assert {a[0]} == None",
    "assertIs": lambda a: f"assert {a[0]} is {a[1]}",
    "assertIn": lambda a: f"assert {a[0]} in {a[1]}",
}
FROM_PLAIN: dict[type[ast.cmpop], str] = {
    ast.Eq: "assertEqual",
    ast.NotEq: "assertNotEqual",
    ast.Is: "assertIs",
    ast.IsNot: "assertIsNot",
    ast.In: "assertIn",
    ast.NotIn: "assertNotIn",
    ast.Lt: "assertLess",
    ast.LtE: "assertLessEqual",
    ast.Gt: "assertGreater",
    ast.GtE: "assertGreaterEqual",
}


def as_asserts(text: str, statement: ast.stmt) -> str:
    """`self.assertEqual(a, b)` as `assert a == b`; other statements as they are."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return text
    called = statement.value
    method = called.func
    if not isinstance(method, ast.Attribute) or method.attr not in TO_PLAIN:
        return text
    try:
        return TO_PLAIN[method.attr]([compared(ast.unparse(each), each) for each in called.args])
    except IndexError:
        return text


def as_method(body: str) -> str:
    """A pytest test's statements as a `unittest.TestCase` has them. Raises ValueError for what has no
    counterpart there, such as fixtures."""
    tree = ast.parse(body)
    named = [
        item.optional_vars for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items
    ]
    caught = {ast.unparse(name) for name in named if name is not None}
    values = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "value"]
    for node in values:
        if ast.unparse(node.value) in caught:
            node.attr = "exception"
    if caught and values:
        body = ast.unparse(tree)
        tree = ast.parse(body)
    text = "\n".join(_as_call(ast.get_source_segment(body, node) or "") for node in tree.body)
    if {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)} & {"pytest", *FIXTURES}:
        raise ValueError("unittest has nothing of the kind")
    return text


def _as_call(text: str) -> str:
    """`assert a == b` as `self.assertEqual(a, b)`, `pytest.raises` too; other statements as they are."""
    statement = ast.parse(text).body[0]
    if isinstance(statement, ast.With) and "pytest.raises" in text:
        for item in statement.items:
            item.context_expr = _raising(item.context_expr)
        return ast.unparse(statement)
    if not isinstance(statement, ast.Assert):
        return text
    test = statement.test
    if not isinstance(test, ast.Compare) or len(test.ops) > 1:
        return f"self.assertTrue({ast.get_source_segment(text, test)})"
    left, right = test.left, test.comparators[0]
    if isinstance(test.ops[0], ast.Eq) and _is_approximate(left):
        left, right = right, left
    one = ast.get_source_segment(text, left) or ""
    if isinstance(test.ops[0], ast.Eq) and isinstance(right, ast.Call) and _is_approximate(right):
        return _almost_equal(one, right)
    return f"self.{FROM_PLAIN[type(test.ops[0])]}({one}, {ast.get_source_segment(text, right)})"


def _raising(called: ast.expr) -> ast.expr:
    if not isinstance(called, ast.Call) or ast.unparse(called.func) != "pytest.raises":
        return called
    match called.keywords:
        case []:
            name, arguments = "assertRaises", called.args
        case [ast.keyword("match", pattern)]:
            name, arguments = "assertRaisesRegex", [*called.args, pattern]
        case _:
            raise ValueError("unittest checks no more than the type and the message")
    return ast.Call(ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load()), arguments, [])


def _is_approximate(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.approx" and len(node.args) == 1


def _almost_equal(one: str, approximate: ast.Call) -> str:
    """With the tolerance of `pytest.approx`: a millionth, or what is stated."""
    stated = {word.arg or "": ast.literal_eval(word.value) for word in approximate.keywords}
    if stated.keys() - {"rel", "abs"}:
        raise ValueError("unittest has no other tolerances")
    relative = stated.get("rel", 0.0 if "abs" in stated else RELATIVE)
    absolute = stated.get("abs", ABSOLUTE)
    wanted = approximate.args[0]
    value = ast.literal_eval(wanted)
    if isinstance(value, int | float):
        delta = f"{max(relative * abs(value), absolute):g}"
        return f"self.assertAlmostEqual({one}, {ast.unparse(wanted)}, delta={delta})"
    if not isinstance(value, list | tuple) or not all(isinstance(each, int | float) for each in value):
        raise ValueError("unittest compares no such thing nearly")
    delta = f"max({relative:g} * abs(wanted), {absolute:g})"
    return (
        f"for got, wanted in zip({one}, {ast.unparse(wanted)}, strict=True):\n"
        f"    self.assertAlmostEqual(got, wanted, delta={delta})"
    )
