"""One code action without an editor: the same runner as the server's, on a file's text."""

from collections.abc import Callable, Sequence

from midfill.server.actions.action import Action, Refused
from midfill.server.actions.edits import FileEdit, applied
from midfill.server.actions.runner import NO_GRAMMAR, NO_TARGET, Actions
from midfill.server.actions.source import Span, read_source
from midfill.server.cli.once import Loaded, Say, loaded
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot


class Captured:
    """An `Editor` that keeps what it is told and given."""

    can_apply = can_create = True

    def __init__(self) -> None:
        self.said: list[str] = []
        self.edits: tuple[FileEdit, ...] = ()

    def open_progress(self, title: str, on_cancel: Callable[[], None]) -> "Captured":
        return self

    def report(self, message: str, fraction: float | None) -> None:
        """The terminal shows what was written when it is there."""

    def end(self, message: str) -> None:
        """The runner tells what went wrong by `tell`."""

    def tell(self, sentence: str) -> None:
        self.said.append(sentence)

    async def ask(self, sentence: str, answers: Sequence[str]) -> str:
        return ""

    async def apply(
        self, edits: tuple[FileEdit, ...], snapshots: dict[str, DocumentSnapshot], label: str
    ) -> str:
        self.edits = edits
        return ""


async def act(
    session: Loaded, action: Action, snapshot: DocumentSnapshot, selection: Span, settings: Settings
) -> tuple[tuple[FileEdit, ...], list[str]]:
    """(edits, what the user is told) of `action` there. Without edits the last sentence says why."""
    editor = Captured()
    actions = Actions(session.documents, session.model, lambda: settings, editor)
    actions.register(action)
    snapshot = session.open(snapshot)
    run = actions.start(action.command, snapshot.uri, selection)
    if run is not None:
        await run
    return editor.edits, editor.said


async def act_once(
    action: Action, snapshot: DocumentSnapshot, selection: Span, settings: Settings, say: Say
) -> tuple[str, str]:
    """Load the model and run `action`: (the file's text after it, a remark or nothing).

    Raises Refused, before the model is loaded where there is nothing to do, and ModelUnavailable.
    """
    source = read_source(snapshot.language, snapshot.text)
    if source is None:
        raise Refused(NO_GRAMMAR)
    if action.title(source, selection) is None:
        raise Refused(NO_TARGET)
    async with loaded(settings, say) as session:
        edits, said = await act(session, action, snapshot, selection, settings)
    if not edits:
        raise Refused(said[-1] if said else "nothing was written")
    ours = [edit for one in edits if one.uri == snapshot.uri for edit in one.edits]
    return applied(snapshot.text, tuple(ours)), "; ".join(said)
