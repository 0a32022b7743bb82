"""The completion menu's selected item (LSP's `selectedCompletionInfo`): suggest what comes after it. Pure.

The model is asked as if the item were inserted, and the answer begins with it, over the item's own range.
"""

from dataclasses import dataclass

from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import normalize
from midfill.server.text import DocumentSnapshot, edited_snapshot


@dataclass(frozen=True, slots=True)
class Selected:
    """Accepting the item puts `text` in the place of the code points from `start` to `end`."""

    start: int
    end: int
    text: str

    def extends(self, snapshot: DocumentSnapshot, offset: int) -> bool:
        """Whether the item begins with what it replaces before the cursor: else (a fuzzy match, an item
        that rewrites the line) no text that begins with it can be shown behind the cursor."""
        if not self.start <= offset <= self.end or "\n" in snapshot.text[self.start : self.end]:
            return False
        return self.text.startswith(snapshot.text[self.start : offset])

    def inserted(self, snapshot: DocumentSnapshot) -> tuple[DocumentSnapshot, int]:
        """The document with the item in it, and the cursor behind the item."""
        after = edited_snapshot(snapshot, self.start, self.end, self.text)
        return after, self.start + len(self.text)

    def with_rest(self, rest: Suggestion) -> Suggestion:
        """`rest` was suggested behind the inserted item: both together, for the document without it."""
        replaced = self.end - self.start + rest.replace
        return Suggestion(self.start, normalize(self.text) + rest.text, replaced)
