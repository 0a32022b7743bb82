"""Docstrings that the default model writes: applied, harmless, telling, and about the right function.

A part of `make bench-actions`. What counts is defined in issue 5: an edit is applied; `ast` sees the same
code; every parameter's text has a word that is not in its name or type, and is no placeholder of ours; by
chrF the docstring is nearer to the one that the function had than to those of 20 others.
"""

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.actions_problems import FILE
from benchmarks.actions_served import Served
from benchmarks.measure.kept import Kept
from benchmarks.report import Row
from midfill.server.actions.answers import words_of
from midfill.server.actions.docstrings import fallback
from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.docstrings.python_style import docstring
from midfill.server.actions.source import read_source
from midfill.server.actions.targets import Target, targets_of

OTHERS = 20
GRAMS = 6
"""chrF: character n-grams up to this length (Popović 2015)."""
BETA = 2
"""chrF2: recall counts twice."""
ARGUMENT = re.compile(r"^    \*{0,2}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
MEASURES = ("applied", "tree_equal", "params", "own")

Problem = Mapping[str, str]


def measure(
    problems: Sequence[Problem], taken: Sequence[Problem], kept: Kept, served: Served
) -> tuple[list[Row], dict[str, float | str | None]]:
    """(rows, summary) over the functions `taken`; the others' docstrings are taken from all `problems`."""
    originals = {
        problem["task_id"]: said_in(whole(problem), problem["entry_point"]) for problem in problems
    }
    found = []
    for problem in taken:
        key = f"{problem['task_id']} docstring"
        one = kept.get(key)
        if one is None:
            one = {"task_id": key, **outcome(problem, originals, served)}
            kept.add(one)
        found.append(one)
    rows = []
    for name, title in (("model", "model, over LSP"), ("template", "template")):
        shares = {measure: share([one[name][measure] for one in found]) for measure in MEASURES}
        took = sorted(one["seconds"] for one in found)[len(found) // 2] if name == "model" else 0.0
        rows.append({"written by": title, "functions": len(found), **shares, "median_s": round(took, 2)})
    summary: dict[str, float | str | None] = {f"docstring_{m}": rows[0][m] for m in MEASURES}
    summary |= {f"docstring_template_{m}": rows[1][m] for m in MEASURES}
    summary["docstring_median_s"] = rows[0]["median_s"]
    return rows, summary


def outcome(problem: Problem, originals: Mapping[str, str], served: Served) -> Row:
    """What came of one function: seconds, and by writer which measures it meets."""
    text, target = bare(problem)
    chosen = served.choose("docstring", FILE, text, target.signature[0])
    after = chosen.files.get(FILE, text)
    others = [said for name, said in originals.items() if name != problem["task_id"]]
    near = others[:: max(1, len(others) // OTHERS)][:OTHERS]
    own = originals[problem["task_id"]]
    return {
        "seconds": chosen.seconds,
        "model": judged(text, after, target, own, near),
        "template": judged(text, templated(text, target), target, own, near),
        "said": said_in(after, target.name) or chosen.said,
    }


def whole(problem: Problem) -> str:
    return problem["prompt"] + problem["canonical_solution"]


def target_in(text: str, name: str) -> Target:
    source = read_source("python", text)
    assert source is not None
    return next(target for target in reversed(targets_of(source)) if target.name == name)


def bare(problem: Problem) -> tuple[str, Target]:
    """The file without the function's docstring, and the function in it."""
    text = whole(problem)
    target = target_in(text, problem["entry_point"])
    if target.doc is not None:
        line = text.rfind("\n", 0, target.doc[0]) + 1
        text = text[:line] + text[target.doc[1] :].lstrip("\n")
    return text, target_in(text, problem["entry_point"])


def said_in(text: str, name: str) -> str:
    """The docstring of the function `name`; empty without one."""
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == name]
    return ast.get_docstring(found[-1]) or "" if found else ""


def templated(text: str, target: Target) -> str:
    """The same frame with nothing but names and types in it."""
    content = Content(
        fallback.summary(target),
        tuple((one, fallback.parameter(one)) for one in target.parameters),
        fallback.result(target) if target.returns else "",
    )
    lines = docstring(content, "google", '"""', 80)
    at = target.signature[1]
    return text[:at] + "".join("\n    " + line if line else "\n" for line in lines) + text[at:]


def judged(before: str, after: str, target: Target, own: str, others: Sequence[str]) -> dict[str, bool]:
    said = said_in(after, target.name)
    texts = dict(ARGUMENT.findall(said))
    named = all(
        one.name in texts
        and " ".join(texts[one.name].split()) != fallback.parameter(one)
        and bool({*words_of(texts[one.name])} - {*words_of(one.name), *words_of(one.type)})
        for one in target.parameters
    )
    return {
        "applied": bool(said),
        "tree_equal": code_of(before) == code_of(after),
        "params": bool(said) and named,
        "own": bool(said) and chrf(said, own) > max((chrf(said, other) for other in others), default=0.0),
    }


def code_of(text: str) -> str:
    """What runs, as `ast` sees it: without docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))
            and body
            and ast.get_docstring(node)
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


def chrf(written: str, reference: str) -> float:
    """chrF2 of Popović 2015: F score of character n-grams without white space, averaged over n; 0–1."""
    scores = []
    ours, theirs = "".join(written.split()), "".join(reference.split())
    for n in range(1, GRAMS + 1):
        one, other = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (ours, theirs))
        if not one or not other:
            continue
        both = (one & other).total()
        precision, recall = both / one.total(), both / other.total()
        weighted = BETA**2 * precision + recall
        scores.append((1 + BETA**2) * precision * recall / weighted if weighted else 0.0)
    return sum(scores) / len(scores) if scores else 0.0


def share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)
