"""`midfill tests FILE:LINE` with the docstring's examples alone: no model is needed but the fake one."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from midfill.server.actions.unit_tests import TestOffer, write_tests
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


@pytest.mark.parametrize("folder", ["build", "vendor", "pkg"])
def test_tests_that_are_there_stay_whatever_the_folder_is_called(file, folder):
    source = file.parent / "pkg" / folder / "graph.py"
    there = file.parent / "tests" / folder / "test_graph.py"
    for path, text in ((source, CODE), (there, "def test_precious():\n    pass\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert told_for(f"{source}:1", "--write").exit_code == 0
    written = [path for path in file.parent.rglob("*graph*") if path != source]
    assert "test_precious" in there.read_text()
    assert sum("test_double_example" in path.read_text() for path in written) == 1


def test_a_long_test_file_and_one_with_a_byte_order_mark_are_added_to_at_the_end(file):
    there = file.parent / "tests/test_twice.py"
    there.parent.mkdir()
    long = (
        "\ufefffrom twice import double\n\n\ndef test_a():\n"
        + "    assert double(111111) == 222222\n" * 7000
    )
    there.write_text(long, encoding="utf-8")
    assert told_for(f"{file}:1", "--write").exit_code == 0
    added = "\n\ndef test_double_example():\n    assert double(2) == 4\n"
    assert there.read_text(encoding="utf-8") == long + added


def test_a_test_file_that_changes_while_the_model_writes_is_left_alone(file, monkeypatch):
    there = file.parent / "tests/test_twice.py"

    async def slow(*given: object, **named: object) -> TestOffer:
        offer = await write_tests(*given, **named)  # type: ignore[arg-type]
        there.parent.mkdir()
        there.write_text("# somebody was faster\n")
        return offer

    monkeypatch.setattr("midfill.server.cli.tests.write_tests", slow)
    told = told_for(f"{file}:1", "--write")
    assert told.exit_code == 1
    assert "was changed meanwhile, so nothing is written" in told.stderr
    assert there.read_text() == "# somebody was faster\n"


def test_a_file_that_begins_with_a_byte_order_mark_is_python(file):
    file.write_text("\ufeff" + CODE, encoding="utf-8")
    assert "def test_double_example" in told_for(f"{file}:1").stdout
