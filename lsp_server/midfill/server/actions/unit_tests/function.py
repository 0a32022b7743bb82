"""The Python function or method that tests are written for, as its module shows it. Pure.

Knows no LSP and no model. Which function is meant is another's question: this one takes a line of it.
"""

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    owner: str
    """The class that it is a method of; empty: none."""
    first_line: int
    """1-based, decorators included."""
    last_line: int
    body_line: int
    """Where what it does begins: behind signature and docstring."""
    code: str
    """Its text alone, without the indentation of a class."""
    docstring: str
    is_async: bool
    """Whether a call of it has to be awaited: no generator."""
    is_property: bool
    module_names: frozenset[str]
    """What its module defines at top level: a test can import these."""

    @property
    def label(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def imported(self) -> str:
        """What a test imports to reach it."""
        return self.owner or self.name


def function_at(text: str, line: int) -> Function | None:
    """The innermost function that can be imported and holds `line` (1-based) of the Python file `text`;
    of a class, its first public method. None: there is none.

    Raises SyntaxError for a file that does not parse, since such a file cannot be run.
    """
    tree = _parse(text)
    found: tuple[ast.FunctionDef | ast.AsyncFunctionDef, str] | None = None
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if _is_function(member) and _holds(member, line):
                    found = member, node.name  # type: ignore[assignment]
            if found is None and _holds(node, line) and (main := _main_method(node)):
                found = main, node.name
        elif _is_function(node) and _holds(node, line):
            found = node, ""  # type: ignore[assignment]
    if found is None:
        return None
    node, owner = found
    first, last = _first_line(node), node.end_lineno or node.lineno
    docstring = ast.get_docstring(node) or ""
    body = node.body[1:] if docstring and len(node.body) > 1 else node.body
    lines = text.split("\n")[first - 1 : last]
    return Function(
        name=node.name,
        owner=owner,
        first_line=first,
        last_line=last,
        body_line=body[0].lineno,
        code="\n".join(_dedented(lines, node.col_offset)),
        docstring=docstring,
        is_async=isinstance(node, ast.AsyncFunctionDef) and not _yields(node),
        is_property=any(ast.unparse(each).endswith("property") for each in node.decorator_list),
        module_names=frozenset(_defined(tree)),
    )


def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte; brackets without end
        raise SyntaxError(str(error)) from error


def _is_function(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _yields(node: ast.AST) -> bool:
    return any(isinstance(found, ast.Yield) for found in ast.walk(node))


def _main_method(node: ast.ClassDef) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    methods = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    public = [n for n in methods if not n.name.startswith("_") and not n.decorator_list]
    return next(iter(public or [n for n in methods if n.name == "__init__"]), None)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _holds(node: ast.stmt, line: int) -> bool:
    return _first_line(node) <= line <= (node.end_lineno or node.lineno)


def _dedented(lines: list[str], column: int) -> list[str]:
    return [line[column:] if not line[:column].strip() else line for line in lines]


def _defined(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {found.id for target in node.targets for found in ast.walk(target) if _stores(found)}  # type: ignore[attr-defined]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _stores(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
