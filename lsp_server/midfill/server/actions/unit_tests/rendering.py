"""Cases become the text of a test file: a new one, or additions to one that is there. Pure.

What the file already has stays to the character. Lines end as the file's do.
"""

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from midfill.server.actions.unit_tests.case import FIXTURES, Case, Result
from midfill.server.actions.unit_tests.function import Function
from midfill.server.actions.unit_tests.headers import (
    UNITTEST,
    before_main,
    imports_for,
    missing,
    other_meaning,
    place,
)
from midfill.server.actions.unit_tests.unittest_style import as_method


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` goes in at `offset` (code points) of the file as it is."""

    offset: int
    text: str


def one_file(case: Case, function: Function, module: str) -> str:
    """A pytest file with `case` alone: what is run."""
    return "\n".join([*imports_for([case], function, module), "", "", _as_function(case), ""])


def new_file(
    results: Sequence[Result], failing: Sequence[Result], function: Function, module: str, framework: str
) -> str:
    """A whole test file; `failing` are commented out, each under its failure."""
    cases = [result.case for result in results]
    needed = cases or [result.case for result in failing]
    header = imports_for(needed, function, module, framework)
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
    whole = text if text.endswith("\n") or not text else text + line_end
    cases = [result.case for result in results]
    wanted = imports_for(cases, function, module, framework) if cases else []
    lines = "".join(f"{line}\n" for line in missing(tree, wanted))
    parts = _parts(results, failing, function, framework, names_in(text))
    at, end = place(whole, tree), before_main(whole, tree)
    if end < len(whole):
        parts += "\n\n"
    elif whole.strip() and not (lines and at == end):
        blank = re.search(r"\n*\Z", whole.replace("\r\n", "\n"))
        assert blank is not None, "it may be empty"
        parts = "\n" * max(0, 3 - len(blank[0])) + parts
    parts += "\n"
    found = {at: lines} if lines else {}
    found[end] = f"{lines}\n\n{parts}" if lines and at == end else parts
    ended = whole[len(text) :]  # the line end that the file's last line lacks
    return tuple(
        Insertion(min(offset, len(text)), ended * (offset == len(whole)) + new.replace("\n", line_end))
        for offset, new in found.items()
    )


def names_in(text: str) -> set[str]:
    """Every function and class that the Python file `text` defines; empty where it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def meaning_in(text: str, name: str, module: str) -> str:
    """What else than `module`'s the Python file `text` calls `name`; empty: nothing else is known."""
    try:
        return other_meaning(ast.parse(text), name, module)
    except (SyntaxError, ValueError):
        return ""


def applied(text: str, added: Sequence[Insertion]) -> str:
    """As an editor does it: those at one place in their order."""
    pieces, at = [], 0
    for each in sorted(added, key=lambda each: each.offset):
        pieces += [text[at : each.offset], each.text]
        at = each.offset
    return "".join([*pieces, text[at:]])


def fits(case: Case, framework: str) -> bool:
    """Whether `case` can be said in `framework`."""
    try:
        return framework != UNITTEST or bool(_as_method(case))
    except ValueError:
        return False


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
    return f"def {case.name}(self):\n" + textwrap.indent(as_method(case.body), "    ")


def _commented(text: str, failure: str, indent: str) -> str:
    """The test as comments, and above it the line that says how it fails."""
    said = [line[1:].strip() for line in failure.splitlines() if line.startswith("E ")]
    why = f"fails today: {said[0]}" if said else "fails today"
    return "\n".join(f"{indent}# {line}".rstrip() for line in [why, *text.split("\n")])


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))
