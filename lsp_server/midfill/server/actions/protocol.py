"""The LSP methods of code actions: offers, commands, cancels, edits. What `protocol.py` is to the rest.

Choosing an action runs a command that is answered at once; the edit comes by `workspace/applyEdit` when it
is ready. There is no `codeAction/resolve`: Helix would wait for it on its own thread.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from midfill.server.actions.edits import FileEdit
from midfill.server.actions.runner import Actions, Offer
from midfill.server.actions.source import Span
from midfill.server.client import Client
from midfill.server.convert import offset_of
from midfill.server.documents import DocumentStore
from midfill.server.progress import WorkDoneProgress
from midfill.server.text import DocumentSnapshot, Encoding, position_at
from midfill.server.wire import Wire

log = logging.getLogger(__name__)

COMMANDS = ("midfill.docstring", "midfill.unitTests", "midfill.explain")
KINDS = tuple(f"refactor.rewrite.{command}" for command in COMMANDS)
APPLY_TIMEOUT_S = 60.0
"""A client may ask its user whether an edit is welcome; one that never answers is given up on."""


def register(
    server: LanguageServer, actions: Actions, documents: DocumentStore, client: Callable[[], Client]
) -> None:
    """Register the handlers on `server`. `client` is known from `initialize` on."""
    options = types.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=False)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
        snapshot = documents.snapshot(params.text_document.uri)
        if snapshot is None:
            raise JsonRpcInvalidParams(message=f"document is not open: {params.text_document.uri}")
        wanted = params.context
        if wanted.trigger_kind is types.CodeActionTriggerKind.Automatic:
            return []
        offers = await actions.offers(snapshot, _span(snapshot, params.range, client().encoding))
        found = [offer for offer in offers if is_wanted(offer.action.kind, wanted.only)]
        return [_to_action(offer, snapshot.uri, params.range, client()) for offer in found]

    def begin(command: str) -> Callable[..., None]:
        def run(*arguments: Any) -> None:
            uri, place = _arguments(server.protocol, command, arguments)
            snapshot = documents.snapshot(uri)
            span = (0, 0) if snapshot is None else _span(snapshot, place, client().encoding)
            actions.start(command, uri, span)

        return run

    for command in COMMANDS:
        server.command(command)(begin(command))


def _arguments(protocol: Any, command: str, arguments: Sequence[Any]) -> tuple[str, types.Range]:
    """[uri, range], as an offer names them; a position in place of the range is one too."""
    try:
        uri, place = arguments
        if isinstance(place, dict) and "start" not in place:
            place = {"start": place, "end": place}
        return str(uri), protocol._converter.structure(place, types.Range)
    except Exception as error:
        raise JsonRpcInvalidParams(message=f"{command} takes a URI and a range") from error


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """LSP, CodeActionContext.only: kinds are hierarchical, a prefix up to a dot asks for all below it."""
    return only is None or any(one == "" or f"{kind}.".startswith(f"{one}.") for one in only)


def _to_action(
    offer: Offer, uri: str, place: types.Range, client: Client
) -> types.CodeAction | types.Command:
    title = f"Midfill: {offer.title}"
    command = types.Command(title=title, command=offer.action.command, arguments=[uri, place])
    if not client.action_literals:
        return command
    return types.CodeAction(title=title, kind=offer.action.kind, command=command)


def _span(snapshot: DocumentSnapshot, place: types.Range, encoding: Encoding) -> Span:
    ends = offset_of(snapshot, place.start, encoding), offset_of(snapshot, place.end, encoding)
    return min(ends), max(ends)


class LspEditor:
    """`runner.Editor` over LSP."""

    def __init__(self, server: LanguageServer, wire: Wire, client: Callable[[], Client]) -> None:
        self._server, self._wire, self._client = server, wire, client
        self._cancels: dict[int | str, Callable[[], None]] = {}

        @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
        def cancel(params: types.WorkDoneProgressCancelParams) -> None:
            self._cancels.get(params.token, lambda: None)()

    @property
    def can_apply(self) -> bool:
        return self._client().apply_edit

    def open_progress(self, title: str, on_cancel: Callable[[], None]) -> "_Progress":
        view = WorkDoneProgress(self._wire, self._client().progress, f"Midfill: {title}", cancellable=True)
        self._cancels[view.token] = on_cancel
        return _Progress(view, lambda: self._cancels.pop(view.token, None))

    def tell(self, sentence: str) -> None:
        params = types.ShowMessageParams(types.MessageType.Info, f"Midfill: {sentence}")
        self._server.window_show_message(params)

    async def apply(
        self, edits: tuple[FileEdit, ...], snapshots: dict[str, DocumentSnapshot], label: str
    ) -> str:
        client = self._client()
        if any(edit.creates for edit in edits) and not (client.create_files and client.document_changes):
            return "this editor creates no files for a language server"
        params = types.ApplyWorkspaceEditParams(to_workspace_edit(edits, snapshots, label, client), label)
        try:
            async with asyncio.timeout(APPLY_TIMEOUT_S):
                result = await self._server.workspace_apply_edit_async(params)
        except TimeoutError:
            return "the editor did not say whether it took the edit"
        except Exception as error:  # whatever the client replied instead
            log.info("applyEdit failed: %s", type(error).__name__)
            return "the editor refused the edit"
        if result is not None and result.applied:
            return ""
        why = result.failure_reason if result is not None else None
        return "the editor did not take the edit" + (f": {why}" if why else "")


class _Progress:
    """A cancellable place; after its end there is nothing to cancel."""

    def __init__(self, view: WorkDoneProgress, forget: Callable[[], object]) -> None:
        self._view, self._forget = view, forget

    def report(self, message: str, fraction: float | None) -> None:
        self._view.report(message, fraction)

    def end(self, message: str) -> None:
        self._forget()
        self._view.end(message)


def to_workspace_edit(
    edits: Sequence[FileEdit], snapshots: dict[str, DocumentSnapshot], label: str, client: Client
) -> types.WorkspaceEdit:
    """The edits as this client takes them: with versions and an annotation where it knows them."""
    if not client.document_changes:
        changes = {edit.uri: _text_edits(edit, snapshots.get(edit.uri), client, None) for edit in edits}
        return types.WorkspaceEdit(changes=changes)
    annotation = "midfill" if client.annotations else None
    ordered: list[Any] = []
    for edit in edits:
        snapshot = snapshots.get(edit.uri)
        if edit.creates:
            keep = types.CreateFileOptions(ignore_if_exists=False, overwrite=False)
            ordered.append(types.CreateFile(edit.uri, options=keep, annotation_id=annotation))
        version = None if snapshot is None else snapshot.version
        document = types.OptionalVersionedTextDocumentIdentifier(edit.uri, version)
        ordered.append(types.TextDocumentEdit(document, _text_edits(edit, snapshot, client, annotation)))
    named = {annotation: types.ChangeAnnotation(label, needs_confirmation=False)} if annotation else None
    return types.WorkspaceEdit(document_changes=ordered, change_annotations=named)


def _text_edits(
    edit: FileEdit, snapshot: DocumentSnapshot | None, client: Client, annotation: str | None
) -> list[Any]:
    found: list[Any] = []
    for one in edit.edits:
        start, end = (0, 0), (0, 0)
        if snapshot is not None:
            start = position_at(snapshot, one.span[0], client.encoding)
            end = position_at(snapshot, one.span[1], client.encoding)
        place = types.Range(types.Position(*start), types.Position(*end))
        if annotation is None:
            found.append(types.TextEdit(place, one.text))
        else:
            found.append(types.AnnotatedTextEdit(annotation, place, one.text))
    return found
