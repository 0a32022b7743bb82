"""Which document comes after a suggestion is accepted, so that the next one can be written ahead. Pure."""

from dataclasses import replace

from midfill.server.completion.reuse import Shown
from midfill.server.text import DocumentSnapshot, edited_snapshot


def after_accept(shown: Shown) -> tuple[DocumentSnapshot, int] | None:
    """The document once the first of `shown` is accepted, and the cursor in it; None where nobody knows
    what is written next.

    A finished line is followed by Enter: the place is the line below, before any indentation, so that
    what the editor indents is typed text like any other. A suggestion that ran out of room goes on.
    """
    suggestion, eol = shown.suggestions[0], shown.snapshot.eol
    end = suggestion.offset + suggestion.replace
    inserted = suggestion.text.replace("\n", eol)
    if shown.ended:
        rest = shown.snapshot.text[end : end + 1]
        if rest not in ("", "\n", "\r"):
            return None
        inserted += eol
    after = edited_snapshot(shown.snapshot, suggestion.offset, end, inserted)
    return replace(after, version=-1), suggestion.offset + len(inserted)
