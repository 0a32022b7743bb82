"""Real functions for `benchmarks.actions --functions`: from the standard library and installed packages.

`python -m benchmarks.measure.functions [COUNT]` writes a file into the cache and prints its path: one
function a package, half of them the standard library's, with HumanEval's fields and the whole file around
it. The same packages and seed give the same functions. None is committed: they are their authors'.
"""

import argparse
import ast
import json
import random
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from midfill.model.store.local import cache_root

SEED = 5
COUNT = 50
LEAST_WORDS, LEAST_LINES, MOST_LINES = 8, 4, 80
"""Of a docstring, and of a function with it: what says too little to compare, and what is rare."""
LEFT_OUT = {"midfill", "test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages", "__pycache__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Problem = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    folder = cache_root() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"functions-{asked.count}-{asked.seed}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for problem in chosen(asked.count, asked.seed):
            file.write(json.dumps(problem) + "\n")
    print(path)


def chosen(count: int, seed: int) -> list[Problem]:
    """So many functions, or fewer where there are no more packages."""
    picks = random.Random(seed)
    standard = _packages(Path(sysconfig.get_path("stdlib")))
    installed = _packages(Path(sysconfig.get_path("purelib")))
    half = list(_one_each(standard, picks, count // 2))
    return half + list(_one_each(installed, picks, count - len(half)))


def _packages(root: Path) -> dict[str, list[Path]]:
    """Python files by the name that is imported."""
    found: dict[str, list[Path]] = {}
    for path in sorted(root.glob("*.py")):
        found[path.stem] = [path]
    for folder in sorted(path for path in root.iterdir() if (path / "__init__.py").is_file()):
        files = sorted(folder.rglob("*.py"))
        found[folder.name] = [one for one in files if not LEFT_OUT & {*one.relative_to(root).parts}]
    return {name: files for name, files in found.items() if name not in LEFT_OUT}


def _one_each(packages: dict[str, list[Path]], picks: random.Random, most: int) -> Iterator[Problem]:
    names = picks.sample(sorted(packages), len(packages))
    for name in names:
        if most == 0:
            return
        problem = _one_of(name, picks.sample(packages[name], len(packages[name])), picks)
        if problem is not None:
            most -= 1
            yield problem


def _one_of(package: str, files: list[Path], picks: random.Random) -> Problem | None:
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
            fitting = list(functions_in(text))
        except (SyntaxError, ValueError):
            continue
        if fitting:
            return problem_of(f"{package}/{path.stem}", text, picks.choice(fitting))
    return None


def functions_in(text: str) -> Iterator[Function]:
    """Functions and methods of the file `text` that are worth documenting and have a docstring."""
    tree = ast.parse(text)
    every = [node for node in ast.walk(tree) if isinstance(node, Function)]
    names = Counter(node.name for node in every)
    bodies = [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    for node in (node for body in bodies for node in body if isinstance(node, Function)):
        said = ast.get_docstring(node) or ""
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        parameters = [one for one in ast.walk(node.args) if isinstance(one, ast.arg)]
        if (
            names[node.name] == 1
            and not node.name.startswith(("__", "test"))
            and len(said.split()) >= LEAST_WORDS
            and LEAST_LINES <= lines - len(said.splitlines()) <= MOST_LINES
            and len(node.body) > 1
            and any(one.arg not in ("self", "cls") for one in parameters)
        ):
            yield node


def problem_of(place: str, text: str, function: Function) -> Problem:
    """In HumanEval's fields; `prompt` ends behind the docstring."""
    said = function.body[0]
    lines = text.splitlines(keepends=True)
    assert said.end_lineno is not None
    return {
        "task_id": f"{place}/{function.name}",
        "prompt": "".join(lines[: said.end_lineno]),
        "canonical_solution": "".join(lines[said.end_lineno :]),
        "entry_point": function.name,
        "test": "",
    }


if __name__ == "__main__":
    main()
