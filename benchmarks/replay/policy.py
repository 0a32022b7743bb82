"""What the replay asks of a completion engine, ours or another's, and what it gets."""

from dataclasses import dataclass
from typing import Protocol

from midfill.server.documents import DocumentStore
from midfill.server.text import DocumentSnapshot


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request ends with: a suggestion; nothing, and why; or nothing that concerns anybody now."""

    text: str = ""
    offset: int = 0
    """Where `text` goes, in code points of the document as it is when the reply arrives."""
    replace: int = 0
    """How many code points behind `offset` it replaces."""
    reason: str = ""
    superseded: bool = False
    """The editor keeps what it shows."""


class Policy(Protocol):
    """One engine and one open document. Everything happens on the event loop."""

    def opened(self, snapshot: DocumentSnapshot) -> None: ...

    def changed(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """The document is now `snapshot`; the last edit ended at `offset`."""

    async def complete(self, snapshot: DocumentSnapshot, offset: int) -> Reply: ...

    def closed(self, uri: str) -> None: ...


class Make(Protocol):
    """How a policy comes to be: with the open documents and something to ask, a `ModelHost`."""

    def __call__(self, documents: DocumentStore, host: object) -> Policy: ...
