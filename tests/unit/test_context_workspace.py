"""Which files are read at all: what is secret, ignored, excluded, outside, huge or minified never is."""

import os
from pathlib import Path

import pytest

from midfill.server.context.workspace import MAX_FILE_BYTES, Reader, Workspace, workspace_of
from midfill.server.uris import to_uri

TEXT = "def f(): ...\n"


def write(path: Path, text: str = TEXT) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def reader(*folders: Path, exclude: tuple[str, ...] = ()) -> Reader:
    return Reader(Workspace(tuple(map(str, folders)), exclude), {}, {})


def test_a_plain_file_of_the_workspace_is_read_and_read_again_when_it_changes(tmp_path):
    path, found = write(tmp_path / "a.py"), reader(tmp_path)
    assert found.text(path) == TEXT
    write(tmp_path / "a.py", "other = 1\n")
    assert found.text(path) == "other = 1\n"


def test_a_file_that_did_not_change_is_read_once(tmp_path, monkeypatch):
    path, found = write(tmp_path / "a.py"), reader(tmp_path)
    found.text(path)
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("read again"))
    monkeypatch.setattr(Workspace, "_ignored", lambda *_: False)
    assert found.text(path) == TEXT


def test_an_open_document_stands_for_its_file(tmp_path):
    path, found = write(tmp_path / "a.py"), reader(tmp_path)
    found.opened[path] = "unsaved = 1\n"
    assert found.text(path) == "unsaved = 1\n"


@pytest.mark.parametrize("name", [".env", "id_rsa", "credentials.json", ".ssh/config.py"])
def test_secrets_are_not_read(tmp_path, name):
    assert reader(tmp_path).text(write(tmp_path / name)) is None


def test_what_lies_outside_is_not_read_nor_what_a_link_leads_to(tmp_path):
    inside, outside = tmp_path / "w", tmp_path / "w2"
    secret = write(outside / "a.py")
    inside.mkdir()
    os.symlink(secret, inside / "link.py")
    os.symlink(outside, inside / "folder")
    found = reader(inside)
    for path in (secret, inside / "link.py", inside / "folder" / "a.py", inside / ".." / "w2" / "a.py"):
        assert found.text(str(path)) is None
    assert reader(outside).text(secret) == TEXT
    assert reader().text(secret) is None
    assert found.listing(str(outside)) == ()


def test_a_link_inside_to_a_secret_is_not_followed(tmp_path):
    os.symlink(write(tmp_path / ".env"), tmp_path / "plain.py")
    assert reader(tmp_path).text(str(tmp_path / "plain.py")) is None


IGNORED = [
    (".gitignore", "build/\n", "build/a.py", True),
    (".gitignore", "build/\n", "src/build/a.py", True),
    (".gitignore", "/build/\n", "src/build/a.py", False),
    (".gitignore", "*.gen.py\n!keep.gen.py\n", "a.gen.py", True),
    (".gitignore", "*.gen.py\n!keep.gen.py\n", "keep.gen.py", False),
    (".gitignore", "build/\n!build/a.py\n", "build/a.py", True),  # gitignore(5): its folder is ignored
    (".ignore", "a.py\n", "src/a.py", True),
    (".midfillignore", "src\n", "src/a.py", True),
    ("src/.gitignore", "a.py\n", "src/deep/a.py", True),
    ("src/.gitignore", "a.py\n", "a.py", False),
    (".gitignore", "# only words\n\n", "a.py", False),
]


@pytest.mark.parametrize(("ignore", "rules", "name", "ignored"), IGNORED)
def test_ignore_files_count_as_they_do_in_git(tmp_path, ignore, rules, name, ignored):
    write(tmp_path / ignore, rules)
    assert (reader(tmp_path).text(write(tmp_path / name)) is None) is ignored


def test_a_line_that_no_pattern_is_takes_no_other_one_with_it(tmp_path):
    write(tmp_path / ".gitignore", "!\na.py\n[z-a]\nodd\\\n")
    assert reader(tmp_path).text(write(tmp_path / "a.py")) is None
    assert reader(tmp_path).text(write(tmp_path / "b.py")) == TEXT


def test_a_deeper_ignore_file_can_take_a_file_back(tmp_path):
    write(tmp_path / ".gitignore", "*.py\n")
    write(tmp_path / "src" / ".gitignore", "!a.py\n")
    assert reader(tmp_path).text(write(tmp_path / "src" / "a.py")) == TEXT
    assert reader(tmp_path).text(write(tmp_path / "src" / "b.py")) is None


def test_what_git_keeps_for_itself_and_what_the_user_excludes_is_not_read(tmp_path):
    assert reader(tmp_path).text(write(tmp_path / ".git" / "hook.py")) is None
    path = write(tmp_path / "gen" / "a.py")
    assert reader(tmp_path, exclude=("**/gen/**",)).text(path) is None
    assert reader(tmp_path, exclude=("**/other/**",)).text(path) == TEXT


def test_huge_minified_and_binary_files_are_not_read(tmp_path):
    found = reader(tmp_path)
    assert found.text(write(tmp_path / "huge.py", "x = 1\n" * MAX_FILE_BYTES)) is None
    assert found.text(write(tmp_path / "minified.js", "var a=1;" * 2000)) is None
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    assert found.text(str(tmp_path / "binary.py")) is None
    assert found.text(str(tmp_path / "missing.py")) is None


def test_open_documents_beside_the_cursor_follow_the_same_rules(tmp_path):
    workspace = Workspace((str(tmp_path),), ("**/no.py",))
    write(tmp_path / ".gitignore", "ignored.py\n")
    allowed = {
        name: workspace.allows_open(to_uri(str(tmp_path / name)))
        for name in ("a.py", "no.py", ".env", "ignored.py", "../b.py")
    }
    assert allowed == {"a.py": True, "no.py": False, ".env": False, "ignored.py": False, "../b.py": False}
    assert workspace.allows_open("untitled:Untitled-1")
    assert Workspace().allows_open("file:///anywhere/a.py")
    assert not Workspace().allows_open("file:///anywhere/.env")


def test_open_documents_that_are_no_files_are_excluded_by_the_path_in_their_uri(tmp_path):
    workspace = Workspace((str(tmp_path),), ("**/secrets",))
    for uri in ("untitled:/w/secrets/a.py", "vscode-vfs://github/o/r/secrets/a.py"):
        assert not workspace.allows_open(uri)
        assert workspace.allows_open(uri.replace("secrets", "src"))


@pytest.mark.parametrize(
    "uri",
    [
        "fugitive:///w/.git//0/a.py",
        "git:/w/a.py?%7B%7D",
        "vscode-notebook-cell:/w/a.ipynb#c1",
        "output:tasks",
        "debug:x",
        "",
    ],
)
def test_what_is_no_document_is_not_shown_beside_one(tmp_path, uri):
    assert not Workspace().allows_open(uri)
    assert not Workspace((str(tmp_path),)).allows_open(uri)


def test_patterns_may_begin_at_a_folder_also_at_one_that_is_a_link(tmp_path):
    path = write(tmp_path / "real" / "gen" / "a.py")
    os.symlink(tmp_path / "real", tmp_path / "link")
    for name in ("real", "link"):
        found = reader(tmp_path / name, exclude=("/gen",))
        assert found.text(path) is None
        assert found.text(str(tmp_path / "link" / "gen" / "a.py")) is None
        assert reader(tmp_path / name, exclude=("/real", "real", "link")).text(path) == TEXT


def test_without_an_editor_the_workspace_is_the_nearest_project(tmp_path, monkeypatch):
    write(tmp_path / "p" / "pyproject.toml", "")
    assert workspace_of(str(tmp_path / "p" / "src" / "a.py")) == str(tmp_path / "p")
