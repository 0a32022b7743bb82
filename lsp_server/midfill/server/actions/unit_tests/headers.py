"""The imports of a test file: which it needs, which it has already, and where others go. Pure, by `ast`."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from midfill.server.actions.unit_tests.case import Case
from midfill.server.actions.unit_tests.function import Function

PYTEST, UNITTEST = "pytest", "unittest"
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def imports_for(
    cases: Sequence[Case], function: Function, module: str, framework: str = PYTEST
) -> list[str]:
    """Lines that bring what `cases` use, in groups with an empty line between."""
    taken = sorted({name for case in cases for name in case.names} | {function.imported})
    stated = {line for case in cases for line in case.imports}
    if framework == UNITTEST:
        stated = (stated - {"import pytest"}) | {"import unittest"}
    elif any("pytest." in case.body for case in cases):
        stated.add("import pytest")
    if any("asyncio.run(" in case.body for case in cases):
        stated.add("import asyncio")
    standard = sorted(stated - {"import pytest"})
    groups = [standard, ["import pytest"] if "import pytest" in stated else []]
    groups.append([f"from {module} import {', '.join(taken)}"])
    lines: list[str] = []
    for group in filter(None, groups):
        lines += [*([""] if lines else []), *group]
    return lines


def missing(tree: ast.Module, wanted: Iterable[str]) -> list[str]:
    """The lines of `wanted` without the names that the file has already."""
    present = {name for node in tree.body for name in _bound(node)}
    return [left for line in wanted if line and (left := _without(line, present))]


def other_meaning(tree: ast.Module, name: str, module: str) -> str:
    """What else than `module`'s the file calls `name`; empty: nothing else."""
    for node in tree.body:
        if isinstance(node, DEFINITIONS) and node.name == name:
            return "its own"
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                renamed = alias.asname == name != alias.name
                if (alias.asname or alias.name) == name and (renamed or not _same(node, module)):
                    return f"that of `{node.module}`"
    return ""


def place(text: str, tree: ast.Module) -> int:
    """The offset behind the last import, and behind what must run before it or after: `sys.path.insert(…)`,
    `django.setup()`. Without any behind the docstring, else behind the comments at the start."""
    line = 0
    for node in tree.body:
        if isinstance(node, DEFINITIONS) or _asks_for_main(node):
            break
        around = ast.walk(node) if isinstance(node, ast.If | ast.Try | ast.With) else (node,)
        if any(isinstance(each, ast.Import | ast.ImportFrom | ast.Expr) for each in around):
            line = node.end_lineno or node.lineno
    if not line:
        line = len(list(takewhile(lambda each: each.startswith("#"), text.split("\n"))))
    return start_of(text, line)


def before_main(text: str, tree: ast.Module) -> int:
    """Before `if __name__ == …` at the end, else the end."""
    last = tree.body[-1] if tree.body else None
    return start_of(text, last.lineno - 1) if last is not None and _asks_for_main(last) else len(text)


def start_of(text: str, line: int) -> int:
    """The offset behind `line` lines, as Python's parser counts them."""
    offset = 0
    for _ in range(line):
        end = text.find("\n", offset)
        if end < 0:
            return len(text)
        offset = end + 1
    return offset


def _asks_for_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _without(line: str, present: set[str]) -> str:
    node = ast.parse(line).body[0]
    if isinstance(node, ast.ImportFrom):
        names = [ast.unparse(alias) for alias in node.names if (alias.asname or alias.name) not in present]
        return f"from {node.module} import {', '.join(names)}" if names else ""
    return "" if set(_bound(node)) <= present else line


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)


def _same(node: ast.ImportFrom, module: str) -> bool:
    """Whether it may be the same module: from another root, relative, or handed on by a package around."""
    said, asked = (node.module or "").split("."), module.split(".")
    if not node.module:
        return True
    few, many = sorted((said, asked), key=len)
    return many[-len(few) :] == few or (not node.level and many[: len(few)] == few)
