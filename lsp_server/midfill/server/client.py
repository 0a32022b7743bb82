"""What the client can do, read once from its `initialize` request. Plain values."""

from dataclasses import dataclass

from lsprotocol import types

from midfill.server.text import Encoding


@dataclass(frozen=True, slots=True)
class Client:
    name: str = "unknown"
    process_id: int | None = None
    encoding: Encoding = Encoding.UTF_16
    inline_completion: bool = False
    splits_at_lf: bool = False
    """Neovim 0.12 splits an inline completion at `\\n` alone, also in a CRLF buffer."""
    markdown: bool = False
    """Shows Markdown in a menu item's documentation."""
    as_is: bool = False
    """Can be told to insert a menu item's text with its own indentation."""
    progress: bool = False
    """Takes `window/workDoneProgress/create`."""
    configuration: bool = False
    """Answers `workspace/configuration`."""
    change_registration: bool = False
    """Wants to be asked before it sends `didChangeConfiguration`."""
    apply_edit: bool = False
    """Takes `workspace/applyEdit`."""
    document_changes: bool = False
    """Takes edits that name the version they are for."""
    create_files: bool = False
    """Creates files as part of an edit."""
    annotations: bool = False
    """Shows what an edit is about."""
    action_literals: bool = False
    """Takes code actions; older clients take bare commands."""


def read_client(params: types.InitializeParams, encoding: str) -> Client:
    """`encoding` is the one that was negotiated. Whatever a client leaves out counts as "no"."""
    capabilities = params.capabilities
    document, workspace, window = (
        capabilities.text_document,
        capabilities.workspace,
        capabilities.window,
    )
    name = params.client_info.name if params.client_info else "unknown"
    menu = document.completion.completion_item if document and document.completion else None
    modes = menu.insert_text_mode_support if menu else None
    changes = workspace.did_change_configuration if workspace else None
    edits = workspace.workspace_edit if workspace else None
    actions = document.code_action if document else None
    # Neovim 0.12 names operations alone, which only ever stand among document changes.
    creates = types.ResourceOperationKind.Create in ((edits and edits.resource_operations) or ())
    return Client(
        name=name,
        splits_at_lf=name == "Neovim",
        process_id=params.process_id,
        encoding=Encoding(encoding),
        inline_completion=bool(document and document.inline_completion),
        markdown=types.MarkupKind.Markdown in ((menu and menu.documentation_format) or ()),
        as_is=types.InsertTextMode.AsIs in (modes.value_set if modes else ()),
        progress=bool(window and window.work_done_progress),
        configuration=bool(workspace and workspace.configuration),
        change_registration=bool(changes and changes.dynamic_registration),
        apply_edit=bool(workspace and workspace.apply_edit),
        document_changes=creates or bool(edits and edits.document_changes),
        create_files=creates,
        annotations=bool(edits and edits.change_annotation_support),
        action_literals=bool(actions and actions.code_action_literal_support),
    )
