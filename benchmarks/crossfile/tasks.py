"""Holes in real packages of several files, and what an editor would know around each. Knows no model.

`use`: a line that calls or reads into a name imported from a sibling file, cut right behind that name's
bracket or dot, or at the line's indentation. `edit`: a place that a release changed (`benchmarks/edits.py`)
with that release's changes to other files as what was edited lately.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.edits import PAIRS, cut, rows, sources
from midfill.server.context.edits import Hunk
from midfill.server.context.imports import imports
from midfill.server.text import DocumentSnapshot, new_snapshot
from midfill.server.uris import to_uri

SEED = 4
FIRST_LINE, LAST_LINE = 10, 160
"""Holes further down have longer prompts, and take longer to measure."""
GOLD_CHARS = (4, 80)
OPENED = 5
"""Other files that are open."""
RECENT_HUNKS = 8


@dataclass(frozen=True, slots=True)
class Task:
    """One hole in the file `path` of the package `package`, whose files lie below `folder`."""

    key: str
    kind: str
    folder: Path
    path: str
    prefix: str
    suffix: str
    gold: str
    """The rest of the line."""
    opened: tuple[str, ...]
    """Paths of other files that are open."""
    hunks: tuple[Hunk, ...] = ()

    @property
    def snapshot(self) -> DocumentSnapshot:
        """The file with its hole."""
        uri = to_uri(str(self.folder / self.path))
        return new_snapshot(uri, 1, "python", self.prefix + self.suffix)

    @property
    def documents(self) -> tuple[DocumentSnapshot, ...]:
        """All that is open."""
        others = [self.folder / path for path in self.opened]
        texts = [(to_uri(str(path)), path.read_text(encoding="utf-8")) for path in others]
        return (self.snapshot, *(new_snapshot(uri, 1, "python", text) for uri, text in texts))


def make_tasks(count: int, folder: Path) -> list[Task]:
    """About `count` of each kind, the same on every machine; the packages are written below `folder`."""
    choose = random.Random(SEED)
    found: list[Task] = []
    edits = [edit for edit in rows() if not edit.typing]
    each = -(-count // len(PAIRS))
    for package, old, new in PAIRS:
        before, after = sources(package, old), sources(package, new)
        root = folder / package
        for path, text in after.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        uses = list(_uses(package, after, root))
        found += [_with_open(task, after, choose) for task in choose.sample(uses, min(each, len(uses)))]
        mine = [edit for edit in edits if edit.name.startswith(f"{package} ")]
        for edit in choose.sample(mine, min(each, len(mine))):
            changed = [
                Hunk(to_uri(str(root / path)), start, start + len(added) - 1)
                for path in sorted(before.keys() & after.keys() - {edit.path})
                for _, start, added, _ in cut(before[path], after[path])
            ][:RECENT_HUNKS]
            gold = edit.gold.partition("\n")[0]
            if GOLD_CHARS[0] <= len(gold) <= GOLD_CHARS[1]:
                opened = tuple(
                    path for path in after if to_uri(str(root / path)) in {h.uri for h in changed}
                )
                task = Task(
                    edit.name,
                    "edit",
                    root,
                    edit.path,
                    edit.prefix,
                    edit.suffix,
                    gold,
                    opened,
                    tuple(changed),
                )
                found.append(task if opened else _with_open(task, after, choose))
    return found


def _uses(package: str, files: Mapping[str, str], root: Path) -> Iterator[Task]:
    """Every place in the package that uses what a sibling file defines."""
    for path, text in sorted(files.items()):
        own = [one for one in imports("python", text) if one.module.startswith((".", f"{package}."))]
        names = {local for one in own for local, name in one.names.items() if name}
        lines = text.split("\n")
        for at in range(FIRST_LINE, min(LAST_LINE, len(lines))):
            used = re.search(r"\b(\w+)(\(|\.(?=\w))", lines[at])
            plain = (
                lines[at].lstrip().startswith(("#", '"', "'", "from ", "import ", "class ", "def ", "@"))
            )
            if used is None or plain or used[1] not in names:
                continue
            indent = len(lines[at]) - len(lines[at].lstrip())
            column = used.end() if at % 2 else indent
            gold = lines[at][column:]
            if GOLD_CHARS[0] <= len(gold.strip()) <= GOLD_CHARS[1]:
                before = "\n".join([*lines[:at], lines[at][:column]])
                behind = "\n" + "\n".join(lines[at + 1 :])
                key = f"{package} {path}:{at + 1}"
                yield Task(key, "use", root, path, before, behind, gold, ())


def _with_open(task: Task, files: Mapping[str, str], choose: random.Random) -> Task:
    others: Sequence[str] = sorted(path for path, text in files.items() if path != task.path and text)
    opened = tuple(sorted(choose.sample(others, min(OPENED, len(others)))))
    return Task(
        task.key, task.kind, task.folder, task.path, task.prefix, task.suffix, task.gold, opened, task.hunks
    )
