"""Actions on documents with a model that answers by a script, and an editor that the test looks into."""

import asyncio
from collections.abc import Callable, Sequence

from midfill.model import CancelToken, ChatRequest, Chunk, Finish, FinishReason, Lane, ModelInfo
from midfill.server.actions.action import Action
from midfill.server.actions.edits import FileEdit, applied
from midfill.server.actions.runner import Actions
from midfill.server.documents import DocumentStore, Edit
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot, Encoding
from tests.cursor import parse

URI = "file:///w/a.py"


class ScriptedHost:
    """A model host that answers `answers` in turn, the last one again and again; `held` requests wait."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[ChatRequest] = []
        self.tokens: list[CancelToken] = []
        self.lanes: list[Lane] = []
        self.silence = ""
        self.context_tokens = 2048
        self.info: ModelInfo | None = ModelInfo("m", "cpu", "f", "", 2048, can_chat=True)
        self.held = False
        self.waiting = asyncio.Event()
        self.failure = ""

    def submit(self, request: ChatRequest, token: CancelToken, deliver: Callable, lane: Lane) -> None:
        self.asked.append(request)
        self.tokens.append(token)
        self.lanes.append(lane)
        self._deliver = deliver
        self.waiting.set()
        if not self.held:
            self.go_on()

    def go_on(self) -> None:
        """Answer what was asked last."""
        if self.failure:
            self._deliver(Finish(FinishReason.ERROR, message=self.failure))
            return
        text = self.answers[min(len(self.asked), len(self.answers)) - 1]
        for at in range(0, len(text), 4):
            if self.tokens[-1].cancelled:
                break
            self._deliver(Chunk(text[at : at + 4]))
        self._deliver(Finish(FinishReason.EOT))


class View:
    def __init__(self, title: str, cancel: Callable[[], None]) -> None:
        self.title, self.cancel = title, cancel
        self.said: list[tuple[str, float | None]] = []
        self.ended: list[str] = []

    def report(self, message: str, fraction: float | None) -> None:
        self.said.append((message, fraction))

    def end(self, message: str) -> None:
        self.ended.append(message)


class Bench:
    """`picture` has one cursor, or two around a selection."""

    def __init__(
        self,
        action: Action,
        picture: str,
        *answers: str,
        language: str = "python",
        settings: Settings | None = None,
    ) -> None:
        self.documents, self.host = DocumentStore(), ScriptedHost(answers)
        self.settings = settings or Settings(backend="scripted")
        self.can_apply = self.can_create = True
        self.refusal = ""
        self.views: list[View] = []
        self.told: list[str] = []
        self.given: list[FileEdit] = []
        self.on_apply: Callable[[], None] = lambda: None
        self.actions = Actions(self.documents, self.host, lambda: self.settings, self)  # type: ignore[arg-type]
        self.actions.register(action)
        self.action = action
        if picture.count("║") == 2:
            before, inside, after = picture.split("║")
            text, self.selection = before + inside + after, (len(before), len(before) + len(inside))
        else:
            text, offset = parse(picture)
            self.selection = (offset, offset)
        self.documents.open(URI, language, 1, text)
        self.version = 1

    # --- the editor ---------------------------------------------------------------------------------

    def open_progress(self, title: str, on_cancel: Callable[[], None]) -> View:
        self.views.append(View(title, on_cancel))
        return self.views[-1]

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    async def ask(self, sentence: str, answers: Sequence[str]) -> str:
        return ""

    async def apply(
        self, edits: tuple[FileEdit, ...], snapshots: dict[str, DocumentSnapshot], label: str
    ) -> str:
        self.on_apply()
        if self.refusal:
            return self.refusal
        for edit in edits:
            assert snapshots[edit.uri] is self.documents.snapshot(edit.uri), "it is for another version"
            self.type(applied(snapshots[edit.uri].text, edit.edits))
        self.given += edits
        return ""

    # --- the user -----------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        snapshot = self.documents.snapshot(URI)
        assert snapshot is not None
        return snapshot.text

    def type(self, text: str) -> None:
        """The document is now `text`."""
        self.version += 1
        snapshot = self.documents.change(URI, self.version, [Edit(None, text)], Encoding.UTF_16)
        self.actions.document_changed(snapshot)

    def start(self) -> "asyncio.Task[None] | None":
        return self.actions.start(self.action.command, URI, self.selection)

    async def run(self) -> str:
        """Run the action to its end; the text after it."""
        task = self.start()
        if task is not None:
            async with asyncio.timeout(60):
                await task
        return self.text
