"""Where nothing is suggested, each silence with its reason. Pure."""

from pathlib import PurePath

from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot
from midfill.server.uris import to_path

SCHEMES = ("file:", "untitled:", "vscode-remote:", "vscode-vfs:")
"""Documents that people edit; not output panes, chat boxes and diffs (opencode issue 153)."""


def silence(snapshot: DocumentSnapshot, settings: Settings) -> str:
    """Why this document gets no suggestions, as a code; empty when it gets them."""
    if not snapshot.uri.startswith(SCHEMES):
        return "not-a-file"
    if settings.languages and snapshot.language not in settings.languages:
        return "language-off"
    path = to_path(snapshot.uri)
    if path is not None and any(_matches(str(path), pattern) for pattern in settings.exclude):
        return "file-excluded"
    return ""


def _matches(path: str, pattern: str) -> bool:
    """Whether `pattern` matches the path or its last part. `**/` matches no folder too."""
    whole = PurePath(path)
    return whole.match(pattern) or whole.match(pattern.removeprefix("**/"))
