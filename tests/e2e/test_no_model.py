"""A machine without a model: one question, silence, and a download that fails says so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from midfill.model.store.catalogue import DEFAULT_MODEL
from tests.session import Session
from tests.store.making import gguf_bytes, sha256

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


def said_of(bare: Session, model: str) -> str:
    """The message about `model`, which no question came with."""
    bare.initialize({"model": model})
    said = bare.wait_for(lambda m: m.get("method") == "window/showMessage")["params"]["message"]
    bare.call("workspace/executeCommand", {"command": "midfill.explainLast"})
    assert not [m for m in bare.inbox if m.get("method") == "window/showMessageRequest"]
    return str(said)


def put_in(cache: Path, name: str) -> None:
    """As if `name` had been pulled."""
    folder = cache / "models" / name
    folder.mkdir(parents=True)
    (folder / "m.gguf").write_bytes(gguf_bytes())
    file = {"path": "m.gguf", "size": len(gguf_bytes()), "sha256": sha256(gguf_bytes())}
    manifest = {"manifest": 1, "name": name, "format": "gguf", "files": [file], "licence": "MIT"}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"source": "imported", "repo": ""}))


@pytest.mark.parametrize("model", ["codellama-7b", "codellama/CodeLlama-7b-hf"])
def test_a_licence_to_be_accepted_is_said_with_its_command_and_no_download_is_offered(
    bare: Session, model: str
) -> None:
    said = said_of(bare, model)
    assert "Llama 2 Community License" in said
    assert "in a terminal: `midfill model pull codellama-7b`" in said


@pytest.mark.parametrize("others", [(), (DEFAULT_MODEL,)], ids=["no other", "the default is here"])
def test_a_missing_model_of_somebodys_own_is_named_and_no_other_is_offered(
    bare: Session, tmp_path: Path, others: tuple[str, ...]
) -> None:
    for name in others:
        put_in(tmp_path, name)
    said = said_of(bare, "someteam/our-model")
    assert "someteam/our-model is not installed" in said
    assert "`midfill model pull someteam/our-model`" in said


def test_where_no_model_is_chosen_those_that_are_here_are_named(bare: Session, tmp_path: Path) -> None:
    put_in(tmp_path, "ours")
    said = said_of(bare, "")
    assert "choose one of ours with `midfill model use NAME`" in said


def test_another_model_is_offered_by_its_name_where_there_is_one(bare: Session, tmp_path: Path) -> None:
    put_in(tmp_path, "ours")
    bare.initialize({"model": DEFAULT_MODEL})
    asked = bare.wait_for(lambda m: m.get("method") == "window/showMessageRequest")["params"]["message"]
    assert f"{DEFAULT_MODEL} is not installed. Download it (491 MB" in asked


def test_a_sentence_is_said_once_a_session(bare: Session) -> None:
    said_of(bare, "someteam/our-model")
    bare.call("workspace/executeCommand", {"command": "midfill.restartModel"})
    assert bare.wait_ready()["reason"] == "no-model"
    bare.call("workspace/executeCommand", {"command": "midfill.explainLast"})
    assert not [m for m in bare.inbox if m.get("method") == "window/showMessage"]
