"""A Python project on the disk, open in a client, for the unit-test action over LSP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midfill.server.actions.unit_tests import applied
from midfill.server.actions.unit_tests.rendering import Insertion
from tests.e2e.conftest import SCRIPTED
from tests.messages import Message
from tests.session import INLINE_CAPABILITIES, Session

CODE = "def double(number):\n    return number * 2\n\n\ndef half(number):\n    return number / 2\n"
ANSWERS = ["assert double(3) == 6\nassert double(0) == 1", "assert half(4) == 2"]
NEW = "from twice import double\n\n\ndef test_double():\n    assert double(3) == 6\n"
EDITS: Message = {"documentChanges": True, "resourceOperations": ["create"]}
AT_DOUBLE, AT_HALF = (
    {"start": {"line": line, "character": 6}, "end": {"line": line, "character": 6}} for line in (0, 4)
)


class Project:
    """A workspace on the disk, open in a client that keeps what it is asked and told."""

    def __init__(self, root: Path, session: Session) -> None:
        self.root, self.session = root, session
        self.uri = (root / "twice.py").as_uri()
        self.version = 1

    def begin(self, edits: Message = EDITS, **options: Any) -> "Project":
        capabilities = {
            **INLINE_CAPABILITIES,
            "workspace": {"applyEdit": True, "workspaceEdit": edits, "workspaceFolders": True},
        }
        folders = [{"uri": self.root.as_uri(), "name": "project"}]
        given = {**SCRIPTED, "scriptedAnswers": ANSWERS, "threads": 1, **options}
        self.session.answers.setdefault("workspace/applyEdit", {"applied": True})
        self.session.initialize(given, capabilities, rootUri=self.root.as_uri(), workspaceFolders=folders)
        assert self.session.wait_ready()["state"] == "ready"
        self.session.open(self.uri, (self.root / "twice.py").read_bytes().decode())
        return self

    def choose(self, place: Message = AT_DOUBLE) -> None:
        self.command("midfill.unitTests", self.uri, place)

    def command(self, name: str, *arguments: Any) -> Message:
        params = {"command": name, "arguments": list(arguments)}
        return self.session.call("workspace/executeCommand", params)

    def edit(self) -> list[Message]:
        """The changes of the next edit."""
        params = self.wait("workspace/applyEdit")["params"]
        changes: list[Message] = params["edit"]["documentChanges"]
        return changes

    def told(self) -> str:
        sentence: str = self.wait("window/showMessage")["params"]["message"]
        return sentence

    def asked(self) -> int:
        """How many questions came so far."""
        return sum(m.get("method") == "window/showMessageRequest" for m in self.session.inbox)

    def wait(self, method: str) -> Message:
        return self.session.wait_for(lambda m: m.get("method") == method)

    def token(self) -> str:
        """Of the next action's progress."""
        found = self.session.wait_for(lambda m: m.get("params", {}).get("value", {}).get("cancellable"))
        token: str = found["params"]["token"]
        return token

    def progress(self, token: str, word: str) -> Message:
        """The first of its messages with `word` in it."""

        def wanted(message: Message) -> bool:
            if message.get("method") != "$/progress" or message["params"]["token"] != token:
                return False
            return word in message["params"]["value"].get("message", "")

        return self.session.wait_for(wanted)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (root / "twice.py").write_text(CODE)
    session = Session.start(env={"MIDFILL_STATE_DIR": str(tmp_path / "state")})
    yield Project(root, session)
    session.kill()


def answer(project: Project, title: str) -> None:
    project.session.answers["window/showMessageRequest"] = {"title": title}


def written(before: str, change: Message) -> str:
    """`before` after the edits of one document, which lie at the starts of lines or at the end."""
    starts = [0]
    for line in before.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for edit in change["edits"]:
        assert edit["range"]["start"] == edit["range"]["end"], "it only ever inserts"
        start = edit["range"]["start"]
        found.append(Insertion(starts[start["line"]] + start["character"], edit["newText"]))
    return applied(before, found)
