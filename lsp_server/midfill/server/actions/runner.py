"""The actions of a session: what is offered, what runs, and how it ends. Event loop only.

Parsing goes to a thread; generating to the chat lane. Knows LSP only through an `Editor`.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from midfill.server.actions.action import Action, Outcome, Refused, Task
from midfill.server.actions.asking import infills, tells_details, why_not
from midfill.server.actions.editor import Editor
from midfill.server.actions.edits import FileEdit, Tracker, applied, rebased
from midfill.server.actions.safety import asker_for
from midfill.server.actions.sameness import same_code
from midfill.server.actions.shown import Shown
from midfill.server.actions.source import Source, Span, read_source
from midfill.server.documents import DocumentStore
from midfill.server.later_loads import LoadView
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often an edit is checked anew because somebody typed elsewhere while it was."""
MOVED = "the code that this is about was changed meanwhile, so nothing was inserted"
NO_GRAMMAR = "files in this language cannot be read, so nothing can be written into them safely"
NO_TARGET = "there is nothing here that this is for"
NOT_THE_SAME = "the edit would have changed more than comments, so nothing was inserted"


@dataclass(frozen=True, slots=True)
class Offer:
    action: Action
    title: str


@dataclass(slots=True, eq=False)
class _Run:
    """One action under way."""

    action: Action
    uri: str
    selection: Span
    trackers: dict[str, Tracker] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None
    applying: bool = False
    """The edit is with the client: too late for a cancel."""

    def cancel(self) -> None:
        if self.task is not None and not self.applying:
            self.task.cancel()


class Actions:
    """`settings` are asked for anew by every run."""

    def __init__(
        self,
        documents: DocumentStore,
        model: ModelHost,
        settings: Callable[[], Settings],
        editor: Editor,
    ) -> None:
        self._documents, self._model, self._settings, self._editor = documents, model, settings, editor
        self._actions: dict[str, Action] = {}
        self._runs: list[_Run] = []
        self._source: tuple[DocumentSnapshot, Source | None] | None = None

    def register(self, action: Action) -> None:
        self._actions[action.command] = action

    @property
    def kinds(self) -> list[str]:
        return [action.kind for action in self._actions.values()]

    @property
    def running(self) -> int:
        return len(self._runs)

    async def offers(self, snapshot: DocumentSnapshot, selection: Span) -> list[Offer]:
        """What could be done there. Asks no model."""
        source = await self._read(snapshot)
        if source is None:
            return []
        actions = list(self._actions.values())
        titles = await asyncio.to_thread(lambda: [action.title(source, selection) for action in actions])
        return [Offer(a, title) for a, title in zip(actions, titles, strict=True) if title is not None]

    def start(self, command: str, uri: str, selection: Span) -> asyncio.Task[None] | None:
        """Begin an action and return at once; whatever comes of it, the user hears. None: it cannot run."""
        action, snapshot = self._actions.get(command), self._documents.snapshot(uri)
        if action is None:
            self._editor.tell(f"`{command}` is not available")
        elif snapshot is None:
            self._editor.tell("the file is not open")
        elif not self._editor.can_apply:
            self._editor.tell("this editor takes no edits from a language server")
        elif any((r.action, r.uri, r.selection) == (action, snapshot.uri, selection) for r in self._runs):
            self._editor.tell("that is being written already")
        else:
            run = _Run(action, snapshot.uri, selection, {snapshot.uri: Tracker(snapshot)})
            self._runs.append(run)
            run.task = asyncio.get_running_loop().create_task(self._run(run, snapshot))
            run.task.add_done_callback(lambda _: self._runs.remove(run))
            return run.task
        return None

    def document_changed(self, snapshot: DocumentSnapshot) -> None:
        for run in self._runs:
            if snapshot.uri in run.trackers:
                run.trackers[snapshot.uri].changed(snapshot)

    def document_closed(self, uri: str) -> None:
        for run in self._runs:
            if uri in run.trackers:
                run.trackers[uri].closed()
            if uri == run.uri:
                run.cancel()

    def cancel(self, command: str) -> None:
        """End every run of the action `command`."""
        for run in self._runs:
            if run.action.command == command:
                run.cancel()

    def close(self) -> None:
        """Cancel everything."""
        for run in self._runs:
            run.cancel()

    async def _run(self, run: _Run, snapshot: DocumentSnapshot) -> None:
        view: LoadView | None = None
        said = ""
        try:
            if reason := why_not(self._model):
                raise Refused(reason)
            source = await self._read(snapshot)
            if source is None:
                raise Refused(NO_GRAMMAR)
            title = await asyncio.to_thread(run.action.title, source, run.selection)
            if title is None:
                raise Refused(NO_TARGET)
            view = self._editor.open_progress(title, run.cancel)
            outcome = await run.action.run(self._task(run, snapshot, source, view))
            await self._apply(run, outcome)
            said = outcome.label
            if outcome.remark:
                self._editor.tell(outcome.remark)
        except asyncio.CancelledError:
            said = "cancelled"
        except Refused as refusal:
            said = str(refusal)
            self._editor.tell(said)
        except Exception as error:  # a defect of ours: the user must not wait for ever
            log.warning("%s failed: %s", run.action.command, type(error).__name__)
            log.debug("the defect", exc_info=True)
            said = f"internal error ({type(error).__name__})"
            self._editor.tell(f"the action failed: {said}")
        finally:
            if view is not None:
                view.end(said)

    def _task(self, run: _Run, snapshot: DocumentSnapshot, source: Source, view: LoadView) -> Task:
        shown, settings = Shown(view), self._settings()
        asker, info = asker_for(self._model, settings, shown.on_text), self._model.info

        def read(uri: str) -> DocumentSnapshot | None:
            found = self._documents.snapshot(uri)
            if found is not None and found.uri != run.uri:
                run.trackers[found.uri] = Tracker(found)
            return found

        return Task(
            snapshot=snapshot,
            source=source,
            selection=run.selection,
            settings=settings,
            ask=asker,
            infill=asker.infill if info is not None and infills(info) else None,
            tells_details=info is None or tells_details(info),
            context_tokens=self._model.context_tokens,
            report=shown.on_share,
            say=shown.on_stage,
            can_create=self._editor.can_create,
            read=read,
        )

    async def _apply(self, run: _Run, outcome: Outcome) -> None:
        if not outcome.edits:
            return
        for _ in range(ATTEMPTS):
            ready = [self._rebased(run, edit) for edit in outcome.edits]
            trackers = {edit.uri: run.trackers[edit.uri] for edit in ready if edit.uri in run.trackers}
            snapshots = {uri: tracker.now for uri, tracker in trackers.items() if tracker.now is not None}
            for edit in ready:
                if edit.uri in snapshots and edit.keeps_code:
                    await self._check(snapshots[edit.uri], edit)
            if all(tracker.now is snapshots.get(uri) for uri, tracker in trackers.items()):
                break
        else:
            raise Refused(MOVED)
        run.applying = True
        refusal = await self._editor.apply(tuple(ready), snapshots, outcome.label)
        if refusal:
            raise Refused(refusal)

    def _rebased(self, run: _Run, edit: FileEdit) -> FileEdit:
        if edit.uri not in run.trackers:
            opened = self._documents.snapshot(edit.uri)
            if opened is not None and opened.text != edit.text:  # opened since it was read
                raise Refused(MOVED)
            return edit
        moved = rebased(edit, run.trackers[edit.uri])
        if moved is None:
            raise Refused(MOVED)
        return moved

    async def _check(self, snapshot: DocumentSnapshot, edit: FileEdit) -> None:
        """Raises Refused unless the code stays what it is."""
        language, after = snapshot.language, applied(snapshot.text, edit.edits)

        def same() -> bool:
            old, new = read_source(language, snapshot.text), read_source(language, after)
            return old is not None and new is not None and same_code(old, new)

        if not await asyncio.to_thread(same):
            raise Refused(NOT_THE_SAME)

    async def _read(self, snapshot: DocumentSnapshot) -> Source | None:
        """The syntax tree, of the last document that was asked for from memory."""
        if self._source is None or self._source[0] is not snapshot:
            source = await asyncio.to_thread(read_source, snapshot.language, snapshot.text)
            self._source = (snapshot, source)
        return self._source[1]
