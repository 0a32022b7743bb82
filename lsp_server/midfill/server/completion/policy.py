"""Where nothing is suggested unasked, each silence with its reason. Pure.

A document is silent as a whole (`silence`, which an explicit request cannot break either) or at a place
(`silence_at`, for automatic requests, and only for what is not at hand already).
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from midfill.server.completion.cursor import CursorContext
from midfill.server.globs import excluded
from midfill.server.languages import identifier
from midfill.server.secret_files import is_secret
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot
from midfill.server.uris import SCHEMES

REST_OF_LINE = re.compile(r"\s*[)>}\]\"'`]*\s*[:{;,]?\s*")
"""What may stand behind the cursor (Copilot's completions-core has nearly the same test)."""
MAX_REST_CHARS = 8
"""llama.vim's max_line_suffix."""
ENOUGH_TEXT = re.compile(r"(?:\s*\S){10}")
"""Ten characters say something (Copilot's minimum)."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What the user is doing at the cursor beside typing."""

    deleting: bool = False
    """Deleted past its beginning: it is not wanted."""
    accepted_line: bool = False
    """Accepted, or typed to its end, and it was a whole line: the next thing is a new line."""
    popup_differs: bool = False
    """An item of the completion menu is selected that does not begin with what was typed."""


def silence(snapshot: DocumentSnapshot, settings: Settings, folders: Iterable[str] = ()) -> str:
    """Why this document gets no suggestions, as a code; empty when it does. `folders`: the client's."""
    if not snapshot.uri.startswith(SCHEMES):
        return "not-a-file"
    if not _completes_in(snapshot.language, settings.languages):
        return "language-off"
    if excluded(snapshot.uri, settings.exclude, folders):
        return "file-excluded"
    return "secret-file" if snapshot.language == "dotenv" or is_secret(snapshot.uri) else ""


def _completes_in(language: str, wanted: Collection[str]) -> bool:
    """`wanted` as in `midfill.languages`: ids, and `!id` for all but that. Without a bare id: all."""
    named = {identifier(each) for each in wanted if not each.startswith("!")}
    unwanted = {identifier(each[1:]) for each in wanted if each.startswith("!")}
    return language not in unwanted and (not named or language in named)


def silence_at(context: CursorContext, recent: Recent, off: Collection[str] = ()) -> str:
    """Why an automatic request gets nothing new here, as a code; empty when it does. `off`: codes that
    do not count."""
    return next((code for code, holds in PLACES.items() if code not in off and holds(context, recent)), "")


def _mid_word(context: CursorContext, recent: Recent) -> bool:
    after = context.line_after[:1]
    return after.isalnum() or after == "_"


def _line_goes_on(context: CursorContext, recent: Recent) -> bool:
    rest = context.line_after.rstrip()
    return len(rest) > MAX_REST_CHARS or not REST_OF_LINE.fullmatch(rest)


def _nearly_empty(context: CursorContext, recent: Recent) -> bool:
    return ENOUGH_TEXT.match(context.snapshot.text) is None


PLACES: dict[str, Callable[[CursorContext, Recent], bool]] = {
    "mid-word": _mid_word,
    "line-goes-on": _line_goes_on,
    "nearly-empty": _nearly_empty,
    "after-deletion": lambda context, recent: recent.deleting,
    "after-accept": lambda context, recent: recent.accepted_line,
    "popup-item": lambda context, recent: recent.popup_differs,
}
"""Where an automatic request gets nothing new, by reason. The first that holds is given."""
