"""Over the wire: several suggestions by hand, the completion menu's selected item, silence and joining."""

from collections.abc import Iterator

import pytest

from tests.messages import change, inline_params
from tests.session import Session

URI = "file:///w/a.py"
TEXT = "value = compute("
END = {"line": 0, "character": len(TEXT)}
SCRIPTED = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 0, "maxNewTokens": 4}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session.start()
    session.initialize(SCRIPTED)
    session.wait_ready()
    yield session
    session.kill()


def items(session: Session, uri: str, trigger: int, **context) -> list[dict]:
    params = inline_params(uri, 0, len(TEXT), trigger)
    params["context"] |= context
    return session.call("textDocument/inlineCompletion", params)["result"]["items"]


def test_a_request_by_hand_gets_several_different_ones_and_an_automatic_one_a_single_one(session):
    session.open(URI, TEXT)
    found = items(session, URI, trigger=1)
    assert len({item["insertText"] for item in found}) == 3
    assert all(item["range"] == {"start": END, "end": END} for item in found)
    session.open("file:///w/b.py", TEXT)
    assert len(items(session, "file:///w/b.py", trigger=2)) == 1


def test_the_answer_begins_with_the_selected_item_over_its_own_range(session):
    session.open("file:///w/c.py", TEXT.removesuffix("compute(") + "comp")
    there = {"start": {"line": 0, "character": 8}, "end": {"line": 0, "character": 12}}
    params = inline_params("file:///w/c.py", 0, 12, 2)
    params["context"]["selectedCompletionInfo"] = {"range": there, "text": "compute"}
    [item] = session.call("textDocument/inlineCompletion", params)["result"]["items"]
    assert item["insertText"].startswith("compute")
    assert len(item["insertText"]) > len("compute")
    assert item["range"] == there


def test_a_file_with_secrets_gets_none_by_hand_and_says_why(session):
    session.open("file:///w/.env", TEXT)
    assert items(session, "file:///w/.env", trigger=1) == []
    why = session.call("workspace/executeCommand", {"command": "midfill.explainLast", "arguments": []})
    assert why["result"]["reason"] == "secret-file"


def test_inside_a_word_nothing_is_suggested_unasked(session):
    session.open("file:///w/d.py", TEXT + "rest_of_it")
    assert items(session, "file:///w/d.py", trigger=2) == []
    assert items(session, "file:///w/d.py", trigger=1)


@pytest.mark.parametrize("cancels", [False, True], ids=["without cancels", "with cancels"])
def test_typing_what_is_being_written_gets_it_in_the_end_from_one_model_call(cancels) -> None:
    session = Session.start()
    session.initialize(
        {**SCRIPTED, "scriptedStepMs": 50, "maxNewTokens": 64, "scriptedText": "alpha, beta"}
    )
    session.wait_ready()
    session.open(URI, TEXT)
    requests = [session.ask(URI, 0, len(TEXT), trigger=2)]
    session.text_of(URI)  # once this is answered, the model is at work
    for n, key in enumerate("alph"):
        session.send(change(URI, n + 2, 0, len(TEXT) + n, key))
        if cancels:
            session.notify("$/cancelRequest", {"id": requests[-1]})
        requests.append(session.ask(URI, 0, len(TEXT) + n + 1, trigger=2))
    replies = [session.reply(request) for request in requests]
    [item] = replies[-1]["result"]["items"]
    session.kill()
    assert item["insertText"] == "a, beta"
    for reply in replies[:-1]:
        assert reply.get("error", {}).get("code") == -32800 if cancels else reply["result"] is None
