"""A model's answer becomes test cases; whatever in it is no test of the function is left out, and counted.

Pure, and strict: prose, other languages, endless repetition, a cut end, and a copy of the function that the
model then tests instead of the user's are all expected. Nothing is run here.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from midfill.server.actions.unit_tests.case import FIXTURES, Case, Source
from midfill.server.actions.unit_tests.checks import compares_with_literal, reaches
from midfill.server.actions.unit_tests.function import Function
from midfill.server.actions.unit_tests.naming import seen_in, slug_of
from midfill.server.actions.unit_tests.rewriting import text_of, tidied, without_await
from midfill.server.actions.unit_tests.unittest_style import as_asserts

MAX_CASES = 12
"""Of one answer: five are asked for; a model that repeats itself would fill the limit of tokens."""
MAX_STATEMENT_LINES = 40
FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
PYTHON = ("", "python", "py", "python3", "pycon")
LOOPS = frozenset({"pytest.mark.asyncio", "pytest.mark.anyio"})
"""Decorators of tests that await; ours do it themselves, whatever plugins there are."""
Test = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Parsed:
    cases: tuple[Case, ...]
    left_out: tuple[str, ...] = ()
    """Why, for each thing that looked like a test and is none."""


@dataclass(frozen=True, slots=True)
class _Draft:
    statements: tuple[str, ...]
    title: str
    imports: tuple[str, ...]


def parse_answer(answer: str, function: Function, source: Source = Source.MODEL) -> Parsed:
    """The tests of `function` in `answer`, in order, one assertion each where they can be told apart."""
    drafts = list(_drafts(code_of(answer)))
    cases: list[Case] = []
    left_out: list[str] = []
    seen: set[str] = set()
    for draft in drafts:
        body = "\n".join(draft.statements)
        key = ast.dump(ast.parse(body))
        if key in seen:
            continue
        seen.add(key)
        case = to_case(draft.statements, draft.title, function, source, draft.imports)
        if isinstance(case, str):
            left_out.append(case)
        elif len(cases) < MAX_CASES:
            cases.append(case)
    return Parsed(tuple(cases), tuple(left_out))


def code_of(answer: str) -> str:
    """The Python in `answer`: of fences if it has any, else all of it."""
    answer = answer.replace("\r\n", "\n").replace("\r", "\n")
    blocks = FENCE.findall(answer + "\n")
    if blocks:
        return "\n".join(code for language, code in blocks if language.lower() in PYTHON)
    return answer


def to_case(
    statements: tuple[str, ...],
    title: str,
    function: Function,
    source: Source,
    imports: tuple[str, ...] = (),
) -> Case | str:
    """The test that `statements` are, or why they are none."""
    coroutine = function.name if function.is_async else ""
    statements = tuple(without_await(statement, coroutine) for statement in statements)
    try:
        compile("\n".join(statements), "a test", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"it is no code for a test: {error}"
    trees = [ast.parse(statement).body[0] for statement in statements]
    if any(_binds(tree, {function.name, function.owner} - {""}) for tree in trees):
        return "it tests a copy of the function"
    if not compares_with_literal(trees, function) and not _expects_error(trees, function):
        return "it compares no result of the function with a literal"
    texts = [
        tidied(text, tree) if isinstance(tree, ast.Assert) else text
        for text, tree in zip(statements, trees, strict=True)
    ]
    body = "\n".join(texts)
    needed = _free_names(ast.parse(body))
    stated = {name: statement for statement in imports for name in _bound_by(statement)}
    own, taken = [], []
    for name in sorted(needed):
        if name in function.module_names:
            taken.append(name)
        elif name in stated and name not in (function.name, function.owner):
            own.append(stated[name])
        elif name in sys.stdlib_module_names or name == "pytest":
            own.append(f"import {name}")
        else:
            return f"it uses `{name}`, which is nowhere defined"
    said = slug_of(title, function.name) or seen_in(trees[-1], function.name)
    name = f"test_{_snake(function.label)}{said}"
    return Case(name, body, tuple(taken), tuple(dict.fromkeys(own)), source)


def renamed(cases: list[Case], taken: set[str]) -> list[Case]:
    """The same with names that neither they nor `taken` hold twice."""
    used, result = set(taken), []
    for case in cases:
        name, number = case.name, 2
        while name in used:
            name, number = f"{case.name}_{number}", number + 1
        used.add(name)
        result.append(replace(case, name=name))
    return result


def _drafts(code: str) -> Iterator[_Draft]:
    imports: list[str] = []
    setup: list[str] = []
    for text, node in _statements(code):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(text)
        elif isinstance(node, ast.Assert | ast.With):
            yield _Draft((*setup, text), "", tuple(imports))
        elif isinstance(node, ast.Assign):
            setup.append(text)
        elif isinstance(node, Test) and node.name.startswith("test"):
            yield from _of_function(text, node, tuple(imports))
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, Test) and member.name.startswith("test"):
                    yield from _of_function(text, member, tuple(imports))


def _of_function(text: str, node: Test, imports: tuple[str, ...]) -> Iterator[_Draft]:
    """One draft for each assertion, with what comes before it; none for a test that needs arguments."""
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    if decorators - LOOPS or any(a.arg not in {"self", *FIXTURES} for a in node.args.args):
        return
    title = node.name.removeprefix("test").replace("_", " ")
    before: list[str] = []
    for statement in node.body:
        written = as_asserts(text_of(text, statement), statement)
        tree = ast.parse(written).body[0]
        if isinstance(tree, ast.Assert | ast.With):
            yield _Draft((*before, written), title, imports)
        elif not isinstance(tree, ast.Expr) or not isinstance(tree.value, ast.Constant):
            before.append(written)


def _statements(code: str) -> Iterator[tuple[str, ast.stmt]]:
    """(text, tree) of each whole statement at the left edge."""
    lines = code.split("\n")
    at = 0
    while at < len(lines):
        taken = _whole(lines, at) if lines[at].strip() else None
        if taken is None:
            at += 1
            continue
        text, at = taken
        for node in ast.parse(text).body:
            yield text if isinstance(node, Test | ast.ClassDef) else text_of(text, node), node


def _whole(lines: list[str], at: int) -> tuple[str, int] | None:
    """The statement that begins at line `at`, and where the next one does; None: it is none, or is cut."""
    first = lines[at].strip().removeprefix(">>> ")
    for end in range(at + 1, min(at + MAX_STATEMENT_LINES, len(lines)) + 1):
        if end < len(lines) and lines[end].startswith((" ", "\t", ")", "]", "}")):
            continue
        text = "\n".join([first, *lines[at + 1 : end]])
        try:
            if ast.parse(text).body:
                return text, end
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _expects_error(trees: list[ast.stmt], function: Function) -> bool:
    return any(
        isinstance(tree, ast.With)
        and any("raises" in ast.unparse(item.context_expr).lower() for item in tree.items)
        and reaches(tree, function)
        for tree in trees
    )


def _binds(tree: ast.AST, names: set[str]) -> bool:
    """Whether `tree` gives one of `names` another meaning."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and node.name in names:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in names:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) in names:
            return True
    return False


def _free_names(tree: ast.Module) -> set[str]:
    loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stored |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    stored |= {name for n in ast.walk(tree) for name in _imported(n)}
    return loaded - stored - set(dir(builtins))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]


def _bound_by(statement: str) -> list[str]:
    return list(_imported(ast.parse(statement).body[0]))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", name).strip("_").lower()
