"""Where nothing is suggested, and why."""

import sys

import pytest

from midfill.server.completion.cursor import Trigger, read_cursor
from midfill.server.completion.policy import PLACES, Recent, silence, silence_at
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot
from tests.cursor import parse


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
    assert why("file:///a", "rust", languages=("!python",)) == ""
    assert why("file:///a", "python", languages=("!python",)) == "language-off"
    assert why("file:///a", "python", languages=("python", "!python")) == "language-off"
    assert why("file:///a", "rust", languages=("python", "!go")) == "language-off"
    assert why("file:///a", "shellscript", languages=("sh",)) == ""
    assert why("file:///a", "makefile", languages=("!make",)) == "language-off"


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
        ("**/*.py", "untitled:a.py", False),  # it has no path
    ],
)
def test_excluded_files_get_none(pattern, uri, excluded):
    assert why(uri, exclude=("*.never", pattern)) == ("file-excluded" if excluded else "")


@pytest.mark.parametrize("pattern", ["**/secrets/**", "c:/code/**", "secrets/*.py"])
def test_patterns_with_slashes_match_windows_paths(monkeypatch, pattern):
    monkeypatch.setattr(sys, "platform", "win32")
    assert why("file:///c%3A/code/secrets/a.py", exclude=(pattern,)) == "file-excluded"


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:/w/secrets/a.py",
        "vscode-vfs://github/owner/repo/secrets/a.py",
        "vscode-remote://ssh-remote%2Bhost/w/secrets/a.py",
        "file://host/w/secrets/a.py",  # no local file, outside of Windows
        "vscode-vfs://github/owner/se%63rets/a.py",
    ],
)
def test_documents_without_a_local_file_are_excluded_by_the_path_in_their_uri(uri):
    assert why(uri, exclude=("**/secrets/**",)) == "file-excluded"
    assert why(uri, exclude=("**/other/**",)) == ""


def test_a_pattern_may_begin_at_the_folder_that_the_client_has_open():
    document, settings = (
        new_snapshot("file:///w/secrets/a.py", 1, "python", ""),
        Settings(exclude=("/secrets",)),
    )
    assert silence(document, settings, ("/w",)) == "file-excluded"
    assert silence(document, settings) == ""


def test_files_with_secrets_get_none_whatever_the_settings_say():
    assert why("file:///w/.env") == why("untitled:a", "dotenv") == "secret-file"
    assert why("file:///w/.env", silences_off=("secret-file", *PLACES)) == "secret-file"
    assert why("file:///w/settings.py") == ""


def at(picture: str, recent: Recent = Recent(), off: tuple[str, ...] = ()) -> str:  # noqa: B008 - frozen
    text, offset = parse(picture)
    snapshot = new_snapshot("file:///a.py", 1, "python", text)
    return silence_at(read_cursor(snapshot, offset, Trigger.AUTOMATIC, 1000), recent, off)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        ("value = com║pute(a)\n", "mid-word"),
        ("value = ║compute(a)\n", "mid-word"),
        ("value = com║_pute\n", "mid-word"),
        ("value = naï║ve_text\n", "mid-word"),
        ("value = compute║(a)\n", "line-goes-on"),
        ("value = compute(║, other)\n", "line-goes-on"),
        ("value = compute(║ + other\n", "line-goes-on"),
        ("value = compute([[[[[║)))))))))\n", "line-goes-on"),
        ("value = compute(║)\n", ""),
        ("value = compute('║'):\n", ""),
        ("value = compute(║ )  \r\n", ""),
        ("if value_of_it║:\n", ""),
        ("value = compute║\n", ""),
        ("value = compute\n    ║", ""),
        ("x = ║", "nearly-empty"),
        ("\n\n  x  \n y = ║          \n", "nearly-empty"),
        ("abcdefghi║", "nearly-empty"),
        ("abcdefghij║", ""),
        ("a b c d e f g h i j║", ""),
    ],
)
def test_a_place_gets_nothing_new_where_typing_goes_on(picture, reason):
    assert at(picture) == reason
    assert at(picture, off=tuple(PLACES)) == ""
    if reason:
        assert at(picture, off=(reason,)) != reason


@pytest.mark.parametrize(
    ("recent", "reason"),
    [
        (Recent(deleting=True), "after-deletion"),
        (Recent(accepted_line=True), "after-accept"),
        (Recent(popup_differs=True), "popup-item"),
    ],
)
def test_what_the_user_just_did_silences_a_place(recent, reason):
    assert at("value = compute║\n", recent) == reason
    assert at("value = compute║\n", recent, (reason,)) == ""


def test_the_settings_tell_every_reason_that_can_be_switched_off():
    from midfill.server.settings import OPTIONS

    assert all(f"`{reason}`" in OPTIONS["silencesOff"].doc for reason in PLACES)
