"""`midfill editor neovim`: the file it writes is the user's from then on, with what they make of it."""

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from midfill.server.cli import editor as command
from midfill.server.editors import files, plugin_file

EDITED = "keymaps = { accept = '<Tab>' },"


def run(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(command.editor, ["neovim", *arguments])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As --write left it where Neovim looks."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert run("--write")[0] == 0
    return tmp_path / "nvim" / "plugin" / "midfill.lua"


def edit(file: Path) -> bytes:
    text = file.read_text(encoding="utf-8")
    assert "keymaps = true," in text
    file.write_text(text.replace("keymaps = true,", EDITED), encoding="utf-8")
    return file.read_bytes()


def names_beside(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.iterdir())


def test_writing_again_leaves_a_file_that_was_changed_as_it_is_and_says_so(file):
    edited = edit(file)
    code, said = run("--write")
    assert (code, "left as you changed it" in said, str(file) in said) == (0, True, True)
    assert file.read_bytes() == edited
    assert names_beside(file) == ["midfill.lua"]


def test_writing_again_changes_nothing_in_a_file_that_was_not_changed(file):
    written = file.read_bytes()
    assert run("--write") == (0, f"{file}: Midfill is there\n")
    assert file.read_bytes() == written
    assert names_beside(file) == ["midfill.lua"]


def test_a_file_that_an_earlier_call_wrote_is_brought_up_to_date(file, monkeypatch):
    monkeypatch.setattr(command, "_command", lambda: ["/moved/midfill", "serve", "--stdio"])
    assert run("--write")[0] == 0
    assert "'/moved/midfill'" in file.read_text(encoding="utf-8")
    assert names_beside(file) == ["midfill.lua"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_from_before_there_was_a_digest_is_known_by_its_lines(file, ends):
    first, _, *lines = file.read_text(encoding="utf-8").split("\n")
    file.write_bytes(ends.join([first, *lines]).encode())
    assert run("--write") == (0, f"{file}: Midfill is there\n")
    file.write_bytes(ends.join([first, "vim.g.mine = 1", *lines]).encode())
    assert "left as you changed it" in run("--write")[1]


def test_line_ends_alone_are_no_change(file):
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert run("--write") == (0, f"{file}: Midfill is there\n")


def test_removing_a_changed_file_keeps_a_copy_beside_it(file):
    edited = edit(file)
    code, said = run("--remove")
    assert (code, str(files.backup_of(file)) in said) == (0, True)
    assert names_beside(file) == [f"midfill.lua{files.BACKUP}"]
    assert files.backup_of(file).read_bytes() == edited
    assert run("--write") == (0, f"{file}: Midfill is there\n")


@pytest.mark.parametrize(("base", "named"), [("elsewhere", False), ("", True)], ids=["venv", "no venv"])
def test_a_virtual_environments_midfill_is_named_by_its_whole_path(tmp_path, monkeypatch, base, named):
    program = tmp_path / ("midfill.exe" if os.name == "nt" else "midfill")
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))  # as in a shell where it is activated
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / base))
    assert command._command() == ["midfill" if named else str(program), "serve", "--stdio"]


def test_removing_an_unchanged_file_leaves_nothing(file):
    assert run("--remove") == (0, f"{file}: Midfill is gone\n")
    assert names_beside(file) == []


@pytest.mark.parametrize("action", ["--write", "--remove"])
def test_a_file_that_is_no_utf8_is_named_and_left_as_it_is(file, action):
    content = plugin_file.BEGIN.encode("utf-16")
    file.write_bytes(content)
    code, said = run(action)
    assert (code, f"{file} is left as it is" in said) == (1, True)
    assert file.read_bytes() == content
