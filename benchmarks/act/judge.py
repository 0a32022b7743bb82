"""What is in a test file that somebody wrote for one function: its tests, run anew, and what they notice.

Sees the file's text alone: nothing that its writer says of it counts. Issue 5 says which tests do: those
that pass, compare a call with a literal and fail on at least one of five mutants.
"""

import ast
import re
import textwrap
from collections.abc import Sequence

from benchmarks.report import Row
from midfill.server.actions.unit_tests.case import Case, Result, Verdict
from midfill.server.actions.unit_tests.checks import compares_with_literal
from midfill.server.actions.unit_tests.evaluate import Subject, evaluate, run_file
from midfill.server.sandbox import Sandbox

FAILING = re.compile(r"^# fails today.*\n((?:#.*\n?)+)", re.MULTILINE)
"""A test that is commented out under its failure."""
NOTHING: Row = {
    "offered": False,
    "tests": 0,
    "failing": 0,
    "written": 0,
    "failed_again": 0,
    **dict.fromkeys(("lines", "branches", "killed")),
}


def judged(text: str, subject: Subject, sandbox: Sandbox) -> Row:
    """What the test file `text` is worth; `failed_again`: of its tests, how many do not pass now."""
    cases = cases_in(text, subject.module.name)
    failing = len(failing_in(text, subject.module.name))
    if not cases:
        return {**NOTHING, "failing": failing}
    done = evaluate(subject, cases, sandbox)
    passing = [result for result in done.results if result.verdict is Verdict.PASS]
    failed = len(cases) - len(passing)
    if not failed and run_file(subject, text, sandbox).verdict is not Verdict.PASS:
        failed = 1  # together, as the user's pytest runs them
    good = [result for result in passing if result.can_fail and _compares(result, subject)]
    found = {**NOTHING, "failing": failing, "written": len(cases), "failed_again": failed}
    if not good:
        return found
    coverage, killed = done.covered_by(good), done.killed_by(good)
    return found | {
        "offered": True,
        "tests": len(good),
        "lines": coverage.lines,
        "branches": coverage.branches,
        "killed": killed / done.mutants,
    }


def holding(cases: Sequence[Case], subject: Subject, sandbox: Sandbox) -> int:
    """How many of `cases` pass for `subject`."""
    results = evaluate(subject, cases, sandbox).results if cases else ()
    return sum(result.verdict is Verdict.PASS for result in results)


def cases_in(text: str, module: str) -> list[Case]:
    """The test functions of a pytest file that imports from `module`."""
    tree = ast.parse(text)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = [node for node in imports if isinstance(node, ast.ImportFrom) and node.module == module]
    names = tuple(alias.name for node in ours for alias in node.names)
    others = tuple(ast.unparse(node) for node in imports if node not in ours)
    lines = text.split("\n")
    cases = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            body = "\n".join(lines[node.body[0].lineno - 1 : node.end_lineno])
            cases.append(Case(node.name, textwrap.dedent(body), names, others))
    return cases


def failing_in(text: str, module: str) -> list[Case]:
    """Those that are commented out because they fail."""
    head = "".join(line for line in text.splitlines(True) if line.startswith(("import ", "from ")))
    blocks = [re.sub("^# ?", "", block, flags=re.MULTILINE) for block in FAILING.findall(text)]
    return [case for block in blocks for case in cases_in(f"{head}\n{block}", module)]


def _compares(result: Result, subject: Subject) -> bool:
    return compares_with_literal(ast.parse(result.case.body).body, subject.function)
