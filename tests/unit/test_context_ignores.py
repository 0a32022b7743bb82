"""Which ignore files count for a file: those of its repository, wherever in it an editor was opened."""

import os
from pathlib import Path

import pytest

from midfill.server.context.ignores import Ignores
from midfill.server.context.workspace import Workspace
from midfill.server.uris import to_uri


def write(path: Path, text: str = "x = 1\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def allows(path: Path, *folders: Path) -> bool:
    return Workspace(tuple(map(str, folders))).allows(write(path))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    return tmp_path / "repo"


def test_rules_above_the_opened_folder_count_up_to_the_repositorys_root(repo):
    write(repo / ".gitignore", "local_settings.py\n/packages/app/made.py\n")
    write(repo / "packages" / ".midfillignore", "drafts/\n")
    write(repo.parent / ".gitignore", "*\n")  # outside of the repository
    app = repo / "packages" / "app"
    for name in ("local_settings.py", "made.py", "drafts/a.py"):
        assert not allows(app / name, app)
    assert allows(app / "main.py", app)
    assert allows(app / "src" / "made.py", app)


def test_an_ignored_folder_around_the_opened_one_hides_all_of_it(repo):
    write(repo / ".gitignore", "build/\n")
    assert not allows(repo / "build" / "app" / "a.py", repo / "build" / "app")


def test_a_rule_in_the_opened_folder_overrules_one_above_it(repo):
    write(repo / ".gitignore", "*.py\n")
    write(repo / "app" / ".gitignore", "!a.py\n")
    assert allows(repo / "app" / "a.py", repo / "app")
    assert not allows(repo / "app" / "b.py", repo / "app")


def test_with_an_outer_and_an_inner_folder_open_the_outer_ones_rules_count(tmp_path):
    write(tmp_path / ".ignore", "a.py\n")  # no repository
    for folders in ((tmp_path, tmp_path / "app"), (tmp_path / "app", tmp_path)):
        assert not allows(tmp_path / "app" / "a.py", *folders)
        assert allows(tmp_path / "app" / "b.py", *folders)
    assert allows(tmp_path / "app" / "a.py", tmp_path / "app")


def test_a_repository_around_the_files_own_says_nothing_of_it(repo):
    write(repo / ".gitignore", "*\n")  # a home folder's repository often has this
    inner = repo / "code" / "project"
    (inner / ".git").mkdir(parents=True)
    assert allows(inner / "a.py", inner)
    assert allows(inner / "a.py", repo / "code")
    assert not allows(repo / "code" / "a.py", repo / "code")
    assert not allows(inner / "a.py", repo)  # its rules are in the opened folder


def test_the_repositorys_own_list_counts_and_ignore_files_overrule_it(repo):
    write(repo / ".git" / "info" / "exclude", "local.py\n/app/notes/\nkept.py\n")
    write(repo / "app" / ".gitignore", "!kept.py\n")
    assert not allows(repo / "app" / "local.py", repo)
    assert not allows(repo / "app" / "local.py", repo / "app")
    assert not allows(repo / "app" / "notes" / "a.py", repo / "app")
    assert allows(repo / "app" / "kept.py", repo / "app")
    assert not allows(repo / "kept.py", repo)


@pytest.mark.parametrize("relative", [True, False])
def test_a_worktree_has_the_list_of_its_repository(repo, tmp_path, relative):
    write(repo / ".git" / "info" / "exclude", "local.py\n")
    own, tree = repo / ".git" / "worktrees" / "tree", tmp_path / "tree"
    write(own / "commondir", "../..\n" if relative else f"{repo / '.git'}\n")
    write(own / "info" / "exclude", "a.py\n")  # git does not look here
    write(tree / ".git", f"gitdir: {'../repo/.git/worktrees/tree' if relative else own}\n")
    write(tree / ".gitignore", "made.py\n")
    for name, allowed in (("local.py", False), ("made.py", False), ("a.py", True)):
        assert allows(tree / "src" / name, tree / "src") is allowed


def test_a_submodule_has_a_list_of_its_own(repo):
    write(repo / ".git" / "modules" / "sub" / "info" / "exclude", "local.py\n")
    write(repo / "sub" / ".git", "gitdir: ../.git/modules/sub\n")
    assert not allows(repo / "sub" / "local.py", repo / "sub")
    assert allows(repo / "local.py", repo)


@pytest.mark.parametrize("said", ["", "gitdir: nowhere\n", "gitdir: \0\n", "words", "gitdir: \udcff\n"])
def test_a_git_file_that_leads_nowhere_still_marks_the_root(tmp_path, said):
    (tmp_path / ".git").write_text(said, "utf-8", "surrogateescape")
    write(tmp_path / ".gitignore", "a.py\n")
    assert not allows(tmp_path / "app" / "a.py", tmp_path / "app")
    assert allows(tmp_path / "app" / "b.py", tmp_path / "app")


@pytest.mark.parametrize("place", [".gitignore", ".git/info/exclude"])
def test_a_byte_order_mark_is_no_part_of_the_first_line(repo, place):
    write(repo / place, "\ufefflocal.py\n")
    assert not allows(repo / "local.py", repo)


def test_an_open_document_of_no_folder_follows_its_repository(repo):
    write(repo / ".gitignore", "local.py\n")
    assert not Workspace().allows_open(to_uri(write(repo / "app" / "local.py")))
    assert Workspace().allows_open(to_uri(write(repo / "app" / "a.py")))


def test_nothing_above_is_read_but_ignore_files_and_each_once(repo, monkeypatch):
    write(repo / ".gitignore", "local.py\n")
    write(repo / ".git" / "info" / "exclude", "notes/\n")
    app = repo / "app"
    names = [write(app / "src" / f"{n}.py") for n in range(5)]
    seen: list[str] = []
    real_open = open
    monkeypatch.setattr("builtins.open", lambda path, **how: seen.append(path) or real_open(path, **how))
    ignores = Ignores()
    assert not any(ignores.hides(name, str(app)) for name in names)
    assert sorted(seen) == [str(repo / ".git" / "info" / "exclude"), str(repo / ".gitignore")]


def test_a_pipe_in_the_place_of_an_ignore_file_is_waited_for_by_nobody(repo):
    os.mkfifo(repo / ".gitignore")
    assert allows(repo / "a.py", repo)
