"""A machine without a model: one question, silence, and a download that fails says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session import Session

URI = "file:///w/a.py"
UNREACHABLE = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Session]:
    """A server with an empty cache and a hub that is not there."""
    session = Session.start(env={"MIDFILL_CACHE_DIR": str(tmp_path), "HF_ENDPOINT": UNREACHABLE})
    yield session
    session.kill()


def test_no_model_yet_is_off_with_a_reason_and_one_question(bare: Session, tmp_path: Path) -> None:
    bare.initialize()
    status = bare.wait_ready()
    question = bare.wait_for(lambda m: m.get("method") == "window/showMessageRequest")["params"]
    bare.open(URI, "x = ")
    assert bare.complete(URI, 0, 4) is None
    assert (status["state"], status["reason"]) == ("off", "no-model")
    assert str(tmp_path) in question["message"]
    assert "MB" in question["message"]
    assert [action["title"] for action in question["actions"]] == ["Download", "Not now"]


def test_the_question_is_not_asked_again(bare: Session) -> None:
    bare.initialize()
    bare.wait_ready()
    bare.wait_for(lambda m: m.get("method") == "window/showMessageRequest")
    bare.call("workspace/executeCommand", {"command": "midfill.restartModel"})
    assert bare.wait_ready()["reason"] == "no-model"
    bare.call("workspace/executeCommand", {"command": "midfill.explainLast"})
    assert not [m for m in bare.inbox if m.get("method") == "window/showMessageRequest"]


def test_the_model_that_the_settings_name_is_offered(bare: Session) -> None:
    bare.initialize({"model": "qwen2.5-coder-1.5b-instruct"})
    question = bare.wait_for(lambda m: m.get("method") == "window/showMessageRequest")["params"]
    assert "qwen2.5-coder-1.5b-instruct" in question["message"]


def test_a_download_that_fails_tells_the_user_why_and_leaves_nothing(bare: Session, tmp_path: Path) -> None:
    bare.answers["window/showMessageRequest"] = {"title": "Download"}
    bare.initialize()
    bare.wait_for(lambda m: m.get("method") == "window/showMessageRequest")
    said = bare.wait_for(lambda m: m.get("method") == "window/showMessage")["params"]
    assert said["type"] == 1
    assert "127.0.0.1" in said["message"] or "network" in said["message"]
    assert not (tmp_path / "models").exists()
