"""Which code the model is shown for a function: itself, and of its class what makes an object. Pure."""

import ast

from midfill.server.actions.unit_tests.function import Function


def context_of(text: str, function: Function) -> str:
    """The function's code; for a method its class's first line, docstring, `__init__`, and itself."""
    if not function.owner:
        return function.code
    tree = ast.parse(text)
    owner = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == function.owner)
    lines = text.split("\n")
    kept: list[str] = []
    for node in owner.body:
        kind = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if kind and node.name not in ("__init__", function.name):  # type: ignore[attr-defined]
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        kept += [*([""] if kept and kind else []), *lines[first - 1 : node.end_lineno]]
    first = min([owner.lineno, *(decorator.lineno for decorator in owner.decorator_list)])
    return "\n".join([*lines[first - 1 : owner.body[0].lineno - 1], *kept])
