"""Cases become the text of a test file: a new one, or additions to one that is there. Pure.

What the file already has stays to the character. Lines end as the file's do.
"""

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from midfill.server.actions.unit_tests.case import Case, Result
from midfill.server.actions.unit_tests.function import Function
from midfill.server.actions.unit_tests.unittest_style import as_method_call

PYTEST, UNITTEST = "pytest", "unittest"
FIXTURES = ("tmp_path", "capsys", "monkeypatch")


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` goes in at `offset` (code points) of the file as it is."""

    offset: int
    text: str


def one_file(case: Case, function: Function, module: str) -> str:
    """A pytest file with `case` alone: what is run."""
    return "\n".join([*_imports([case], function, module), "", "", _as_function(case), ""])


def new_file(
    results: Sequence[Result], failing: Sequence[Result], function: Function, module: str, framework: str
) -> str:
    """A whole test file; `failing` are commented out, each under its failure."""
    cases = [result.case for result in results]
    needed = cases or [result.case for result in failing]
    header = _imports(needed, function, module, framework)
    parts = _parts(results, failing, function, framework, set())
    return "\n".join([*header, "", "", parts, ""])


def insertions(
    text: str,
    results: Sequence[Result],
    failing: Sequence[Result],
    function: Function,
    module: str,
    framework: str,
) -> tuple[Insertion, ...]:
    """What adds the tests to the test file `text`, in order of their offsets. Names of tests must be
    new already (`names_in`). Raises SyntaxError where `text` does not parse: it is left alone."""
    tree = ast.parse(text)
    line_end = "\r\n" if "\r\n" in text else "\n"
    present = {found for node in tree.body for found in _bound(node)}
    cases = [result.case for result in results]
    wanted = _imports(cases, function, module, framework) if cases else []
    missing = [line for line in (_without(line, present) for line in wanted) if line]
    parts = _parts(results, failing, function, framework, names_in(text))
    found = []
    if missing:
        at = _after_imports(text, tree)
        found.append(Insertion(at, "\n".join([*missing, ""])))
    gap = "\n" * max(0, 3 - len(re.search(r"\n*\Z", text.replace("\r\n", "\n"))[0]))  # type: ignore[index]
    if not text.strip():
        gap = ""
    end = _before_main(text, tree)
    if end < len(text):
        found.append(Insertion(end, f"{parts}\n\n\n"))
    else:
        found.append(Insertion(end, f"{gap}{parts}\n"))
    return tuple(Insertion(each.offset, each.text.replace("\n", line_end)) for each in found)


def names_in(text: str) -> set[str]:
    """Every function and class that the Python file `text` defines; empty where it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def applied(text: str, added: Sequence[Insertion]) -> str:
    for each in sorted(added, key=lambda each: each.offset, reverse=True):
        text = text[: each.offset] + each.text + text[each.offset :]
    return text


def _imports(cases: Sequence[Case], function: Function, module: str, framework: str = PYTEST) -> list[str]:
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


def _parts(
    results: Sequence[Result],
    failing: Sequence[Result],
    function: Function,
    framework: str,
    taken: set[str],
) -> str:
    if framework == UNITTEST:
        name, number = f"{_camel(function.label)}Test", 2
        while name in taken:
            name, number = f"{_camel(function.label)}Test{number}", number + 1
        methods = [textwrap.indent(_as_method(result.case), "    ") for result in results]
        methods += [_commented(_as_method(result.case), result.failure, "    ") for result in failing]
        if not results:
            methods.append("    pass")
        return f"class {name}(unittest.TestCase):\n" + "\n\n".join(methods)
    parts = [_as_function(result.case) for result in results]
    parts += [_commented(_as_function(result.case), result.failure, "") for result in failing]
    return "\n\n\n".join(parts)


def _as_function(case: Case) -> str:
    fixtures = [name for name in FIXTURES if re.search(rf"\b{name}\b", case.body)]
    return f"def {case.name}({', '.join(fixtures)}):\n" + textwrap.indent(case.body, "    ")


def _as_method(case: Case) -> str:
    tree = ast.parse(case.body)
    texts = [as_method_call(ast.get_source_segment(case.body, node) or "") for node in tree.body]
    return f"def {case.name}(self):\n" + textwrap.indent("\n".join(texts), "    ")


def _commented(text: str, failure: str, indent: str) -> str:
    """The test as comments, and above it the line that says how it fails."""
    said = [line[1:].strip() for line in failure.splitlines() if line.startswith("E ")]
    why = f"fails today: {said[0]}" if said else "fails today"
    return "\n".join(f"{indent}# {line}".rstrip() for line in [why, *text.split("\n")])


def _without(line: str, present: set[str]) -> str:
    """An import line without the names that the file has already; empty: it has all."""
    if not line:
        return ""
    node = ast.parse(line).body[0]
    if isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names if alias.name not in present]
        return f"from {node.module} import {', '.join(names)}" if names else ""
    return "" if set(_bound(node)) <= present else line


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return []


def _after_imports(text: str, tree: ast.Module) -> int:
    """Behind the last import at the top, else behind the docstring, else at the start."""
    lines = [0]
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom) or (docstring and lines == [0]):
            lines.append(node.end_lineno or node.lineno)
        elif not isinstance(node, ast.If | ast.Try):
            break
    return _start_of(text, lines[-1])


def _before_main(text: str, tree: ast.Module) -> int:
    """Before `if __name__ == …` at the end, else the end."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.If) and "__name__" in ast.unparse(last.test):
        return _start_of(text, last.lineno - 1)
    return len(text)


def _start_of(text: str, line: int) -> int:
    """The offset behind `line` lines, as Python's parser counts them."""
    offset = 0
    for _ in range(line):
        end = text.find("\n", offset)
        if end < 0:
            return len(text)
        offset = end + 1
    return offset


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))
