"""Every LSP method Midfill answers: take the snapshot, call the service, translate the answer.

The only file that registers handlers and turns exceptions into LSP error codes.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from midfill.server.actions import protocol as actions
from midfill.server.app import App
from midfill.server.client import read_client
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.explain import as_fields
from midfill.server.completion.run import Answer
from midfill.server.completion.selected import Selected
from midfill.server.convert import (
    ACCEPTED,
    edits_of,
    last_edit_end,
    offset_of,
    selected_of,
    to_inline,
    to_menu_item,
    trigger_of,
)
from midfill.server.documents import UnknownDocument
from midfill.server.models_list import models_list
from midfill.server.sync_first import sync_first
from midfill.server.text import DocumentSnapshot
from midfill.server.watch import is_alive

log = logging.getLogger(__name__)

MENU_DEADLINE_S = 2.0
MENU_INVOKED_DEADLINE_S = 10.0
"""A menu is answered by then with what there is. Sublime waits for its slowest server before it shows
any menu; Helix gives up after 20 s."""
STATISTICS_DAYS = 30
"""As `midfill stats` shows them."""
MENU_TRIGGERS = (".", "(", "[", "{", "=", " ")


def register(app: App) -> None:
    """Register every handler on `app`'s server."""
    _register_lifecycle(app)
    _register_documents(app)
    _register_completion(app)
    _register_commands(app)
    actions.register(app.server, app.actions, app.documents, lambda: app.client)
    actions.register_consent(app.server, app.actions, app.permission, app.folders)


def _register_lifecycle(app: App) -> None:
    server = app.server

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        client = read_client(params, server.protocol.workspace.position_encoding or "utf-16")
        if client.process_id is not None and not is_alive(client.process_id):
            client = replace(client, process_id=None)  # it lives in another container, say
        app.initialize(client, params.initialization_options)
        menu = app.settings.completion_menu
        if menu == "on" or (menu == "auto" and not client.inline_completion):
            _register_menu(app)

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        app.start()

    @server.feature(types.SHUTDOWN)
    def shutdown(params: None) -> None:
        app.ahead.stop()
        app.other_files.close()
        app.actions.close()
        app.statistics.close()
        app.model.close(timeout_s=0)

    @server.feature(types.EXIT)
    def exit_(params: None) -> None:
        app.exit(0 if server.protocol.shutting_down else 1)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        app.configure(params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        app.other_files.forget()


def _register_documents(app: App) -> None:
    server, documents = app.server, app.documents

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        snapshot = documents.open(item.uri, item.language_id, item.version, item.text)
        app.ahead.document_opened(snapshot)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        item, encoding = params.text_document, app.client.encoding
        try:
            edits = edits_of(params.content_changes)
            snapshot = documents.change(item.uri, item.version, edits, encoding)
        except UnknownDocument:
            log.warning("a change for a document that is not open")
            return
        app.completions.document_changed(snapshot)
        app.actions.document_changed(snapshot)
        app.statistics.changed(snapshot)
        place = last_edit_end(snapshot, params.content_changes, encoding)
        if place is not None:
            app.ahead.document_changed(snapshot, place)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        snapshot = documents.snapshot(params.text_document.uri)
        if snapshot is None:
            log.warning("a close for a document that is not open")
            return
        documents.close(snapshot.uri)
        app.completions.document_closed(snapshot.uri)
        app.other_files.document_closed(snapshot)
        app.actions.document_closed(snapshot.uri)
        app.statistics.closed(snapshot.uri)


def _register_completion(app: App) -> None:
    # Without options pygls does not advertise the capability and no editor ever asks.
    options = types.InlineCompletionOptions()

    @app.server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, options)
    @sync_first
    def inline_completion(params: types.InlineCompletionParams) -> Coroutine[Any, Any, Any]:
        snapshot = _snapshot_of(app, params.text_document.uri)
        offset = offset_of(snapshot, params.position, app.client.encoding)
        trigger = trigger_of(params.context.trigger_kind)
        selected = selected_of(snapshot, params.context.selected_completion_info, app.client.encoding)
        return _inline(app, snapshot, offset, trigger, selected)


async def _inline(
    app: App, snapshot: DocumentSnapshot, offset: int, trigger: Trigger, selected: Selected | None
) -> types.InlineCompletionList | None:
    app.ahead.stop()
    candidates = app.settings.candidates if trigger is Trigger.INVOKED else 1
    answer = await app.completions.complete(
        snapshot, offset, trigger, selected=selected, candidates=candidates
    )
    if answer.superseded:
        return None
    current = app.documents.snapshot(snapshot.uri)
    if current is None:
        return types.InlineCompletionList(items=[])
    items = [to_inline(current, suggestion, app.client) for suggestion in answer.suggestions]
    return types.InlineCompletionList(items=items)


def _register_menu(app: App) -> None:
    options = types.CompletionOptions(trigger_characters=MENU_TRIGGERS)

    @app.server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    @sync_first
    def completion(params: types.CompletionParams) -> Coroutine[Any, Any, Any]:
        snapshot = _snapshot_of(app, params.text_document.uri)
        offset = offset_of(snapshot, params.position, app.client.encoding)
        by_hand = params.context is None or (
            params.context.trigger_kind is types.CompletionTriggerKind.Invoked
        )
        return _menu(app, snapshot, offset, Trigger.INVOKED if by_hand else Trigger.AUTOMATIC)


async def _menu(
    app: App, snapshot: DocumentSnapshot, offset: int, trigger: Trigger
) -> types.CompletionList | None:
    app.ahead.stop()
    deadline_s = MENU_INVOKED_DEADLINE_S if trigger is Trigger.INVOKED else MENU_DEADLINE_S
    answer: Answer = await app.completions.complete(snapshot, offset, trigger, deadline_s)
    if answer.superseded:
        return None
    current = app.documents.snapshot(snapshot.uri)
    items = []
    if answer.suggestion is not None and current is not None:
        items.append(to_menu_item(current, answer.suggestion, app.client))
    return types.CompletionList(is_incomplete=True, items=items)


def _register_commands(app: App) -> None:
    """Commands are answered at once; long work goes on by progress and notification (DESIGN §2)."""
    server = app.server

    @server.command("midfill.documentText")
    def document_text(*arguments: Any) -> dict[str, Any] | None:
        """What the server believes the document is: for bug reports and black-box tests."""
        snapshot = app.documents.snapshot(str(arguments[0])) if arguments else None
        return None if snapshot is None else {"version": snapshot.version, "text": snapshot.text}

    @server.command(ACCEPTED)
    def accepted(*arguments: Any) -> None:
        log.info("accepted")
        snapshot = app.documents.snapshot(str(arguments[0])) if arguments else None
        if snapshot is not None:
            app.statistics.accepted(snapshot.uri)

    @server.command("midfill.pullModel")
    def pull_model(*arguments: Any) -> dict[str, Any]:
        name = str(arguments[0]) if arguments else ""
        return {"started": app.pull_model(name)}

    @server.command("midfill.restartModel")
    def restart_model(*arguments: Any) -> None:
        app.restart_model()

    @server.command("midfill.explainLast")
    def explain_last(*arguments: Any) -> dict[str, Any]:
        answer = app.completions.last_answer
        shown = answer.suggestion is not None
        stages = [as_fields(line) for line in app.explain_last()]
        status = app.status.current.as_params()
        return {"shown": shown, "reason": answer.reason, "status": status, "stages": stages}

    @server.command("midfill.models")
    async def models(*arguments: Any) -> list[dict[str, Any]]:
        """What could be chosen or pulled, as `midfill model list` shows it."""
        return await asyncio.to_thread(models_list)

    @server.command("midfill.stats")
    async def stats(*arguments: Any) -> dict[str, Any]:
        """What `midfill stats --json` says, with this session; of so many days, if a number is given."""
        days = arguments[0] if arguments and isinstance(arguments[0], int) else STATISTICS_DAYS
        return await app.statistics.figures(max(1, days))


def _snapshot_of(app: App, uri: str) -> DocumentSnapshot:
    snapshot = app.documents.snapshot(uri)
    if snapshot is None:
        raise JsonRpcInvalidParams(message=f"document is not open: {uri}")
    return snapshot
