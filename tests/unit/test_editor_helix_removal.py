"""`midfill editor helix --remove`: what the user wrote around our server stays, comments and lines too."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from midfill.server.cli.editor import editor
from midfill.server.editors import files, helix
from midfill.server.editors.languages_toml import merge, remove

SERVERS = {"python": ("ruff",), "rust": ("rust-analyzer",)}
COMMAND = ("midfill", "serve", "--stdio")
LATER = '\n[[language]]\nname = "nix"\n'
"""What the user adds after --write."""

LISTS = {
    "over several lines": '[\n  "pylsp", # types\n  # and lints\n  "ruff", # fast\n]',
    "without a last comma": '[\n  "pylsp",\n  "ruff" # fast\n]',
    "on one line": '["pylsp"] # mine',
    "with tables": '[\n  { name = "ruff", except-features = ["hover"] }, # quiet\n]',
    "empty": "[]",
}


@pytest.fixture(autouse=True)
def own_helix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helix, "find", lambda named: "hx")
    monkeypatch.setattr(helix, "default_servers", lambda program: SERVERS)


def run(file: Path, action: str) -> str:
    ended = CliRunner().invoke(editor, ["helix", action, "--file", str(file)])
    assert ended.exit_code == 0, ended.output
    return ended.output


def configured(servers: str) -> str:
    return f'[[language]]\nname = "python"\nlanguage-servers = {servers}\n'


@pytest.mark.parametrize("servers", LISTS.values(), ids=LISTS)
def test_a_list_has_its_comments_and_lines_again(servers):
    text = configured(servers)
    left = remove(merge(text, SERVERS, COMMAND) + LATER)
    assert tomllib.loads(left) == tomllib.loads(text + LATER)
    comments = [line.partition("#")[2] for line in text.splitlines()]
    assert [line.partition("#")[2] for line in left.splitlines()][: len(comments)] == comments
    assert len(left.splitlines()) >= len((text + LATER).splitlines())


def test_a_server_in_the_middle_goes_alone():
    left = remove(configured('[\n  "pylsp", # types\n  "midfill",\n  "ruff", # fast\n]'))
    assert left == configured('[\n  "pylsp", # types\n  "ruff", # fast\n]')


def test_the_copy_stays_where_the_file_was_changed_since(tmp_path):
    file, before = tmp_path / "languages.toml", configured(LISTS["over several lines"])
    file.write_text(before, encoding="utf-8")
    run(file, "--write")
    file.write_text(file.read_text(encoding="utf-8") + LATER, encoding="utf-8")
    said = run(file, "--remove")
    assert f"what was there before it is in {files.backup_of(file)}" in said
    assert files.backup_of(file).read_text(encoding="utf-8") == before
    assert file.read_text(encoding="utf-8") == before + LATER


def test_a_file_that_names_midfill_by_hand_is_kept_as_it_was_before_the_first_write(tmp_path):
    file, before = tmp_path / "languages.toml", configured('["pylsp", "midfill"] # by hand')
    file.write_text(before, encoding="utf-8")
    run(file, "--write")
    assert files.backup_of(file).read_text(encoding="utf-8") == before
    file.write_text(file.read_text(encoding="utf-8").replace('"rust-analyzer", ', ""), encoding="utf-8")
    assert "Midfill is there, beside" in run(file, "--write")
    assert files.backup_of(file).read_text(encoding="utf-8") == before
    run(file, "--remove")
    assert "midfill" not in file.read_text(encoding="utf-8")
    assert files.backup_of(file).read_text(encoding="utf-8") == before
