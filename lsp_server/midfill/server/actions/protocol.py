"""The LSP methods of code actions: offers, commands, cancels, edits. What `protocol.py` is to the rest.

Choosing an action runs a command that is answered at once; the edit comes by `workspace/applyEdit` when it
is ready. There is no `codeAction/resolve`: Helix would wait for it on its own thread.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from midfill.server.actions.edits import FileEdit
from midfill.server.actions.runner import Actions, Offer
from midfill.server.actions.source import Span
from midfill.server.actions.unit_tests import Permission
from midfill.server.actions.workspace_edit import to_workspace_edit
from midfill.server.client import Client
from midfill.server.convert import offset_of
from midfill.server.documents import DocumentStore
from midfill.server.progress import WorkDoneProgress
from midfill.server.text import DocumentSnapshot, Encoding
from midfill.server.uris import to_path, to_uri
from midfill.server.wire import Wire

log = logging.getLogger(__name__)

COMMANDS = ("midfill.docstring", "midfill.unitTests", "midfill.explain")
CONSENT = "midfill.consentTests"
KINDS = tuple(f"refactor.rewrite.{command}" for command in COMMANDS)
NO_CREATION = "this editor creates no files for a language server"
ANSWER_TIMEOUT_S = 120.0
"""A user may be reading; a client that shows no questions and does not say so is given up on."""
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


def register_consent(
    server: LanguageServer, actions: Actions, permission: Permission, folders: Callable[[], Sequence[Path]]
) -> None:
    """`midfill.consentTests` [workspace's URI, all of the editor's without one; "give" or "withdraw", to be
    told without]: whether tests may be run there, for good."""

    @server.command(CONSENT)
    def consent_tests(*arguments: Any) -> list[dict[str, Any]]:
        words = [word for word in arguments if word is not None]
        wish = words.pop() if words and words[-1] in ("give", "withdraw") else ""
        paths = [Path(path) for path in (to_path(str(word)) for word in words) if path]
        if len(paths) != len(words) or len(words) > 1:
            raise JsonRpcInvalidParams(
                message=f'{CONSENT} takes a workspace\'s URI, and "give" or "withdraw"'
            )
        if wish == "withdraw":
            actions.cancel("midfill.unitTests")
        change = {"give": permission.give, "withdraw": permission.withdraw}.get(wish, lambda _: None)
        for path in paths or folders():
            change(path)
        return [{"workspace": to_uri(p), "given": permission.given(p)} for p in paths or folders()]


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

    @property
    def can_create(self) -> bool:
        return self._client().create_files

    def open_progress(self, title: str, on_cancel: Callable[[], None]) -> "_Progress":
        view = WorkDoneProgress(self._wire, self._client().progress, f"Midfill: {title}", cancellable=True)
        self._cancels[view.token] = on_cancel
        return _Progress(view, lambda: self._cancels.pop(view.token, None))

    def tell(self, sentence: str) -> None:
        params = types.ShowMessageParams(types.MessageType.Info, f"Midfill: {sentence}")
        self._server.window_show_message(params)

    async def ask(self, sentence: str, answers: Sequence[str]) -> str:
        items = [types.MessageActionItem(answer) for answer in answers]
        params = types.ShowMessageRequestParams(types.MessageType.Info, f"Midfill: {sentence}", items)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                chosen = await self._server.window_show_message_request_async(params)
        except Exception as error:  # no answer, or a client without such questions
            log.info("the client did not ask: %s", type(error).__name__)
            return ""
        return chosen.title if chosen is not None else ""

    async def apply(
        self, edits: tuple[FileEdit, ...], snapshots: dict[str, DocumentSnapshot], label: str
    ) -> str:
        client = self._client()
        if any(edit.creates for edit in edits) and not self.can_create:
            return NO_CREATION
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
