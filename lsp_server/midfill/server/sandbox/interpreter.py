"""Which folders a Python needs to start, found by reading alone: a workspace's Python is not run for it."""

import os
from pathlib import Path

MARKER = "pyvenv.cfg"


def folders_of(python: Path) -> tuple[Path, ...]:
    """The folders to bind so that `python` starts: its environment, and where its links lead.

    A venv's interpreter is a link into another installation, sometimes through a further link
    (inference.md §6). Raises ValueError where such a folder holds the user's home.
    """
    links = [python.absolute()]
    while links[-1].is_symlink():
        target = links[-1].parent / os.readlink(links[-1])
        links.append(Path(os.path.normpath(target)))
        if len(links) > 40:  # as many as Linux follows (path_resolution(7))
            raise ValueError(f"{python} is a link that leads nowhere")
    programs = [*links, python.resolve()]
    home = _home_of(links[0].parents[1] / MARKER)
    if home is not None:
        programs += [home / python.name, (home / python.name).resolve()]
    found = list(dict.fromkeys(program.parents[1] for program in programs))
    for folder in found:
        if Path.home().is_relative_to(folder) and folder != Path("/"):
            raise ValueError(f"{python} lies in {folder}, which holds the home folder")
    return tuple(folder for folder in found if not _is_system(folder))


def _home_of(marker: Path) -> Path | None:
    """What a venv's pyvenv.cfg calls `home`: the `bin` folder of the installation it was made from."""
    if not marker.is_file():
        return None
    for line in marker.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip():
            return Path(value.strip())
    return None


def _is_system(folder: Path) -> bool:
    """Below /usr, or / itself (`/bin/python3` is a link into /usr): bound anyway."""
    return folder == Path("/") or folder.is_relative_to("/usr")
