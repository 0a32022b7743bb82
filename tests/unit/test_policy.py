"""Where nothing is suggested, and why."""

import sys

import pytest

from midfill.server.completion.policy import silence
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot


def why(uri: str, language: str = "python", **settings: object) -> str:
    return silence(new_snapshot(uri, 1, language, ""), Settings(**settings))


@pytest.mark.parametrize("uri", ["file:///a", "untitled:a", "vscode-remote://ssh/a", "vscode-vfs:/a"])
def test_documents_that_people_edit_get_suggestions(uri):
    assert why(uri) == ""


@pytest.mark.parametrize("uri", ["output:tasks", "git:/a.py?HEAD", "vscode-chat:1", "", "debug:x"])
def test_panes_chats_and_diffs_get_none(uri):
    assert why(uri) == "not-a-file"


def test_only_the_languages_that_are_set_get_suggestions_and_an_empty_list_means_all():
    assert why("file:///a", "go", languages=("python", "go")) == ""
    assert why("file:///a", "rust", languages=("python", "go")) == "language-off"
    assert why("file:///a", "rust", languages=()) == ""


@pytest.mark.parametrize(
    ("pattern", "uri", "excluded"),
    [
        ("**/*.env", "file:///home/u/prod.env", True),
        ("**/*.env", "file:///prod.env", True),
        ("*.env", "file:///home/u/prod.env", True),
        ("*.env", "file:///home/u/prod.env.py", False),
        (".env", "file:///home/u/.env", True),
        ("**/secrets/**", "file:///home/u/secrets/deep/down/a.py", True),
        ("**/secrets/**", "file:///secrets/a.py", True),
        ("**/secrets/**", "file:///home/u/not_secrets/a.py", False),
        ("secrets/*.py", "file:///home/u/secrets/a.py", True),
        ("secrets/*.py", "file:///home/u/secrets/deep/a.py", False),
        ("/home/*/x.py", "file:///home/u/x.py", True),
        ("/home/*/x.py", "file:///mnt/home/u/x.py", False),
        ("[ab].py", "file:///home/u/a.py", True),
        ("**/My Code/**", "file:///home/My%20Code/a.py", True),
        ("**", "file:///a.py", True),
        ("", "file:///a.py", False),
        ("**/*.env", "untitled:prod.env", False),  # it has no path
    ],
)
def test_excluded_files_get_none(pattern, uri, excluded):
    assert why(uri, exclude=("*.never", pattern)) == ("file-excluded" if excluded else "")


@pytest.mark.parametrize("pattern", ["**/secrets/**", "c:/code/**", "secrets/*.py"])
def test_patterns_with_slashes_match_windows_paths(monkeypatch, pattern):
    monkeypatch.setattr(sys, "platform", "win32")
    assert why("file:///c%3A/code/secrets/a.py", exclude=(pattern,)) == "file-excluded"
