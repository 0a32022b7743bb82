"""URIs and paths of both kinds of platform, each forced by patching `sys.platform`."""

import sys
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.server.uris import same_file_key, to_path, to_uri


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")


@pytest.fixture
def posix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")


POSIX = [
    ("file:///home/u/a.py", "/home/u/a.py"),
    ("file:///home/my%20code/%C3%A9%E6%BC%A2.py", "/home/my code/é漢.py"),
    ("file:///100%25/a%23b%3Fc.py", "/100%/a#b?c.py"),
    ("file:///a%5Cb.py", "/a\\b.py"),
    ("file:///bad%FFname.py", "/bad\udcffname.py"),
    ("file:///c%3A/a.py", "/c:/a.py"),
    ("file:///", "/"),
]
WINDOWS = [
    ("file:///C:/Users/u/a.py", r"C:\Users\u\a.py"),
    ("file:///c:/My%20Code/%C3%A9%E6%BC%A2%F0%9F%98%80.py", r"c:\My Code\é漢😀.py"),
    ("file:///C:/", "C:\\"),
    ("file://server/share/a%20b.py", r"\\server\share\a b.py"),
    ("file:///d:/100%25/a%23b.py", r"d:\100%\a#b.py"),
]


@pytest.mark.usefixtures("posix")
@pytest.mark.parametrize(("uri", "path"), POSIX)
def test_posix_paths_and_uris_name_each_other(uri: str, path: str) -> None:
    assert to_path(uri) == path
    assert to_uri(path) == to_uri(PurePosixPath(path)) == uri


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(("uri", "path"), WINDOWS)
def test_windows_paths_and_uris_name_each_other(uri: str, path: str) -> None:
    assert to_path(uri) == path
    assert to_uri(path) == to_uri(PureWindowsPath(path)) == to_uri(path.replace("\\", "/")) == uri


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/a.py", r"c:\a.py"),  # as VS Code writes it
        ("file:///C:", "C:\\"),
        ("file://localhost/C:/a.py", r"C:\a.py"),
        ("FILE:/C:/a.py", r"C:\a.py"),
    ],
)
def test_other_spellings_of_windows_uris_are_read(uri: str, path: str) -> None:
    assert to_path(uri) == path


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("path", "uri"),
    [(r"\\?\C:\a.py", "file:///C:/a.py"), (r"\\?\UNC\server\share\a.py", "file://server/share/a.py")],
)
def test_long_path_prefixes_stay_out_of_uris(path: str, uri: str) -> None:
    assert to_uri(path) == uri


@pytest.mark.usefixtures("posix")
@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:/a.py", "/a.py"),
        ("file://localhost/a.py", "/a.py"),
        ("file:///é b.py", "/é b.py"),
        ("file:///a%zz.py", "/a%zz.py"),
        ("file:///a.py?query#fragment", "/a.py"),
        ("file://server/share/a.py", None),
    ],
)
def test_other_spellings_of_posix_uris_are_read(uri: str, path: str | None) -> None:
    assert to_path(uri) == path


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    "uri",
    [
        *(
            "untitled:Untitled-1",
            "vscode-vfs://github/o/r/a.py",
            "git:/a.py?%7B%7D",
            "vscode-notebook-cell:/a",
        ),
        *("", "a.py", "/a.py", "C:\\a.py", "file:", "file:a.py", "file:///nul%00.py", "://", "\ud800"),
    ],
)
def test_what_names_no_file_has_no_path(monkeypatch: pytest.MonkeyPatch, platform: str, uri: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert to_path(uri) is None


@pytest.mark.parametrize(
    ("platform", "path"), [("linux", "a.py"), ("win32", "\\a.py"), ("win32", "C:a.py")]
)
def test_a_relative_path_has_no_uri(monkeypatch: pytest.MonkeyPatch, platform: str, path: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(ValueError, match="absolute"):
        to_uri(path)


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\\\0:"), min_size=1).filter(
    lambda name: name.strip(".") != ""
)


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=4), st.sampled_from(["linux", "win32", "unc"]))
def test_any_path_comes_back_from_its_uri(parts: list[str], kind: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "platform", "linux" if kind == "linux" else "win32")
        root, separator = {
            "linux": ("/", "/"),
            "win32": ("C:\\", "\\"),
            "unc": ("\\\\host\\share\\", "\\"),
        }[kind]
        path = root + separator.join(parts)
        uri = to_uri(path)
        assert to_path(uri) == path
        assert uri.isascii()


@settings(deadline=None)
@given(st.text())
def test_no_uri_is_too_strange_to_ask_about(uri: str) -> None:
    for platform in ("linux", "win32"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "platform", platform)
            to_path(uri)
            to_path("file://" + uri)
    assert same_file_key("file:///" + uri) == same_file_key("FILE://localhost/" + uri)
