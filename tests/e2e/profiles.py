"""What three real editors say of themselves in `initialize`, cut to what concerns this server.

pytest-lsp ships no profile with inlineCompletion (reference: peers-lsp.md §3). Versions: VS Code with
vscode-languageclient 11, Neovim 0.12, Helix 25.07.
"""

from lsprotocol import types
from lsprotocol.converters import get_converter

_VSCODE = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True, "showMessage": {}, "showDocument": {"support": True}},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "workspaceEdit": {"documentChanges": True},
        "workspaceFolders": True,
    },
    "textDocument": {
        "synchronization": {"dynamicRegistration": True, "didSave": True},
        "completion": {"dynamicRegistration": True, "completionItem": {"snippetSupport": True}},
        "inlineCompletion": {"dynamicRegistration": True},
    },
}
_NEOVIM = {
    "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
    "window": {"workDoneProgress": True, "showMessage": {}},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": False},
        "workspaceFolders": True,
    },
    "textDocument": {
        "synchronization": {"dynamicRegistration": False, "didSave": True},
        "completion": {"dynamicRegistration": False},
        "inlineCompletion": {"dynamicRegistration": False},
    },
}
_HELIX = {
    "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": False},
        "workspaceFolders": True,
    },
    "textDocument": {
        "completion": {
            "completionItem": {"snippetSupport": True, "insertReplaceSupport": True},
            "completionItemKind": {},
        },
    },
}
_UTF_32 = {**_NEOVIM, "general": {"positionEncodings": ["utf-32"]}}

PROFILES = {"vscode": _VSCODE, "neovim": _NEOVIM, "helix": _HELIX, "utf-32": _UTF_32}
ENCODINGS = {"vscode": "utf-16", "neovim": "utf-8", "helix": "utf-8", "utf-32": "utf-32"}


def initialize_params(profile: str, options: object) -> types.InitializeParams:
    capabilities = get_converter().structure(PROFILES[profile], types.ClientCapabilities)
    return types.InitializeParams(
        process_id=None,
        root_uri=None,
        capabilities=capabilities,
        client_info=types.ClientInfo(name=profile),
        initialization_options=options,
    )
