"""Assertions between `unittest`'s methods and plain `assert`, for one statement at a time. Pure."""

import ast
from collections.abc import Callable

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
        return TO_PLAIN[method.attr]([ast.unparse(argument) for argument in called.args])
    except IndexError:
        return text


def as_method_call(text: str) -> str:
    """`assert a == b` as `self.assertEqual(a, b)`; other statements as they are."""
    statement = ast.parse(text).body[0]
    if isinstance(statement, ast.With):
        return text.replace("pytest.raises(", "self.assertRaises(")
    if not isinstance(statement, ast.Assert):
        return text
    test = statement.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left = ast.get_source_segment(text, test.left) or ""
        right = ast.get_source_segment(text, test.comparators[0]) or ""
        if right.startswith("pytest.approx("):
            return f"self.assertAlmostEqual({left}, {right.removeprefix('pytest.approx(')}"
        return f"self.{FROM_PLAIN[type(test.ops[0])]}({left}, {right})"
    return f"self.assertTrue({ast.get_source_segment(text, test)})"
