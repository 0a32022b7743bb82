"""`midfill docstring`, with the scripted model: its made-up words are no prose, so placeholders come."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from midfill.server.cli.docstring import docstring

CODE = "x = 1\r\n\r\ndef f(a):\r\n    pass\r\n"
DOCSTRING = '    """F.\r\n\r\n    Args:\r\n        a: The a to work with.\r\n    """\r\n'
AFTER = CODE.replace("    pass", DOCSTRING + "    pass")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(docstring, [*arguments, "--backend", "scripted", "-q"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(CODE.encode())
    return path


def test_it_prints_the_difference_and_leaves_the_file(file: Path) -> None:
    found = run(f"{file}:3")
    assert found.exit_code == 0, found.output
    assert '+    """F.' in found.stdout
    assert "placeholders" in found.stderr
    assert file.read_bytes() == CODE.encode()


def test_write_changes_the_file_and_keeps_its_line_ends(file: Path) -> None:
    assert run(f"{file}:3", "--write").exit_code == 0
    assert file.read_bytes().decode() == AFTER


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("{}:1", "nothing here"),
        ("{}:9", "there is no line 9"),
        ("{}", "is not FILE:LINE"),
        ("{}x:1", "cannot read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(file: Path, place: str, word: str) -> None:
    found = run(place.format(file))
    assert found.exit_code == 1
    assert word in found.stderr


def test_a_file_in_no_language_is_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# x\n")
    assert "in this language" in run(f"{path}:1").stderr


def test_a_read_only_file_is_refused_before_a_model_is_loaded(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    found = run(f"{file}:3", "--write")
    assert (found.exit_code, file.read_bytes()) == (1, CODE.encode())
    assert "cannot be written to" in found.stderr
