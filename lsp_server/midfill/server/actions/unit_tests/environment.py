"""Which Python runs the tests, and where our own pytest and coverage lie. Starts nothing."""

import importlib.util
import os
import sys
from pathlib import Path

TOOLS = "/tools"
"""Where they are seen inside the sandbox: read-only, ahead of what the user's environment has."""
NEEDED = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "coverage")
"""pytest with what it imports, and coverage.py: none is needed in the user's environment."""
OLDER = ("tomli", "exceptiongroup", "typing_extensions")
"""What these need on Python 3.10; bound where they are here."""
VENVS = (".venv", "venv")


def python_for(workspace: Path | None, chosen: str) -> str:
    """`testPython` (relative paths are the workspace's), else the workspace's own environment, else the
    Python that runs this."""
    if chosen:
        path = Path(chosen).expanduser()
        return str(path if path.is_absolute() or workspace is None else workspace / path)
    for name in VENVS if workspace else ():
        assert workspace is not None
        found = workspace / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if found.exists():
            return str(found)
    return sys.executable


def tool_folders() -> tuple[tuple[str, str], ...]:
    """(here, inside) of each package that runs tests. Raises LookupError, naming what is not installed."""
    folders = []
    for name in (*NEEDED, *OLDER):
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if places:
            folders.append((places[0], f"{TOOLS}/{name}"))
        elif name in NEEDED:
            raise LookupError(f"{name} is not installed beside Midfill")
    return tuple(folders)
