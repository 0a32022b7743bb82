"""Examples in a docstring become tests: what the author says a call returns. Pure; nothing is run.

Read are doctest's `>>>` (docs.python.org/3/library/doctest.html) and lines such as `f(1, 2) == 3`,
`f([]) => None`, `f("a") ➞ 'b'`, where arguments and value are literals.
"""

import ast
import doctest
import re
from collections.abc import Iterator

from midfill.server.actions.unit_tests.case import Case, Source
from midfill.server.actions.unit_tests.function import Function
from midfill.server.actions.unit_tests.parsing import to_case
from midfill.server.actions.unit_tests.rewriting import compared

ARROW = re.compile(r"\s*(?:={1,3}>?|-+>|➞|→|⇒|#\s*(?:=>?|->)|returns?\b:?|should (?:return|be)\b:?)\s*")
TITLE = "example"


def examples_of(function: Function) -> tuple[Case, ...]:
    """A test for each example of `function` in its docstring, in order, none twice."""
    pairs = dict.fromkeys([*_doctests(function), *_lines(function)])
    cases = [to_case(statements, TITLE, function, Source.EXAMPLE) for statements in pairs]
    return tuple(case for case in cases if isinstance(case, Case))


def _doctests(function: Function) -> Iterator[tuple[str, ...]]:
    try:
        examples = doctest.DocTestParser().get_examples(function.docstring)
    except ValueError:  # doctest's word for one that it cannot read
        return
    before: list[str] = []
    for example in examples:
        source, want = example.source.strip(), example.want.strip()
        value = _literal(want)
        if not _is_expression(source):
            if _parses(source) and not want:
                before.append(source)
        elif value and example.exc_msg is None:
            yield (*before, _assertion(source, value))
        elif not want:
            before.append(source)


def _assertion(source: str, value: str) -> str:
    """That the expression `source` gives the literal `value`: a comparison, which binds less, in
    parentheses, one that is true by itself, and no remark behind it."""
    tree = ast.parse(source, mode="eval").body
    if isinstance(tree, ast.Compare) and value == "True":
        return f"assert {ast.unparse(tree)}"
    if "#" in source or "\n" in source:
        source = ast.unparse(tree)
    return f"assert {compared(source, tree)} == {value}"


def _lines(function: Function) -> Iterator[tuple[str, ...]]:
    """Calls outside doctests. Methods need an object, which such a line does not make."""
    if function.owner:
        return
    opening = re.compile(rf"(?<![\w.]){re.escape(function.name)}\(")
    for line in function.docstring.splitlines():
        found = opening.search(line)
        if found is None or ">>>" in line:
            continue
        call, rest = _call(line[found.start() :])
        arrow = ARROW.match(rest)
        if not call or arrow is None:
            continue
        value = _first_literal(rest[arrow.end() :])
        if value:
            yield (f"assert {call} == {value}",)


def _call(text: str) -> tuple[str, str]:
    """(a call whose arguments are literals, what follows it); ("", "") if `text` begins with none."""
    for end, character in enumerate(text):
        if character == ")" and _is_expression(text[: end + 1]):
            tree = ast.parse(text[: end + 1], mode="eval").body
            if isinstance(tree, ast.Call) and _literal_arguments(tree):
                return text[: end + 1], text[end + 1 :]
    return "", ""


def _literal_arguments(call: ast.Call) -> bool:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(values) and all(_literal(ast.unparse(value)) for value in values)


def _first_literal(text: str) -> str:
    """The longest literal that `text` begins with, remarks behind it aside."""
    text = text.strip().rstrip(".,;")
    ends = [len(text), *(found.start() for found in re.finditer(r"\s|[.,;#(]", text))]
    return next(
        (value for end in sorted(ends, reverse=True) if (value := _literal(text[:end].strip()))), ""
    )


def _literal(text: str) -> str:
    """`text`, if it is a literal; `true` and `null` are not: who reads them as Python's guesses."""
    try:
        ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ""
    return text


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def _parses(text: str) -> bool:
    try:
        return len(ast.parse(text).body) == 1
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
