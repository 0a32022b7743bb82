"""Superseding, cancelling and staleness over the wire (invariants 1 and 2)."""

from collections.abc import Iterator

import pytest

from tests.messages import change, inline_params
from tests.session import Session

URI = "file:///w/a.py"
TEXT = "alpha + beta + gamma"
SLOW = {
    "backend": "scripted",
    "debounceMs": 0,
    "scriptedStepMs": 20,
    "scriptedText": TEXT,
}


@pytest.fixture
def slow() -> Iterator[Session]:
    """A model that takes 20 ms a token, and an open document."""
    session = Session.start()
    session.initialize(SLOW)
    session.wait_ready()
    session.open(URI, "x = ")
    yield session
    session.kill()


def test_a_superseded_request_is_answered_null_and_the_newest_gets_the_suggestion(slow: Session) -> None:
    requests = [slow.ask(URI, 0, 4) for _ in range(5)]
    assert [slow.reply(request)["result"] for request in requests[:-1]] == [None] * 4
    assert slow.reply(requests[-1])["result"]["items"][0]["insertText"] == TEXT


def test_requests_for_different_documents_do_not_supersede_each_other(slow: Session) -> None:
    slow.open("file:///w/b.py", "y = ")
    first, second = slow.ask(URI, 0, 4), slow.ask("file:///w/b.py", 0, 4)
    assert slow.reply(first)["result"]["items"]
    assert slow.reply(second)["result"]["items"]


def test_a_cancelled_request_is_answered_request_cancelled(slow: Session) -> None:
    request = slow.ask(URI, 0, 4)
    slow.notify("$/cancelRequest", {"id": request})
    assert slow.reply(request)["error"]["code"] == -32800


def test_typing_that_contradicts_the_answer_ends_the_request_with_null(slow: Session) -> None:
    request = slow.ask(URI, 0, 4)
    slow.insert(URI, 2, 0, 4, "q")
    assert slow.reply(request)["result"] is None


def test_typing_that_agrees_gets_the_rest_at_the_present_cursor(slow: Session) -> None:
    request = slow.ask(URI, 0, 4)
    slow.insert(URI, 2, 0, 4, "alp")
    (item,) = slow.reply(request)["result"]["items"]
    assert item["insertText"] == "ha + beta + gamma"
    here = {"line": 0, "character": 7}
    assert item["range"] == {"start": here, "end": here}


def test_a_change_elsewhere_ends_the_request_with_null(slow: Session) -> None:
    request = slow.ask(URI, 0, 4)
    slow.insert(URI, 2, 0, 0, "y")
    assert slow.reply(request)["result"] is None


def test_a_document_closed_while_generating_ends_the_request_with_null(slow: Session) -> None:
    request = slow.ask(URI, 0, 4)
    slow.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert slow.reply(request)["result"] is None


@pytest.mark.parametrize("cancels", [False, True], ids=["without cancels", "with cancels"])
def test_a_thousand_keystrokes_at_once_leave_nothing_unanswered(slow: Session, cancels: bool) -> None:
    # In a shorter document a request that is answered before the next key comes gets nothing, rightly.
    uri, begun = "file:///w/long.py", "alphabetical = "
    slow.open(uri, begun)
    requests: list[int] = []
    for n in range(1000):
        slow.send(change(uri, n + 2, 0, len(begun) + n, "k"))
        if cancels and requests:
            slow.notify("$/cancelRequest", {"id": requests[-1]})
        requests.append(slow.ask(uri, 0, len(begun) + n + 1, trigger=2))
    replies = [slow.reply(request) for request in requests]
    assert replies[-1]["result"]["items"]
    for reply in replies[:-1]:
        assert reply.get("result", "none") is None or reply.get("error", {}).get("code") == -32800
    answered_twice = [m for m in slow.inbox if "method" not in m]
    assert answered_twice == []
    assert slow.text_of(uri) == {"version": 1001, "text": begun + "k" * 1000}


def test_the_bracket_that_the_editor_closed_is_replaced_not_doubled() -> None:
    session = Session.start()
    session.initialize({**SLOW, "scriptedStepMs": 0, "scriptedText": "a, b):\n    return a + b"})
    session.wait_ready()
    session.open(URI, "def add()\n")
    item = session.complete(URI, 0, 8)
    session.kill()
    assert item is not None
    assert item["insertText"] == "a, b):\n    return a + b"
    assert item["range"] == {"start": {"line": 0, "character": 8}, "end": {"line": 0, "character": 9}}


def test_a_crlf_document_gets_crlf_in_the_suggestion() -> None:
    session = Session.start()
    session.initialize({**SLOW, "scriptedStepMs": 0, "scriptedText": "a:\n    pass"})
    session.wait_ready()
    session.open(URI, "x\r\n\r\nif \r\n    if (:\r\n")
    item = session.complete(URI, 3, 9)
    session.kill()
    assert item is not None
    assert item["insertText"] == "a:\r\n    pass"


def test_every_message_on_stdout_is_lsp(slow: Session) -> None:
    for n in range(3):
        slow.complete(URI, 0, 4)
        slow.call("workspace/executeCommand", {"command": "midfill.nonsense", "arguments": [n]})
    assert slow.shut_down() == 0
    assert slow.stray_output == b""


def test_params_are_those_of_the_request_not_of_another(slow: Session) -> None:
    slow.open("file:///w/empty.py", "")
    assert slow.call("textDocument/inlineCompletion", inline_params("file:///w/none.py", 0, 0))["error"]
    assert slow.complete("file:///w/empty.py", 0, 0) is not None
