"""Extensions that are not ours, for tests: one that only has a name, one with a folder on no disk."""

import json
from pathlib import Path

from tools import build_vsix

FOLDER = "vscode-vfs://nowhere/project"
"""Has one file, `sample.py`, which is opened as soon as the window is there."""
VIRTUAL = """
const vscode = require('vscode')
const text = new TextEncoder().encode('def add(alpha, beta):\\n    ')
const file = vscode.Uri.parse('FOLDER/sample.py')
const changed = new vscode.EventEmitter()
const isFile = (uri) => uri.path === file.path
const stat = (uri) => {
  if (isFile(uri)) return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: text.length }
  if (!file.path.startsWith(uri.path)) throw vscode.FileSystemError.FileNotFound(uri)
  return { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 }
}
const readFile = (uri) => { stat(uri); return text }
const readDirectory = () => [['sample.py', vscode.FileType.File]]
const watch = () => new vscode.Disposable(() => undefined)
const none = () => undefined
const writing = { writeFile: none, createDirectory: none, delete: none, rename: none }
exports.activate = async () => {
  const provider = { onDidChangeFile: changed.event, stat, readFile, readDirectory, watch, ...writing }
  vscode.workspace.registerFileSystemProvider('vscode-vfs', provider)
  const editor = await vscode.window.showTextDocument(file)
  const end = editor.document.positionAt(text.length)
  editor.selection = new vscode.Selection(end, end)
}
""".replace("FOLDER", FOLDER)


def named(folder: Path, publisher: str, name: str) -> Path:
    """A `.vsix` of this id that does nothing."""
    return _write(folder, publisher, name, {}, {})


def virtual_folder(folder: Path) -> Path:
    """A `.vsix` with the file system that FOLDER lies in."""
    package = {"activationEvents": ["onStartupFinished", "onFileSystem:vscode-vfs"], "main": "main.js"}
    return _write(folder, "midfill-tests", "virtual", package, {"main.js": VIRTUAL.encode()})


def _write(
    folder: Path, publisher: str, name: str, more: dict[str, object], files: dict[str, bytes]
) -> Path:
    package = {
        "name": name,
        "publisher": publisher,
        "version": "1.0.0",
        "displayName": name,
        "description": "For tests",
        "keywords": [],
        "categories": ["Other"],
        "extensionKind": ["workspace"],
        "engines": {"vscode": "^1.91.0"},
        "capabilities": {"virtualWorkspaces": True},
        **more,
    }
    empty = {"README.md": b"", "LICENSE.txt": b""}
    target = folder / f"{publisher}.{name}.vsix"
    build_vsix.write(target, {"package.json": json.dumps(package).encode(), **empty, **files})
    return target
