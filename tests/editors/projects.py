"""A Python project for the unit-test action in an editor, and what the scripted model makes of it."""

from pathlib import Path

CODE = "def double(number):\n    return number * 2\n"
ANSWERS = ["assert double(3) == 6\nassert double(0) == 1"]
"""The second fails."""
WRITTEN = "from twice import double\n\n\ndef test_double():\n    assert double(3) == 6\n"


def python_project(folder: Path) -> None:
    """Makes `folder`, which need not be there, a project whose tests pytest runs."""
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
