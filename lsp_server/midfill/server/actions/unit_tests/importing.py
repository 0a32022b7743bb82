"""By which name a test imports the module under test, and from which folder. Pure: a list of files is all
it sees; paths are relative to the workspace and have `/`.
"""

import re
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

Read = Callable[[str], str]
"""A file's text by its relative path; empty where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    """Dotted."""
    root: str
    """The folder that it is imported from; `.` is the workspace itself."""
    is_package: bool = False


def module_of(path: str, files: Collection[str], read: Read) -> Module | None:
    """The module that the file `path` is; None: its name is none that can be imported.

    Packages are followed up to the last folder with an `__init__.py`; above that, folders that the project
    puts on Python's path (pytest's `pythonpath`, a `src` folder) begin names too: namespace packages.
    """
    file = PurePosixPath(path)
    top = file.parent
    while f"{top}/__init__.py".removeprefix("./") in files and top != PurePosixPath("."):
        top = top.parent
    known = [PurePosixPath(root) for root in _roots(files, read)]
    above = [root for root in known if top.is_relative_to(root)]
    root = max(above, key=lambda found: len(found.parts), default=top)
    parts = file.relative_to(root).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    if not parts or not all(re.fullmatch(r"[^\W\d]\w*", part) for part in parts):
        return None
    return Module(".".join(parts), str(root), file.name == "__init__.py")


def _roots(files: Collection[str], read: Read) -> list[str]:
    roots = []
    if "pyproject.toml" in files:
        try:
            options = tomllib.loads(read("pyproject.toml")).get("tool", {}).get("pytest", {})
            stated = options.get("ini_options", options).get("pythonpath", [])
            roots += stated.split() if isinstance(stated, str) else [str(root) for root in stated]
        except (tomllib.TOMLDecodeError, AttributeError, TypeError):
            pass
    if any(file.startswith("src/") for file in files):
        roots.append("src")
    return [root.rstrip("/") or "." for root in roots if root != "."]
