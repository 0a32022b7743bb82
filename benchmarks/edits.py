"""Real edits to replay: what changed between two releases of known packages, as an editor saw it.

For each hunk of added lines, the file as it was when they were about to be written: above the cursor the
new text, below it the old. The wheels come by pip into the user's cache; nothing in them is ever executed.
`rows()` is the same list on every machine. Run as a command it says what is in it.
"""

import difflib
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.model.store.local import cache_root

PAIRS = (
    ("attrs", "23.2.0", "24.2.0"),
    ("click", "8.1.8", "8.2.1"),
    ("httpx", "0.27.2", "0.28.1"),
    ("pygls", "1.0.2", "1.1.2"),
    ("rich", "13.9.4", "14.1.0"),
    ("starlette", "0.37.2", "0.41.3"),
)
"""Package, and two releases about a minor version apart: pure Python, one wheel for every machine."""
HUNK_LINES = 6
"""Longer hunks are seldom written in one go."""
HUNKS_EACH = 16
"""Of each package at most, evenly spread over it."""
REPEATED_TOKENS = 8
"""A run of so many tokens that the file has already makes an edit a repetition."""
PIP_TIMEOUT_S = 300

Hunk = tuple[list[str], int, list[str], int]
"""The new file's lines and where the added ones begin; those lines; where the old file goes on."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A place in a file where somebody wrote `gold` next. Text with `\\n` alone."""

    name: str
    """Unique, for example `click 8.2.1 click/core.py:120 typing`."""
    path: str
    """Inside the package; the language is Python."""
    prefix: str
    suffix: str
    gold: str
    """The added lines from the cursor on, without the last line's end."""
    typing: bool
    """The cursor is in the middle of the first added line, not at its indentation."""
    repeats: bool
    """Whether the added lines and the rest of the file share a run of REPEATED_TOKENS words and signs."""


def rows() -> list[Edit]:
    """All edits: two for each hunk, the second while its first line is being typed.

    Raises RuntimeError where pip cannot get the packages.
    """
    return [edit for pair in PAIRS for edit in _edits(*pair)]


def shares_run(these: Sequence[object], those: Sequence[object], length: int = REPEATED_TOKENS) -> bool:
    """Whether `length` tokens in a row of `these` occur in `those` in the same order."""

    def runs(tokens: Sequence[object]) -> set[tuple[object, ...]]:
        return {tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1)}

    return not runs(these).isdisjoint(runs(those))


def cut(old: str, new: str) -> Iterator[Hunk]:
    """The hunks of at most HUNK_LINES added lines that turn `old` into `new`."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, _, old_end, start, end in matcher.get_opcodes():
        added = after[start:end]
        if kind in ("insert", "replace") and len(added) <= HUNK_LINES and added[0].strip():
            yield after, start, added, old_end


def place(name: str, path: str, old: str, hunk: Hunk, typing: bool) -> Edit:
    """The editor's state before `hunk`. The cursor is on a line of its own, indented as an editor does it;
    with `typing`, half of what is behind the indentation stands there already.
    """
    after, start, added, old_end = hunk
    text = "".join(added).removesuffix("\n")
    first = added[0].rstrip("\n")
    indent = len(first) - len(first.lstrip())
    column = indent + (len(first.rstrip()) - indent) // 2 if typing else indent
    above = "".join(after[:start])
    below = "".join(old.splitlines(keepends=True)[old_end:])
    return Edit(
        name=f"{name}:{start + 1}{' typing' if typing else ''}",
        path=path,
        prefix=above + text[:column],
        suffix="\n" + below,
        gold=text[column:],
        typing=typing,
        repeats=shares_run(_words(text), _words(above)) or shares_run(_words(text), _words(below)),
    )


def _edits(package: str, old: str, new: str) -> list[Edit]:
    before, after = sources(package, old), sources(package, new)
    hunks = [
        (path, hunk)
        for path in sorted(before.keys() & after.keys())
        for hunk in cut(before[path], after[path])
    ]
    step = max(1, len(hunks) // HUNKS_EACH)
    return [
        place(f"{package} {new} {path}", path, before[path], hunk, typing)
        for path, hunk in hunks[::step][:HUNKS_EACH]
        for typing in (False, True)
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text)


def sources(package: str, version: str, ending: str = ".py") -> dict[str, str]:
    """Path in the wheel → text, of the files of one kind. Read out of the archive: nothing is installed."""
    with zipfile.ZipFile(_wheel(package, version)) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(ending)]
        return {name: wheel.read(name).decode("utf-8").replace("\r\n", "\n") for name in names}


def _wheel(package: str, version: str) -> Path:
    folder = cache_root() / "benchmarks" / "wheels"
    pattern = f"{package}-{version}-py3-none-any.whl"
    if not any(folder.glob(pattern)):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        command += ["--disable-pip-version-check", "--dest", str(folder), f"{package}=={version}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
        if done.returncode:
            raise RuntimeError(f"pip could not get {package} {version}: {done.stderr.strip()[-300:]}")
    return next(folder.glob(pattern))


def main() -> None:
    found = rows()
    for package, _, new in PAIRS:
        mine = [edit for edit in found if edit.name.startswith(f"{package} ")]
        kinds = Counter((edit.typing, edit.repeats) for edit in mine)
        print(f"{package} {new}: {len(mine)} edits, {sum(kinds[t, True] for t in (False, True))} repeat")
    print(f"{len(found)} edits, {sum(edit.repeats for edit in found)} of them repeat what is in the file")


if __name__ == "__main__":
    main()
