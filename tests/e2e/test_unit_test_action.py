"""`midfill.unitTests` over LSP: files made and added to, consent, cancels, what cannot be written."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midfill.server.actions.unit_tests import applied
from midfill.server.actions.unit_tests.permission import ALWAYS, NEVER, SESSION
from midfill.server.actions.unit_tests.rendering import Insertion
from tests.e2e.conftest import SCRIPTED
from tests.messages import Message
from tests.session import INLINE_CAPABILITIES, Session
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

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


def test_it_is_offered_beside_the_docstring_and_named(project):
    project.begin()
    params = {"textDocument": {"uri": project.uri}, "range": AT_DOUBLE, "context": {"diagnostics": []}}
    titles = [found["title"] for found in project.session.call("textDocument/codeAction", params)["result"]]
    assert titles == [
        "Midfill: write the docstring of `double`",
        "Midfill: write unit tests for `double`",
    ]


def test_a_new_file_is_made_with_what_passes_and_the_failing_are_told(project, sandbox):
    answer(project, SESSION)
    project.begin()
    project.choose()
    create, change = project.edit()
    path = project.root / "tests/test_twice.py"
    assert create == {
        "kind": "create",
        "uri": path.as_uri(),
        "options": {"overwrite": False, "ignoreIfExists": False},
    }
    assert change["textDocument"] == {"uri": path.as_uri(), "version": None}
    assert written("", change) == NEW
    assert not path.exists(), "the editor writes it"
    said = project.told()
    assert said.startswith("Midfill: tests/test_twice.py: 1 of 2 tests passes, 2 left out. They cover 100%")
    assert said.endswith("\n- assert double(0) == 1: assert 0 == 1")


def test_failing_tests_are_commented_out_on_request(project, sandbox):
    answer(project, SESSION)
    project.begin(failingTests="insert")
    project.choose()
    text = written("", project.edit()[1])
    assert text.startswith(NEW)
    assert text.endswith(
        "\n# fails today: assert 0 == 1\n# def test_double_of_zero():\n#     assert double(0) == 1\n"
    )


def test_a_closed_file_is_added_to_as_it_is_on_the_disk(project):
    path = project.root / "tests/test_twice.py"
    path.parent.mkdir()
    before = "# 😀\r\nimport os\r\n\r\n\r\ndef test_double():\r\n    assert os, '😀'\r\n"
    path.write_bytes(before.encode())
    answer(project, NEVER)
    project.begin()
    project.choose()
    (change,) = project.edit()
    assert change["textDocument"] == {"uri": path.as_uri(), "version": None}
    after = written(before, change)
    assert "import os\r\nfrom twice import double\r\n" in after
    assert after.endswith("def test_double_of_zero():\r\n    assert double(0) == 1\r\n")
    assert "def test_double_2():\r\n" in after


def test_an_open_file_is_added_to_as_it_was_typed_with_its_version(project):
    path = project.root / "tests/test_twice.py"
    path.parent.mkdir()
    path.write_text("old = 1\n")
    answer(project, NEVER)
    project.begin()
    project.session.open(path.as_uri(), "new = 2\n", version=7)
    project.choose()
    (change,) = project.edit()
    assert change["textDocument"] == {"uri": path.as_uri(), "version": 7}
    assert written("new = 2\n", change).startswith("from twice import double\nnew = 2\n\n\ndef test_double")


def test_typing_into_the_test_file_meanwhile_is_kept(project):
    path = project.root / "tests/test_twice.py"
    path.parent.mkdir()
    path.write_text("x = 1\n")
    answer(project, NEVER)
    project.begin(scriptedStepMs=20)
    project.session.open(path.as_uri(), "x = 1\n")
    project.choose()
    project.progress(project.token(), "writing tests, 1")
    project.session.insert(path.as_uri(), 2, 0, 0, "def test_double(): ...\n")
    (change,) = project.edit()
    assert change["textDocument"]["version"] == 2
    after = written("def test_double(): ...\nx = 1\n", change)
    assert after.count("def test_double()") == 1
    assert "def test_double_2():" in after


def test_a_function_that_was_changed_meanwhile_is_said(project):
    answer(project, NEVER)
    project.begin(scriptedStepMs=20)
    project.choose()
    project.progress(project.token(), "writing tests, 1")
    project.session.insert(project.uri, 2, 1, 4, "  ")
    assert "changed meanwhile" in project.told()


def test_without_consent_nothing_is_run_and_the_question_comes_once(project, sandbox, tmp_path):
    (project.root / "twice.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{CODE}")
    answer(project, NEVER)
    project.begin()
    for place in (1, 5):
        at = {"line": place, "character": 6}
        project.choose({"start": at, "end": at})
        assert "none was run: running tests is not allowed here" in project.told()
    assert project.asked() == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("title", [SESSION, ALWAYS])
def test_consent_for_the_session_ends_with_it(project, sandbox, tmp_path, title):
    answer(project, title)
    project.begin()
    for place in (AT_DOUBLE, AT_HALF):
        project.choose(place)
        assert "passes" in project.told()
    assert project.asked() == 1
    assert (tmp_path / "state/run-tests.json").exists() == (title == ALWAYS)


def test_a_client_without_questions_gets_tests_that_were_not_run(project, sandbox):
    project.begin()  # its answer is null
    project.choose()
    assert "none was run" in project.told()


def test_the_command_gives_and_withdraws_consent(project, sandbox):
    project.begin(scriptedAnswers=ANSWERS[:1])
    root = project.root.as_uri()
    assert project.command("midfill.consentTests")["result"] == [{"workspace": root, "given": False}]
    assert project.command("midfill.consentTests", "give")["result"] == [{"workspace": root, "given": True}]
    project.choose()
    assert "1 of 2 tests passes" in project.told()
    (state,) = project.command("midfill.consentTests", root, "withdraw")["result"]
    assert state == {"workspace": root, "given": False}
    project.choose()
    assert "none was run" in project.told()
    assert project.asked() == 0


@pytest.mark.parametrize("arguments", [["maybe"], ["https://w/a", "give"], [1, 2, "give"]])
def test_nonsense_consents_to_nothing(project, arguments):
    project.begin()
    assert project.command("midfill.consentTests", *arguments)["error"]["code"] == -32602


@pytest.mark.parametrize("stage", ["", "writing tests, 1", "writing tests, 3", "running 2 tests"])
def test_a_cancel_ends_it_at_every_stage(project, sandbox, stage):
    answer(project, SESSION)
    (project.root / "twice.py").write_text(f"import time\ntime.sleep(0.5)\n{CODE}")
    project.begin(scriptedStepMs=10)
    at = {"line": 2, "character": 6}
    project.choose({"start": at, "end": at})
    token = project.token()
    project.progress(token, stage)
    project.session.notify("window/workDoneProgress/cancel", {"token": token})
    project.progress(token, "cancelled")
    project.command("midfill.documentText", project.uri)  # what comes after it would have come
    assert not [m for m in project.session.inbox if m.get("method") == "workspace/applyEdit"]


def test_a_cancel_while_the_question_is_open_leaves_the_question(project, sandbox):
    project.session.answers["window/showMessageRequest"] = None
    session = project.session
    held: list[Message] = []
    reply = session._answer
    session._answer = lambda m: held.append(m) if "Request" in m["method"] else reply(m)  # type: ignore[method-assign]
    project.begin()
    project.choose()
    token = project.token()
    project.wait("window/showMessageRequest")
    session.notify("window/workDoneProgress/cancel", {"token": token})
    project.progress(token, "cancelled")
    session.send({"id": held[0]["id"], "result": {"title": SESSION}})
    project.choose()
    assert "1 of 2 tests passes" in project.told()
    assert len(held) == 1


def test_two_at_once_write_both_into_one_new_file(project):
    answer(project, NEVER)
    path = project.root / "tests/test_twice.py"
    project.begin(scriptedAnswers=["assert double(1) == 2\nassert half(4) == 2"], scriptedStepMs=5)
    project.choose(AT_DOUBLE)
    project.choose(AT_HALF)
    first = project.edit()
    text = written("", first[1])
    path.parent.mkdir()
    path.write_text(text)
    second = project.edit()
    assert [change.get("kind") for change in first + second].count("create") in (1, 2)
    if len(second) == 1:
        text = written(text, second[0])
        assert "def test_double" in text
        assert "def test_half" in text


def test_a_client_that_creates_no_files_is_told_before_the_model_is_asked(project):
    answer(project, NEVER)
    project.begin(edits={"documentChanges": True})
    project.choose()
    said = project.told()
    assert "creates no files" in said
    assert str(project.root / "tests/test_twice.py") in said


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_said_before_the_model_is_asked(project):
    answer(project, NEVER)
    project.begin()
    project.root.chmod(0o555)
    project.choose()
    assert "nothing can be written into" in project.told()
    project.root.chmod(0o755)


def test_an_editor_that_cannot_write_the_file_is_told_about(project):
    answer(project, NEVER)
    project.session.answers["workspace/applyEdit"] = {"applied": False, "failureReason": "EROFS"}
    project.begin()
    project.choose()
    assert project.told() == "Midfill: the editor did not take the edit: EROFS"


def test_a_file_without_a_place_is_refused(project):
    project.begin()
    project.session.open("untitled:Untitled-1", CODE)
    project.command("midfill.unitTests", "untitled:Untitled-1", AT_DOUBLE)
    assert "no place on this machine" in project.told()


def test_without_bubblewrap_nothing_is_run_and_nothing_asked(tmp_path, project):
    without = Session.start(env={"PATH": str(tmp_path), "MIDFILL_STATE_DIR": str(tmp_path / "state")})
    other = Project(project.root, without).begin()
    other.choose()
    said = other.told()
    without.kill()
    assert "none was run: code is run only behind bubblewrap" in said
    assert other.asked() == 0
