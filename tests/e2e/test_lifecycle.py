"""A session from start to end: handshake, settings, status, progress, and every way to go."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.session import TIMEOUT_S, Session

URI = "file:///w/a.py"
SLOW = {**SCRIPTED, "scriptedStepMs": 200, "scriptedText": "x" * 200}
EXIT_S = 5.0
"""How soon the server ends after its client (issue 2, "Shows")."""


def test_initialize_is_answered_without_torch_or_transformers_in_the_process(session: Session) -> None:
    session.initialize({"backend": "transformers", "model": "/does/not/exist"})
    # The reply is there; the model is only now being loaded, on its own thread. Memory maps tell what
    # native libraries the process has, so the scripted backend is used to keep them out for good.
    other = Session.start()
    other.initialize(SCRIPTED)
    other.wait_ready()
    maps = " ".join(m.path for m in psutil.Process(other.process.pid).memory_maps())
    other.kill()
    assert "torch" not in maps
    assert "tokenizers" not in maps


def test_status_goes_from_loading_to_ready(session: Session) -> None:
    session.initialize(SCRIPTED)
    session.wait_for(lambda m: m.get("method") == "midfill/status" and m["params"]["state"] == "loading")
    status = session.wait_ready()
    assert status == {
        "state": "ready",
        "reason": "",
        "model": "scripted",
        "progress": None,
        "device": "none",
    }


def test_loading_shows_work_done_progress_from_begin_to_end(session: Session) -> None:
    session.initialize(SCRIPTED)
    kinds = []
    while "end" not in kinds:
        value = session.wait_for(lambda m: m.get("method") == "$/progress")["params"]["value"]
        kinds.append(value["kind"])
    assert kinds[0] == "begin"
    assert set(kinds[1:-1]) <= {"report"}


def test_a_client_without_progress_is_sent_none(session: Session) -> None:
    session.initialize(SCRIPTED, capabilities={})
    session.wait_ready()
    assert not [m for m in session.inbox if m.get("method", "").startswith(("window/work", "$/progress"))]


def test_a_model_path_that_does_not_exist_fails_with_a_sentence_and_completions_stay_silent(
    session: Session,
) -> None:
    session.initialize({"model": "/does/not/exist"})
    status = session.wait_ready()
    assert status["state"] == "failed"
    assert "/does/not/exist" in status["reason"]
    session.open(URI, "x = ")
    assert session.complete(URI, 0, 4) is None
    explained = session.call("workspace/executeCommand", {"command": "midfill.explainLast"})["result"]
    assert explained["reason"] == "model-failed"
    assert not [m for m in session.inbox if m.get("method") == "window/showMessage"]


def test_shutdown_and_exit_leave_with_zero(ready: Session) -> None:
    assert ready.shut_down() == 0


def test_exit_without_shutdown_leaves_with_one(ready: Session) -> None:
    ready.notify("exit", None)
    assert ready.process.wait(EXIT_S) == 1


def test_shutdown_while_generating_answers_the_request_and_exits(session: Session) -> None:
    session.initialize(SLOW)
    session.wait_ready()
    session.open(URI, "x = ")
    request = session.ask(URI, 0, 4)
    ended = session.request("shutdown", None)
    assert "result" in session.reply(ended)
    assert session.reply(request)["error"]["code"] == -32800
    session.notify("exit", None)
    assert session.process.wait(EXIT_S) == 0


def test_the_end_of_stdin_ends_the_server(session: Session) -> None:
    session.initialize(SLOW)
    session.wait_ready()
    session.open(URI, "x = ")
    session.ask(URI, 0, 4)
    assert session.process.stdin is not None
    session.process.stdin.close()
    assert session.process.wait(EXIT_S) == 1


CLIENT = """
import os, subprocess, sys, time
from tests.session import Session
session = Session.start()
session.initialize({"backend": "scripted", "scriptedStepMs": 50}, processId=os.getpid())
session.wait_ready()
session.open("file:///w/a.py", "x = ")
session.ask("file:///w/a.py", 0, 4)
print(session.process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's; Windows closes the pipes alike")
def test_kill_9_of_the_client_ends_the_server_within_five_seconds() -> None:
    client = subprocess.Popen([sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, cwd=_root())
    assert client.stdout is not None
    server = psutil.Process(int(client.stdout.readline()))
    client.send_signal(signal.SIGKILL)
    client.wait(TIMEOUT_S)
    client.stdout.close()
    server.wait(EXIT_S)


def test_a_dead_client_is_noticed_although_its_pipes_stay_open() -> None:
    """A child of the client can hold the pipes open: the process is watched too."""
    stand_in = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    session = Session.start()
    session.initialize(SCRIPTED, processId=stand_in.pid)
    session.wait_ready()
    stand_in.kill()
    stand_in.wait(TIMEOUT_S)
    assert stand_in.stdin is not None
    with contextlib.suppress(OSError):
        stand_in.stdin.close()
    assert session.process.wait(EXIT_S) == 1
    session.kill()


def test_a_process_id_that_is_dead_at_initialize_is_ignored(session: Session) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait(TIMEOUT_S)
    session.initialize(SCRIPTED, processId=dead.pid)
    session.wait_ready()
    session.open(URI, "x = ")
    assert session.complete(URI, 0, 4) is not None


def test_nothing_in_the_workspace_is_imported(tmp_path: Path) -> None:
    planted = "open('planted', 'w').write('imported')"
    for name in ("model", "midfill", "lsp_server", "torch", "click", "pygls"):
        (tmp_path / f"{name}.py").write_text(planted)
    session = Session.start(cwd=str(tmp_path))
    session.initialize(SCRIPTED)
    assert session.wait_ready()["state"] == "ready"
    session.kill()
    assert not (tmp_path / "planted").exists()


def test_no_source_text_in_the_log_not_even_when_things_go_wrong(session: Session) -> None:
    secret = "correct_horse_battery_staple"
    session.initialize({**SCRIPTED, "logLevel": "debug"})
    session.wait_ready()
    session.open(URI, f"key = '{secret}'\n")
    session.complete(URI, 1, 0)
    session.send({"method": "textDocument/didChange", "params": {"contentChanges": [{"text": secret}]}})
    bad_version = {"uri": URI, "version": secret}
    changes = [{"text": secret}]
    session.notify("textDocument/didChange", {"textDocument": bad_version, "contentChanges": changes})
    session.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": "file:///w/other.py", "version": 1}, "contentChanges": changes},
    )
    session.call("textDocument/inlineCompletion", {"textDocument": {"uri": secret}})
    session.shut_down()
    logged = session.stderr() + "".join(
        m["params"]["message"] for m in session.inbox if m.get("method") == "window/logMessage"
    )
    assert "fim v=" in logged
    assert secret not in logged


def test_a_print_inside_the_server_goes_to_stderr_not_to_the_client(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, sys
        import midfill.server.serve as serve
        from midfill.server.transport import take_stdio
        def noisy():
            streams = take_stdio()
            print("printed by Python")
            os.write(1, b"written by C\\n")
            return streams
        serve.take_stdio = noisy
        sys.argv = ["midfill", "serve"]
        from midfill.server.cli import main
        main()
        """
    )
    path = tmp_path / "noisy.py"
    path.write_text(script)
    process = subprocess.Popen(
        [sys.executable, "-P", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    session = Session(process, process.stdout, process.stdin)  # type: ignore[arg-type]
    session.initialize(SCRIPTED)
    session.wait_ready()
    assert process.stderr is not None
    session.shut_down()
    errors = process.stderr.read()
    process.stderr.close()
    session.kill()
    assert session.stray_output == b""
    assert b"printed by Python" in errors
    assert b"written by C" in errors


def _root() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
