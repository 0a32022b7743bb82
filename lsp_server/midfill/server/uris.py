"""URIs as clients write them, and the file system's paths. Pure strings: nothing here touches a disk.

Windows and POSIX are both served by string rules; `is_windows` alone decides which, at each call.
"""

import os
import re
import sys
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote, unquote

SCHEMES = ("file:", "untitled:", "vscode-remote:", "vscode-vfs:")
"""Documents that people edit; not output panes, chat boxes and diffs (opencode issue 153)."""
# RFC 3986, appendix B. urllib's urlsplit drops tabs and line ends, and raises on some hosts.
_PARTS = re.compile(
    r"(?:(?P<scheme>[^:/?#]+):)?(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL
)
_DRIVE = re.compile(r"/[A-Za-z]:(?=/|$)")


def is_windows() -> bool:
    """The one place that asks, so that a test can force either branch by patching `sys.platform`."""
    return sys.platform == "win32"


def to_path(uri: str) -> str | None:
    """The path that a `file:` URI names, with the platform's separators; None if it names no local file.

    None for every other scheme (`untitled:`, `vscode-vfs:`, `git:`), for a path with a NUL, and for
    another host outside Windows. `file://server/share/a` is `\\\\server\\share\\a` on Windows.
    """
    scheme, host, path, _ = _split(uri)
    if scheme != "file" or "\0" in path or not path.startswith("/"):
        return None
    if not is_windows():
        return None if host else path
    if host:
        path = f"//{host}{path}"
    elif _DRIVE.match(path):
        # bare `c:` would mean the current folder of that drive
        path = path[1:] if len(path) > len("/c:") else f"{path[1:]}/"
    return path.replace("/", "\\")


def to_uri(path: str | os.PathLike[str]) -> str:
    """The `file:` URI of an absolute path. ValueError for a relative path or one that is not Unicode.

    Everything but letters, digits and `/_.-~` is percent-encoded as UTF-8, save a drive's colon.
    """
    pure = PureWindowsPath(os.fspath(path)) if is_windows() else PurePosixPath(os.fspath(path))
    if not pure.is_absolute():
        raise ValueError("only an absolute path has a URI")
    whole = pure.as_posix()
    if is_windows():
        return _windows_uri(whole)
    # POSIX lets exactly two slashes at the start mean something; nothing that we run on does
    return "file:///" + quote(whole.lstrip("/"), errors="surrogateescape")


def place_of(uri: str) -> str | None:
    """The path of the file that a document stands for, whatever its scheme and its machine; None where it
    has no place yet (`untitled:Untitled-1`)."""
    path = to_path(uri)
    if path is not None:
        return path
    place = _split(uri)[2]
    return place if place.startswith("/") else None


def path_parts(uri: str) -> list[str]:
    """The decoded segments of a URI's path, whatever its scheme; [""] where it has none."""
    return _split(uri)[2].replace("\\", "/").split("/")


def same_file_key(uri: str) -> tuple[str, ...]:
    """A key that is equal for two spellings of one `file:` URI; for other schemes every spelling differs.

    `file:///c%3A/a%20b` and `file:///C:/a b` are one: percent-encoding, a drive letter's case, the host's
    case and `localhost` do not count. The case of the rest does, on every platform.
    """
    scheme, host, path, rest = _split(uri)
    if scheme != "file":
        return (uri,)
    if _DRIVE.match(path):
        path = path[:2].lower() + path[2:]
    return (scheme, host, path, rest)


def _split(uri: str) -> tuple[str, str, str, str]:
    """(scheme, host, path, query and fragment); host and path decoded, the host empty if it is this one.

    Bytes that are not UTF-8 become lone surrogates, as in Python's own file names (PEP 383).
    """
    parts = _PARTS.fullmatch(uri)
    assert parts is not None  # the pattern matches every string
    host = unquote(parts["host"] or "").lower()
    path = unquote(parts["path"], errors="surrogateescape")
    return (parts["scheme"] or "").lower(), "" if host == "localhost" else host, path, parts["rest"]


def _windows_uri(whole: str) -> str:
    r"""The URI of an absolute Windows path with forward slashes; `\\?\` prefixes are dropped."""
    if whole.startswith("//?/UNC/"):
        whole = "//" + whole.removeprefix("//?/UNC/")
    whole = whole.removeprefix("//?/")
    if whole.startswith("//"):
        return "file://" + quote(whole[2:])  # the server takes the host's place
    return f"file:///{whole[:2]}{quote(whole[2:])}"
