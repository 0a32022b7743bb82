"""Docstrings that the default model writes: applied, harmless, telling, and about the right function.

A part of `make bench-actions`. What counts is defined in issue 5: an edit is applied; `ast` sees the same
code; every parameter's text has a word that is not in its name or type, and is no placeholder of ours; by
chrF the docstring is nearer to the one that the function had than to those of 20 others. Examples are run,
as where the user allowed it; `own_unrun` is without them. `--compare` adds a row: the model is asked what a
function does and infills nothing.
"""

import ast
import re
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.act.chrf import chrf
from benchmarks.act.problems import FILE, Problem, program
from benchmarks.act.served import Served
from benchmarks.measure.kept import Kept
from benchmarks.report import Row
from midfill.server.actions.answers import words_of
from midfill.server.actions.docstrings import fallback
from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.docstrings.placing import place
from midfill.server.actions.docstrings.python_style import docstring, style_of
from midfill.server.actions.edits import applied
from midfill.server.actions.source import read_source
from midfill.server.actions.targets import Target, targets_of
from midfill.server.text import new_snapshot

OTHERS = 20
ARGUMENTS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^    \*{0,2}(\w+): (.*(?:\n {8}.*)*)",  # Google
        r"^\*{0,2}(\w+)(?: : .*)?\n((?: {4}.*\n?)+)",  # NumPy
        r"^:param (?:\\\*)*(\w+): (.*(?:\n {4}.*)*)",  # reST
    )
)
EXAMPLES = re.compile(r"\n+(?:Examples:?\n)?(?:-+\n)?(?: *>>> .*\n.*(?:\n|\Z))+")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MEASURES = ("applied", "tree_equal", "params", "own", "own_unrun")
MODEL, ASKED, TEMPLATE = "model, over LSP", "the same, asked", "template"


def measure(
    problems: Sequence[Problem],
    taken: Sequence[Problem],
    kept: Kept,
    served: Served,
    asked: Served | None = None,
) -> tuple[list[Row], dict[str, float | str | None]]:
    """(rows, summary) over the functions `taken`; the others' docstrings are taken from all `problems`.
    `asked` is a server that infills nothing, to compare."""
    originals = {
        problem["task_id"]: said_in(program(problem), problem["entry_point"]) for problem in problems
    }
    found: dict[str, list[Row]] = {MODEL: [], **({ASKED: []} if asked else {}), TEMPLATE: []}
    for problem in taken:
        near, own = compared(problem, originals)
        text, target = bare(problem)
        for writer, server in ((MODEL, served), (ASKED, asked)):
            if server is None:
                continue
            key = f"{problem['task_id']} docstring" + " asked" * (writer == ASKED)
            one = kept.get(key)
            if one is None:
                chosen = server.choose("docstring", FILE, text, target.signature[0])
                after = chosen.files.get(FILE, text)
                one = {"task_id": key, "seconds": chosen.seconds, **judged(text, after, target, own, near)}
                one["said"] = said_in(after, target.name) or chosen.said
                kept.add(one)
            found[writer].append(one)
        found[TEMPLATE].append({"seconds": 0.0, **judged(text, templated(text, target), target, own, near)})
    rows = [summed(writer, each) for writer, each in found.items()]
    keys = {MODEL: "docstring", ASKED: "docstring_asked", TEMPLATE: "docstring_template"}
    summary: dict[str, float | str | None] = {
        f"{keys[row['written by']]}_{name}": row[name]
        for row in rows
        for name in (*MEASURES, "median_s")[: None if row["written by"] != TEMPLATE else -1]
    }
    return rows, summary


def summed(writer: str, found: Sequence[Row]) -> Row:
    shares = {name: share([one[name] for one in found]) for name in MEASURES}
    took = statistics.median(one["seconds"] for one in found)
    return {"written by": writer, "functions": len(found), **shares, "median_s": round(took, 2)}


def compared(problem: Problem, originals: Mapping[str, str]) -> tuple[list[str], str]:
    """(the docstrings of 20 other functions, the function's own)."""
    others = [said for name, said in originals.items() if name != problem["task_id"]]
    return others[:: max(1, len(others) // OTHERS)][:OTHERS], originals[problem["task_id"]]


def target_in(text: str, name: str) -> Target:
    source = read_source("python", text)
    assert source is not None
    return next(target for target in reversed(targets_of(source)) if target.name == name)


def bare(problem: Problem) -> tuple[str, Target]:
    """The file without the function's docstring, and the function in it."""
    text = program(problem)
    target = target_in(text, problem["entry_point"])
    if target.doc is not None:
        line = text.rfind("\n", 0, target.doc[0]) + 1
        text = text[:line] + text[target.doc[1] :].lstrip("\n")
    return text, target_in(text, problem["entry_point"])


def said_in(text: str, name: str) -> str:
    """The docstring of the function `name`; empty without one."""
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, FUNCTIONS) and n.name == name]
    return ast.get_docstring(found[-1]) or "" if found else ""


def templated(text: str, target: Target) -> str:
    """The same frame with nothing but names and types in it."""
    content = Content(
        fallback.summary(target),
        tuple((one, fallback.parameter(one, target)) for one in target.parameters),
        fallback.result(target) if target.returns else "",
    )
    lines = docstring(content, style_of(text), '"""', 80)
    return applied(text, (place(new_snapshot("file:///a.py", 1, "python", text), target, lines),))


def judged(before: str, after: str, target: Target, own: str, others: Sequence[str]) -> dict[str, bool]:
    said = said_in(after, target.name)
    texts = {name: told for pattern in ARGUMENTS for name, told in pattern.findall(said)}
    named = all(
        one.name in texts
        and " ".join(texts[one.name].split()) != fallback.parameter(one, target)
        and bool({*words_of(texts[one.name])} - {*words_of(one.name), *words_of(one.type)})
        for one in target.parameters
    )
    return {
        "applied": bool(said),
        "tree_equal": code_of(before) == code_of(after),
        "params": bool(said) and named,
        "own": is_nearest(said, own, others),
        "own_unrun": is_nearest(EXAMPLES.sub("", said), own, others),
    }


def is_nearest(said: str, own: str, others: Sequence[str]) -> bool:
    return bool(said) and chrf(said, own) > max((chrf(said, other) for other in others), default=0.0)


def code_of(text: str) -> str:
    """What runs, as `ast` sees it: without docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Module)) and body and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)


def share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)
