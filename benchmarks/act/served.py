"""Code actions chosen in the real server, over LSP, as an editor's user would; what they made of the files.

`textDocument/codeAction` offers, `workspace/executeCommand` begins, `workspace/applyEdit` brings the edit,
which is taken here as an editor would. Knows nothing of the server's inside, nor of what is measured.
"""

import contextlib
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.infill.served import LOAD_S, offset_in
from tests.messages import Message
from tests.session import INLINE_CAPABILITIES, Session

ACTION_S = 300.0
"""Only a hang takes this long."""
SETTINGS = {"failingTests": "insert", "writeAhead": "off"}
"""Failing tests come commented out, so that they can be counted too."""
PROJECT = "[tool.pytest.ini_options]\n"
CAPABILITIES = {
    **INLINE_CAPABILITIES,
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
        "workspaceFolders": True,
    },
    "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}},
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of one action."""

    files: Mapping[str, str]
    """The texts that it changed, as they are now, by their paths in the workspace."""
    said: str
    """What the user was told."""
    seconds: float
    """From the choice to the end of its progress."""


class Served:
    """One server, started by the first choice, and a workspace of its own in which tests may be run."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = {**SETTINGS, **settings}
        self._ending = contextlib.ExitStack()
        self._session: Session | None = None
        self.root = Path()

    def __enter__(self) -> Self:
        folder = self._ending.enter_context(tempfile.TemporaryDirectory())
        self.root = Path(folder).resolve() / "work"
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def choose(self, what: str, file: str, text: str, offset: int) -> Chosen:
        """Open `text` as `file` of the workspace and choose the action `what` (`docstring`, `unitTests`) at
        `offset` (code points)."""
        session = self.session
        session.inbox.clear()
        path = self.root / file
        path.write_text(text, encoding="utf-8")
        session.open(path.as_uri(), text)
        try:
            return self._chosen(session, f"refactor.rewrite.midfill.{what}", path, text, offset)
        finally:
            session.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
            path.unlink()

    @property
    def session(self) -> Session:
        """Raises RuntimeError where the server has no model."""
        if self._session is None:
            self.root.mkdir()
            self.root.parent.chmod(0o755)  # whoever runs tests in the sandbox is somebody else
            (self.root / "pyproject.toml").write_text(PROJECT)
            self._session = Session.start(env={"MIDFILL_STATE_DIR": str(self.root.parent)})
            self._ending.callback(self._session.kill)
            self._session.answers["workspace/applyEdit"] = {"applied": True}
            self._session.answers["window/showMessageRequest"] = {"title": "This session"}
            place = {"uri": self.root.as_uri(), "name": "work"}
            self._session.initialize(
                self._settings, CAPABILITIES, rootUri=place["uri"], workspaceFolders=[place]
            )
            status = self._session.wait_ready(LOAD_S)
            allowed = {"command": "midfill.consentTests", "arguments": [place["uri"], "give"]}
            self._session.call("workspace/executeCommand", allowed)
            if status["state"] != "ready":
                raise RuntimeError(f"the server has no model: {status}")
        return self._session

    def _chosen(self, session: Session, kind: str, path: Path, text: str, offset: int) -> Chosen:
        line = text.rfind("\n", 0, offset) + 1
        character = len(text[line:offset].encode("utf-16-le")) // 2
        at = {"line": text.count("\n", 0, offset), "character": character}
        context = {"diagnostics": [], "only": [kind], "triggerKind": 1}
        params = {"textDocument": {"uri": path.as_uri()}, "range": {"start": at, "end": at}}
        offers = session.call("textDocument/codeAction", {**params, "context": context})["result"]
        if not offers:
            return Chosen({}, "not offered", 0.0)
        began = time.perf_counter()
        session.call("workspace/executeCommand", offers[0]["command"])
        ended = _end(session, offers[0]["title"])
        said = [m["params"]["message"] for m in session.inbox if m.get("method") == "window/showMessage"]
        edits = [m["params"] for m in session.inbox if m.get("method") == "workspace/applyEdit"]
        before = {path.as_uri(): text}
        return Chosen(
            {
                Path(uri.removeprefix("file://")).relative_to(self.root).as_posix(): after
                for edit in edits
                for uri, after in edited(before, edit["edit"]).items()
            },
            "\n".join(said),
            ended["_at"] - began,
        )


def edited(files: Mapping[str, str], edit: Message) -> dict[str, str]:
    """The files (by URI) that `edit` changes, as they are after it; others than `files` are new."""
    after: dict[str, str] = {}
    for change in edit["documentChanges"]:
        if "kind" in change:
            continue
        uri = change["textDocument"]["uri"]
        text = files.get(uri, "")
        found = [(*(offset_in(text, one["range"][side]) for side in ("start", "end")), one["newText"])
                 for one in change["edits"]]  # fmt: skip
        for start, end, new in sorted(found, reverse=True):
            text = text[:start] + new + text[end:]
        after[uri] = text
    return after


def _end(session: Session, title: str) -> Message:
    """The end of the progress that is called `title`."""
    tokens = []

    def wanted(message: Message) -> bool:
        if message.get("method") != "$/progress":
            return False
        value = message["params"]["value"]
        if value["kind"] == "begin" and value["title"] == title:
            tokens.append(message["params"]["token"])
        return value["kind"] == "end" and message["params"]["token"] in tokens

    return session.wait_for(wanted, ACTION_S)
