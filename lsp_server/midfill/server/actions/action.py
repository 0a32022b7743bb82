"""What a code action is: offered from the syntax tree alone, run as a task, ending in edits or a refusal.

Plain values and protocols: knows neither LSP nor the model's host, so that the command line runs the same.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from midfill.model import ChatMessage
from midfill.server.actions.edits import FileEdit
from midfill.server.actions.source import Source, Span
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

KIND = "refactor.rewrite.midfill"
"""VS Code shows kinds below `refactor` in its menu and runs none of them by itself."""


class Refused(Exception):  # noqa: N818 - no error: the action explains why it does nothing
    """The action ends without an edit; `str(refusal)` is a sentence for the user, without source text."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished action wants done."""

    edits: tuple[FileEdit, ...]
    label: str
    """What the edit is, as an editor's list of changes shows it."""
    remark: str = ""
    """What the user should know of it, as a sentence; empty: nothing."""


class Ask(Protocol):
    """Ask the chat model and wait for its answer. Raises Refused where it cannot answer."""

    def __call__(
        self,
        messages: Sequence[ChatMessage],
        max_new_tokens: int = 512,
        temperature: float = 0.0,
        enough: Callable[[str], bool] | None = None,
    ) -> Awaitable[str]:
        """`enough`, given what there is so far, says that no more is needed."""
        ...


class Infill(Protocol):
    """Have the model that completes fill a hole, as `Ask` asks the one that chats."""

    def __call__(
        self,
        prefix: str,
        suffix: str,
        max_new_tokens: int,
        enough: Callable[[str], bool] | None = None,
    ) -> Awaitable[str]: ...


@dataclass(frozen=True, slots=True)
class Task:
    """One run of an action, about the document as it was when it was chosen."""

    snapshot: DocumentSnapshot
    source: Source
    selection: Span
    settings: Settings
    ask: Ask
    infill: Infill | None
    """None where the model was not seen to describe code better that way."""
    tells_details: bool
    """Whether the model says what is so where it is asked for more than a sentence about code."""
    context_tokens: int
    """Of the model: prompt and answer together."""
    report: Callable[[float | None], None]
    """The share that is done, 0–1, where it is known."""
    say: Callable[[str], None]
    """What is being done, in a few words: shown beside the progress."""
    can_create: bool
    """Whether a file that is not there yet can be part of the outcome."""
    read: Callable[[str], DocumentSnapshot | None]
    """A document as it is now, by its URI, if it is open. An edit to it, unless it is the task's own, is
    for what the last call gave, and refused if that changes from then on."""


class Action(Protocol):
    """One entry of the editor's menu, and what choosing it does."""

    command: str
    """`midfill.docstring`, for example."""
    kind: str
    """As `refactor.rewrite.midfill.docstring`."""

    def title(self, source: Source, selection: Span) -> str | None:
        """How it is offered for `selection`; None: it is not. Asks no model; on a thread of its own."""
        ...

    async def run(self, task: Task) -> Outcome:
        """Raises Refused; a cancel arrives as CancelledError."""
        ...
