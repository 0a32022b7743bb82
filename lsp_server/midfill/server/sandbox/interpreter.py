"""What of this machine a Python needs to start, found by reading alone: a workspace's is not run for it.

A workspace's `.venv` is somebody's data. Its links and its pyvenv.cfg say where to look; what is shown is
only ever a program and its libraries.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from midfill.server.secret_files import FOLDERS

MARKER = "pyvenv.cfg"
CONDA = "conda-meta"
"""Below a prefix that conda keeps: its `lib` holds packages alone, several hundred shared libraries."""
STANDARD = ("lib/python3*/os.py", "lib64/python3*/os.py", "lib/pypy3*/os.py")
"""How a standard library is known, as Python itself knows it (Modules/getpath.py)."""
PACKAGES = ("lib/python3*/", "lib64/python3*/", "lib/pypy3*/")
SHARED = ("lib/*.so", "lib/*.so.*", "lib64/*.so", "lib64/*.so.*", "bin/*.so")
"""What programs of pyenv, uv and PyPy are linked to."""
SECRET = FOLDERS | {".config", ".aws", ".azure", ".docker", ".mozilla", ".thunderbird"}
"""No Python lives in there."""
MOST_LINKS = 40
"""As many as Linux follows (path_resolution(7))."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file or folder that is seen inside by the name that it has here."""

    name: Path
    source: Path
    """Of a link the next name; else what is meant, with no link on the way there."""
    is_link: bool = False


def pieces_of(python: Path) -> tuple[Piece, ...]:
    """What to show inside so that `python` starts: its program, by each name on the way to it, and packages
    and shared libraries of its environment and of each prefix that has a standard library.

    Raises ValueError where that is no installation of Python, or lies where nothing is to be seen.
    """
    names = _names(python)
    environment = names[0].parent.parent
    base: list[Path] = []
    packages = []
    if os.path.isfile(environment / MARKER):
        _refuse_secrets(names[0])  # before a word of it is read
        base = _base(environment, names)
        packages = [*_inside(environment, (MARKER,)), *_inside(environment, PACKAGES)]
    for name in (*names, *base):
        _refuse_secrets(name)
    if not any(_is_installed(program) for program in (names[-1], *base[-1:])):
        raise ValueError(f"beside {names[-1]} lies no standard library of Python")
    found = [*_program(names), *_program(base), *packages]
    for prefix in dict.fromkeys(name.parent.parent for name in (*names, *base)):
        if not _is_system(prefix) and _has_standard_library(prefix):
            found += _inside(prefix, ("lib/",) if os.path.isdir(prefix / CONDA) else (*PACKAGES, *SHARED))
    return tuple({piece.name: piece for piece in found}.values())


def _names(program: Path) -> list[Path]:
    """`program`, each link's next, and at last the file that is meant. A venv's interpreter is a link into
    another installation, sometimes through a further link (inference.md §6)."""
    names = [Path(os.path.abspath(program))]
    while os.path.islink(names[-1]):
        target = names[-1].parent / os.readlink(names[-1])
        names.append(Path(os.path.normpath(target)))
        if len(names) > MOST_LINKS:
            raise ValueError(f"{program} is a link that leads nowhere")
    real = _real(names[0])
    return names if names[-1] == real else [*names, real]


def _base(environment: Path, names: Sequence[Path]) -> list[Path]:
    """The names of the interpreter that a venv was made from. pyvenv.cfg says in which folder it is: the
    same program as the venv's, or where that is a copy, one by its name, or by the name there always is."""
    home = _home_in(environment / MARKER, _real(environment))
    if home is None:
        return []
    is_copy = names[-1].is_relative_to(_real(environment))
    for name in dict.fromkeys((*(name.name for name in names), "python3")):
        if name.startswith(("python", "pypy")) and os.path.isfile(home / name):
            found = _names(home / name)
            if found[-1] == names[-1] or (is_copy and _is_installed(found[-1])):
                return found
    raise ValueError(f"{environment / MARKER} names {home}, which does not hold its Python")


def _home_in(marker: Path, root: Path) -> Path | None:
    """What a venv's pyvenv.cfg calls `home`: the `bin` folder of the installation it was made from."""
    if root not in _real(marker).parents:
        raise ValueError(f"{marker} is a link that leads out of its environment")
    for line in marker.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip():
            return Path(os.path.abspath(value.strip()))
    return None


def _program(names: Sequence[Path]) -> Iterator[Piece]:
    """Links stay links: a program looks for shared libraries from where it lies, not by the name it has."""
    for name, following in pairwise(names):
        if not _is_system(name.parent.parent):
            is_link = os.path.islink(name)
            yield Piece(name, following if is_link else names[-1], is_link)
    if names and not _is_system(names[-1].parent.parent):
        yield Piece(names[-1], names[-1])


def _inside(prefix: Path, patterns: Sequence[str]) -> Iterator[Piece]:
    """What `patterns` find below `prefix` (with a / at the end: folders), nothing by a link that leads out
    of it, or back up."""
    root = _real(prefix)
    for pattern in patterns:
        for name in sorted(prefix.glob(pattern.rstrip("/"))):
            source = _real(name)
            if root in source.parents and os.path.isdir(source) == pattern.endswith("/"):
                yield Piece(name, source)


def _refuse_secrets(name: Path) -> None:
    """Raises ValueError for a program in a folder of secrets, or beside the home folder, or above it."""
    homes = (Path.home(), _real(Path.home()))
    for place in (name.parent, _real(name.parent), _real(name.parent.parent) / name.parent.name):
        prefix = place.parent
        if not SECRET.isdisjoint(part.lower() for part in place.parts):
            raise ValueError(f"{name} lies in a folder of secrets")
        if not _is_system(prefix) and any(home.is_relative_to(prefix) for home in homes):
            raise ValueError(f"{name} lies in {prefix}, which holds the home folder")


def _is_installed(program: Path) -> bool:
    """Whether `program`, no link, has all it needs."""
    prefix = program.parent.parent
    return _is_system(prefix) or _has_standard_library(prefix)


def _has_standard_library(prefix: Path) -> bool:
    return any(True for pattern in STANDARD for _ in prefix.glob(pattern))


def _is_system(folder: Path) -> bool:
    """Below /usr, or / itself (`/bin/python3` is a link into /usr): bound anyway."""
    return folder == Path("/") or folder.is_relative_to("/usr")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
