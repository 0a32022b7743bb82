"""`midfill tests FILE:LINE` with the docstring's examples alone: no model is needed but the fake one."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from midfill.server.cli import main
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

CODE = 'def double(number):\n    """Twice.\n\n    >>> double(2)\n    4\n    """\n    return number * 2\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIDFILL_STATE_DIR", str(tmp_path / "state"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text("")
    (project / "twice.py").write_text(CODE)
    return project / "twice.py"


def told_for(place: object, *options: str) -> Result:
    given = ["tests", str(place), "--backend", "scripted", "--candidates", "0", "-q", *options]
    return CliRunner().invoke(main, given)


def test_it_prints_and_says_that_nothing_was_run(file):
    told = told_for(f"{file}:1")
    assert told.exit_code == 0, told.output
    assert "def test_double_example():\n    assert double(2) == 4\n" in told.stdout
    assert "1 test written, none was run: say `--run`" in told.stderr
    assert not (file.parent / "tests").exists()


def test_consent_is_given_once_and_taken_back(file, sandbox):
    assert "1 of 1 test passes." in told_for(f"{file}:1", "--run").stderr
    assert "1 of 1 test passes." in told_for(f"{file}:1").stderr
    assert "none was run" in told_for(f"{file}:1", "--no-run").stderr
    assert "none was run" in told_for(f"{file}:1", "--forget").stderr
    assert "none was run" in told_for(f"{file}:1").stderr


def test_it_writes_and_writes_nothing_where_it_must_not(file):
    assert told_for(f"{file}:1", "--write").exit_code == 0
    written = file.parent / "tests/test_twice.py"
    assert written.read_text().startswith("from twice import double\n")
    for place, why in (
        (f"{file}:99", "no function here"),
        (file, "is not FILE:LINE"),
        ("a.rs:1", "Python"),
    ):
        told = told_for(place, "--write")
        assert told.exit_code == 1
        assert why in told.stderr
