"""The client as actions need it: a place for progress, a voice, and a hand that edits. A protocol only."""

from collections.abc import Callable, Sequence
from typing import Protocol

from midfill.server.actions.edits import FileEdit
from midfill.server.later_loads import LoadView
from midfill.server.text import DocumentSnapshot


class Editor(Protocol):
    """The client, as actions need it."""

    @property
    def can_apply(self) -> bool:
        """Whether it takes edits from a server."""
        ...

    @property
    def can_create(self) -> bool:
        """Whether it creates files as part of an edit."""
        ...

    def open_progress(self, title: str, on_cancel: Callable[[], None]) -> LoadView: ...

    def tell(self, sentence: str) -> None:
        """Show a sentence to the user."""
        ...

    async def ask(self, sentence: str, answers: Sequence[str]) -> str:
        """The answer that the user chose; empty: none, or the client asks no questions."""
        ...

    async def apply(
        self, edits: tuple[FileEdit, ...], snapshots: dict[str, DocumentSnapshot], label: str
    ) -> str:
        """Have `edits` applied to the open documents in `snapshots`, and to closed or new files. Returns
        why the client would not; empty: it did."""
        ...
