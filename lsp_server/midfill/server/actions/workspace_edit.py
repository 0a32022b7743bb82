"""Our edits as a `WorkspaceEdit`, as much of it as the client can take. Pure."""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from midfill.server.actions.edits import FileEdit
from midfill.server.client import Client
from midfill.server.text import DocumentSnapshot, new_snapshot, position_at


def to_workspace_edit(
    edits: Sequence[FileEdit], snapshots: dict[str, DocumentSnapshot], label: str, client: Client
) -> types.WorkspaceEdit:
    """The edits as this client takes them: with versions and an annotation where it knows them."""
    if not client.document_changes:
        changes = {edit.uri: _text_edits(edit, snapshots, client, None) for edit in edits}
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
        ordered.append(types.TextDocumentEdit(document, _text_edits(edit, snapshots, client, annotation)))
    named = {annotation: types.ChangeAnnotation(label, needs_confirmation=False)} if annotation else None
    return types.WorkspaceEdit(document_changes=ordered, change_annotations=named)


def _text_edits(
    edit: FileEdit, snapshots: dict[str, DocumentSnapshot], client: Client, annotation: str | None
) -> list[Any]:
    before = snapshots.get(edit.uri) or new_snapshot(edit.uri, 0, "", edit.text or "")
    found: list[Any] = []
    for one in edit.edits:
        start = position_at(before, one.span[0], client.encoding)
        end = position_at(before, one.span[1], client.encoding)
        place = types.Range(types.Position(*start), types.Position(*end))
        if annotation is None:
            found.append(types.TextEdit(place, one.text))
        else:
            found.append(types.AnnotatedTextEdit(annotation, place, one.text))
    return found
