"""What is typed: runs of lines of real files, each at its place in the file. Nothing is executed.

Python from the packages of `edits`, JavaScript from Sphinx's themes. The same list on every machine.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from benchmarks.edits import PAIRS, sources

SEED = 4
"""The issue that this replay is for."""
LINES = (5, 12)
"""Of one passage, blank ones included: what is written in a few minutes."""
FEW_LINES = (2, 3)
"""Where typing takes real time."""
SCRIPTS = ("sphinx", "8.1.3", "sphinx/themes/basic/static/")
"""Package, release and folder of the JavaScript: written by hand, in a wheel for every machine."""
SHORTEST_FILE_LINES = 60
KEY = re.compile(r"\n[ \t]*|.")
"""A line end brings the next line's indentation: editors indent."""
BRACKET = re.compile(r"\(([^()\n]{6,})\)(?=[:;,]?$)", re.MULTILINE)
"""At a line's end, and long enough to be worth a suggestion."""


@dataclass(frozen=True)
class Passage:
    """A file with a hole, and what is typed into it. Text with `\\n` alone."""

    name: str
    path: str
    language: str
    above: str
    """Up to the cursor: the indentation of the passage's first line stands there."""
    truth: str
    below: str
    """Begins with a line end, or with a bracket that the editor closed; empty at the end of a file that is
    being written."""

    @cached_property
    def keys(self) -> list[str]:
        """What each key of a faultless typist adds."""
        return KEY.findall(self.truth)


def passages(count: int, lines: tuple[int, int] = LINES) -> list[Passage]:
    """So many, from the packages in turn, each of `lines` (least, most); every third is typed at the end of
    its file, every fourth is what stands between two brackets.
    """
    chosen: list[Passage] = []
    packages = [_shuffled(name, files, lines) for name, files in _files()]
    while len(chosen) < count:
        passage = next(packages[len(chosen) % len(packages)])
        if len(chosen) % 4 == 3:
            passage = inside_brackets(passage) or passage
        elif len(chosen) % 3 == 2:
            passage = replace(passage, name=passage.name + " at the end", below="")
        chosen.append(passage)
    return chosen


def cut(path: str, text: str, choose: random.Random, span: tuple[int, int] = LINES) -> Passage:
    """A run of lines of `text` that begins and ends with one that is not blank."""
    lines = text.splitlines(keepends=True)
    full = [i for i, line in enumerate(lines[: -span[1]]) if i and line.strip()]
    first = choose.choice(full)
    last = first + choose.randint(*span)
    while not lines[last - 1].strip():
        last -= 1
    indent = len(lines[first]) - len(lines[first].lstrip())
    truth = "".join(lines[first:last])[indent:].removesuffix("\n")
    return Passage(
        name=f"{path}:{first + 1}",
        path=path,
        language="javascript" if path.endswith(".js") else "python",
        above="".join(lines[:first]) + lines[first][:indent],
        truth=truth,
        below="\n" + "".join(lines[last:]),
    )


def inside_brackets(passage: Passage) -> Passage | None:
    """The longest bracket of `passage` on one line, its closer there already, as editors do it."""
    found = max(BRACKET.finditer(passage.truth), key=lambda match: len(match[1]), default=None)
    if found is None:
        return None
    start, end = found.span(1)
    return replace(
        passage,
        name=passage.name + " in brackets",
        above=passage.above + passage.truth[:start],
        truth=found[1],
        below=passage.truth[end:] + passage.below,
    )


def _files() -> Iterator[tuple[str, dict[str, str]]]:
    for package, _, version in PAIRS:
        yield package, sources(package, version)
    package, version, folder = SCRIPTS
    scripts = sources(package, version, ".js")
    yield package, {path: text for path, text in scripts.items() if path.startswith(folder)}


def _shuffled(package: str, files: dict[str, str], span: tuple[int, int]) -> Iterator[Passage]:
    choose = random.Random(f"{SEED} {package}")
    long = [path for path in sorted(files) if files[path].count("\n") >= SHORTEST_FILE_LINES]
    while True:
        path = choose.choice(long)
        yield cut(path, files[path], choose, span)


def languages(chosen: Sequence[Passage]) -> str:
    """For a report: how many passages there are in each language."""
    names = [passage.language for passage in chosen]
    return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names)))
