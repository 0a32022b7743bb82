"""Statistics over the wire: what a session counts, where it ends up, and what never gets there."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import SCRIPTED
from tests.session import Session

URI = "file:///w/folder-QPATHQ/a.py"
TYPED = "QTYPEDQ = 1\nQNAMEQ = "
WRITTEN = "QWRITTENQ + QOTHERQ"

Start = Callable[..., Session]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers that keep their statistics in `tmp_path`."""
    started: list[Session] = []

    def start(**settings: Any) -> Session:
        session = Session.start(env={"MIDFILL_STATISTICS_DIR": str(tmp_path)})
        started.append(session)
        session.initialize({**SCRIPTED, "scriptedText": WRITTEN, **settings})
        session.wait_ready()
        return session

    yield start
    for session in started:
        session.kill()


def accept(session: Session, say_so: bool = True) -> None:
    """Show a suggestion and put it into the document, as VS Code does."""
    session.open(URI, TYPED)
    item = session.complete(URI, 1, 9, trigger=2)
    assert item is not None
    session.insert(URI, 2, 1, 9, item["insertText"])
    if say_so:
        session.call("workspace/executeCommand", item["command"])


def figures(session: Session) -> dict[str, Any]:
    return session.call("workspace/executeCommand", {"command": "midfill.stats"})["result"]


@pytest.mark.parametrize("says_so", [True, False])
def test_an_accepted_suggestion_is_counted_and_the_command_line_says_the_same(
    start: Start, tmp_path: Path, says_so: bool
) -> None:
    session = start()
    accept(session, says_so)
    found = figures(session)
    total = found["total"]
    assert (total["shown"], total["accepted"], found["said_accepted"]) == (1, 1, int(says_so))
    assert list(found["by_language"]) == ["python"]
    assert session.shut_down() == 0
    command = [sys.executable, "-P", "-m", "midfill.server", "stats", "--json"]
    env = {"MIDFILL_STATISTICS_DIR": str(tmp_path), "PATH": "/usr/bin", "PYTHONPATH": _python_path()}
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["total"] == total


def test_no_text_and_no_path_is_kept(start: Start, tmp_path: Path) -> None:
    session = start()
    accept(session)
    session.open("file:///w/.env", "QSECRETQ=1\n")
    session.complete("file:///w/.env", 0, 10)
    session.shut_down()
    files = [path for path in tmp_path.iterdir() if path.stat().st_size]
    texts = "".join(path.name + path.read_text() for path in files)
    assert '"accepted/model/python": 1' in texts
    assert '"silences/secret-file": 1' in texts
    assert re.findall(r"Q[A-Z]+Q", texts) == []
    keys = {key for path in files for key in json.loads(path.read_text())["counts"]}
    assert [key for key in keys if not re.fullmatch(r"[a-z0-9/ -]+", key)] == []


def test_a_user_who_wants_none_has_none(start: Start, tmp_path: Path) -> None:
    session = start(statistics="off")
    accept(session)
    assert figures(session)["requests"] == 0
    session.shut_down()
    assert list(tmp_path.iterdir()) == []


def test_switched_off_in_the_middle_nothing_more_is_counted(start: Start, tmp_path: Path) -> None:
    session = start()
    accept(session)
    assert figures(session)["requests"] == 1
    off = {"midfill": {**SCRIPTED, "scriptedText": WRITTEN, "statistics": "off"}}
    session.settings = off
    session.notify("workspace/didChangeConfiguration", {"settings": off})
    accept(session)
    assert figures(session)["requests"] == 1


def test_a_folder_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    session = Session.start(env={"MIDFILL_STATISTICS_DIR": str(tmp_path / "a file" / "below")})
    session.initialize({**SCRIPTED, "scriptedText": WRITTEN})
    session.wait_ready()
    accept(session)
    assert figures(session)["requests"] == 0
    assert session.shut_down() == 0
    assert "statistics are incomplete" in session.stderr()
    session.kill()


def test_the_last_answer_is_explained_without_its_text(start: Start) -> None:
    session = start()
    session.open(URI, TYPED)
    session.complete(URI, 1, 9)
    explain = {"command": "midfill.explainLast"}
    said = session.call("workspace/executeCommand", explain)["result"]
    stages = [line["stage"] for line in said["stages"]]
    assert stages == [
        "trigger", "reuse", "debounce", "context", "queue", "prefill", "decode", "stop", "clean-up",
        "confidence", "answer",
    ]  # fmt: skip
    assert re.findall(r"Q[A-Z]+Q", json.dumps(said)) == []
    session.complete(URI, 0, 3, trigger=2)
    said = session.call("workspace/executeCommand", explain)["result"]
    assert said["reason"] == "mid-word"
    assert "the cursor stands inside a word" in said["stages"][0]["said"]


def _python_path() -> str:
    return ":".join(path for path in sys.path if path)
