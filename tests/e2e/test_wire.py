"""Bad input on the wire: each has one clear outcome, and the server goes on (issue 2)."""

import pytest

from tests.e2e.conftest import SCRIPTED
from tests.messages import Message, change, frame, inline_params
from tests.session import INLINE_CAPABILITIES, Session

URI = "file:///w/a.py"
NO_CONTEXT = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}


def still_works(session: Session) -> None:
    session.open("file:///w/alive.py", "x = ")
    found = session.complete("file:///w/alive.py", 0, 4)
    assert found is not None
    assert found["insertText"] == "a + b"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        (
            "textDocument/inlineCompletion",
            {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}},
        ),
        ("textDocument/inlineCompletion", {}),
        ("textDocument/inlineCompletion", None),
        ("textDocument/inlineCompletion", [1, 2]),
        ("textDocument/inlineCompletion", {**inline_params(URI, 0, 0), "position": {"line": "x"}}),
        ("workspace/executeCommand", {"command": "midfill.nonsense"}),
        ("workspace/executeCommand", {"arguments": []}),
    ],
)
def test_a_request_with_invalid_params_is_answered_invalid_params(
    ready: Session, method: str, params: object
) -> None:
    assert ready.call(method, params)["error"]["code"] == -32602
    still_works(ready)


def test_a_params_object_with_a_key_called_jsonrpc_is_answered(ready: Session) -> None:
    ready.open(URI, "x = ")
    reply = ready.call("textDocument/inlineCompletion", {**inline_params(URI, 0, 4), "jsonrpc": "2.0"})
    assert reply["result"]["items"]


def test_an_unknown_method_is_answered_method_not_found(ready: Session) -> None:
    assert ready.call("textDocument/nonsense", {"a": 1})["error"]["code"] == -32601
    still_works(ready)


def test_an_unknown_notification_is_ignored(ready: Session) -> None:
    ready.notify("$/nonsense", {"a": 1})
    ready.notify("midfill/nonsense", None)
    still_works(ready)


@pytest.mark.parametrize("body", [b"{{{", b"", b"\xff\xfe", b"[1,2", b"nul"])
def test_garbage_json_is_answered_parse_error_with_a_null_id(ready: Session, body: bytes) -> None:
    ready.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert ready.reply(None)["error"]["code"] == -32700
    still_works(ready)


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b"{}", b'{"jsonrpc":"1.0","id":5,"method":"x"}'])
def test_json_that_is_no_json_rpc_is_answered_invalid_request(ready: Session, body: bytes) -> None:
    ready.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    reply = ready.wait_for(lambda m: m.get("error", {}).get("code") == -32600)
    assert reply["id"] == (5 if b'"id":5' in body else None)
    still_works(ready)


@pytest.mark.parametrize(
    "headers", [b"Nonsense\r\n\r\n", b"Content-Length: many\r\n\r\n", b"Content-Length: -4\r\n\r\n"]
)
def test_broken_headers_are_answered_parse_error(ready: Session, headers: bytes) -> None:
    ready.send_bytes(headers)
    assert ready.reply(None)["error"]["code"] == -32700
    still_works(ready)


def test_header_names_are_matched_in_any_case_and_order(ready: Session) -> None:
    body = frame({"jsonrpc": "2.0", "id": "x", "method": "foo/bar"}).partition(b"\r\n\r\n")[2]
    ready.send_bytes(
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-LENGTH:%d\r\n\r\n" % len(body)
        + body
    )
    assert ready.reply("x")["error"]["code"] == -32601  # type: ignore[arg-type]


def test_error_replies_carry_no_traceback_and_no_path(ready: Session) -> None:
    for method, params in [
        ("workspace/executeCommand", {"command": "midfill.nonsense"}),
        ("textDocument/inlineCompletion", inline_params("file:///never/opened.py", 0, 0)),
    ]:
        error = ready.call(method, params)["error"]
        assert "data" not in error
        assert "Traceback" not in error["message"]


def test_a_request_before_initialize_is_refused(session: Session) -> None:
    reply = session.call("textDocument/inlineCompletion", inline_params(URI, 0, 0))
    assert reply["error"]["code"] == -32002


def test_a_second_initialize_is_refused(ready: Session) -> None:
    assert ready.call("initialize", {"processId": None, "capabilities": {}})["error"]["code"] == -32600


def test_a_request_after_shutdown_is_refused_and_not_left_unanswered(ready: Session) -> None:
    ready.call("shutdown", None)
    assert ready.call("foo/bar", None)["error"]["code"] == -32600


def test_a_response_to_nothing_we_asked_is_ignored(ready: Session) -> None:
    ready.send({"id": 4711, "result": {"a": 1}}, {"id": "x", "error": {"code": 1, "message": "no"}})
    still_works(ready)


def test_a_cancel_for_an_unknown_request_is_ignored(ready: Session) -> None:
    ready.notify("$/cancelRequest", {"id": 4711})
    still_works(ready)


def test_a_change_in_the_same_packet_does_not_reach_into_the_request_before_it(ready: Session) -> None:
    """The request was asked of version 1 (invariant 2; over TCP pygls alone hands it version 2)."""
    ready.open(URI, "x = ")
    ready.send(
        {"id": 77, "method": "textDocument/inlineCompletion", "params": inline_params(URI, 0, 4)},
        change(URI, 2, 0, 0, "zzz"),
    )
    assert ready.reply(77)["result"] is None
    assert ready.text_of(URI) == {"version": 2, "text": "zzzx = "}


def test_a_close_in_the_same_packet_ends_the_request_with_null(ready: Session) -> None:
    ready.open(URI, "x = ")
    closed = {"method": "textDocument/didClose", "params": {"textDocument": {"uri": URI}}}
    request = {"id": 78, "method": "textDocument/inlineCompletion", "params": inline_params(URI, 0, 4)}
    ready.send(request, closed)
    assert ready.reply(78)["result"] is None


def test_what_was_shown_is_not_typed_on_where_a_change_in_the_same_packet_moved_the_cursor(
    ready: Session,
) -> None:
    ready.open(URI, "x = ")
    assert ready.complete(URI, 0, 4) is not None
    ready.insert(URI, 2, 0, 4, "a")
    request = {"id": 79, "method": "textDocument/inlineCompletion", "params": inline_params(URI, 0, 5)}
    ready.send(request, change(URI, 3, 0, 0, "# above\n"))
    assert ready.reply(79)["result"] is None


def test_json_nested_beyond_reason_is_answered_parse_error(ready: Session) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"x","params":%s%s}' % (b"[" * 100_000, b"]" * 100_000)
    ready.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert ready.reply(None)["error"]["code"] == -32700
    still_works(ready)


@pytest.mark.parametrize(
    "unknown",
    [
        {"documentSymbol": {"symbolKind": {"valueSet": [27]}}},
        {"publishDiagnostics": {"tagSupport": True}},
        {"semanticTokens": {"dynamicRegistration": True}},
    ],
)
def test_a_capability_of_the_client_that_is_not_known_is_no_error(
    session: Session, unknown: Message
) -> None:
    document = {**INLINE_CAPABILITIES["textDocument"], **unknown}
    session.initialize(SCRIPTED, capabilities={**INLINE_CAPABILITIES, "textDocument": document})
    assert "inlineCompletionProvider" in session.init["capabilities"]
    session.wait_ready()
    still_works(session)
    assert f"not known here: textDocument.{next(iter(unknown))}" in session.stderr()


@pytest.mark.parametrize("bad", [{"capabilities": 7}, {"capabilities": None}, {"workspaceFolders": 7}])
def test_an_initialize_that_cannot_be_read_otherwise_is_answered_invalid_params(
    session: Session, bad: Message
) -> None:
    sent = {"processId": None, "rootUri": None, "capabilities": {"window": 3}, **bad}
    assert session.call("initialize", sent)["error"]["code"] == -32602
    session.initialize(SCRIPTED)
    session.wait_ready()
    still_works(session)
