"""The real default model behind the real server."""

from collections.abc import Iterator

import pytest

from tests.session import Session

pytestmark = pytest.mark.real_model

READY_S = 300.0
"""The first start on a machine converts the model."""
PYTHON = (
    'import math\n\n\ndef distance(a, b):\n    """Euclidean distance of two points."""\n    return math.\n'
)
GO = "package main\n\nfunc add(a int, b int) int {\n\treturn \n}\n"
JAVASCRIPT = "function mean(values) {\n  return values.reduce((a, b) => \n}\n"


@pytest.fixture(scope="module")
def session(default_model: str) -> Iterator[Session]:
    session = Session.start()
    session.initialize({"model": default_model, "device": "cpu"})
    status = session.wait_ready(READY_S)
    assert status["state"] == "ready", status
    yield session
    session.kill()


@pytest.mark.parametrize(
    ("language", "text", "line", "character", "expected"),
    [
        ("python", PYTHON, 5, 16, "sqrt("),
        ("go", GO, 3, 8, "a + b"),
        ("javascript", JAVASCRIPT, 1, 33, "a + b"),
    ],
)
def test_the_default_model_completes_real_code(
    session: Session, language: str, text: str, line: int, character: int, expected: str
) -> None:
    uri = f"file:///w/real.{language}"
    session.open(uri, text, language)
    item = session.complete(uri, line, character)
    assert item is not None
    assert item["insertText"].startswith(expected)
    assert "\n" not in item["insertText"]
    for marker in ("<|", "|>", "```"):
        assert marker not in item["insertText"]


def test_a_real_decode_stops_for_a_cancel_and_for_a_newer_request(session: Session) -> None:
    uri = "file:///w/cancel.py"
    session.open(uri, PYTHON)
    first = session.ask(uri, 5, 16)
    second = session.ask(uri, 5, 16)
    session.notify("$/cancelRequest", {"id": second})
    third = session.ask(uri, 5, 16)
    assert session.reply(first)["result"] is None
    assert session.reply(second)["error"]["code"] == -32800
    assert session.reply(third)["result"]["items"]


def test_markers_in_the_users_code_are_text_to_the_model(session: Session) -> None:
    uri = "file:///w/markers.py"
    text = 'STOP = ["<|fim_middle|>", "<|endoftext|>", "</s>"]\n\n\ndef add(a, b):\n    return \n'
    session.open(uri, text)
    item = session.complete(uri, 4, 11)
    assert item is not None
    assert item["insertText"].startswith("a + b")


def test_lone_surrogates_and_binary_are_survived_by_the_tokenizer(session: Session) -> None:
    uri = "file:///w/odd.py"
    session.open(uri, "\ud800\udfff\x00\x01\n\n\ndef add(a, b):\n    return ")
    assert "result" in session.reply(session.ask(uri, 4, 11))


@pytest.mark.parametrize("generating", [False, True])
def test_shutdown_and_exit_leave_with_zero_although_torch_has_threads(
    default_model: str, generating: bool
) -> None:
    session = Session.start()
    session.initialize({"model": default_model, "device": "cpu"})
    assert session.wait_ready(READY_S)["state"] == "ready"
    session.open("file:///w/a.py", PYTHON)
    if generating:
        session.ask("file:///w/a.py", 5, 16)
        session.text_of("file:///w/a.py")
    code = session.shut_down()
    session.kill()
    assert code == 0
