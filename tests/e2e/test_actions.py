"""Code actions over LSP: offered, run, shown, cancelled, applied; with the scripted model."""

from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

from tests.e2e.conftest import SCRIPTED, document
from tests.messages import Message
from tests.session import INLINE_CAPABILITIES, Session

URI = "file:///w/a.py"
TEXT = "é = '😀'\n\n\ndef f(a):\n    pass\n"
ANSWERS = {**SCRIPTED, "scriptedAnswers": ["Do it.", "A thing to do."]}
DOCSTRING = '\n    """Do it.\n\n    Args:\n        a: A thing to do.\n    """'
CAPABILITIES = {
    **INLINE_CAPABILITIES,
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
    },
    "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}},
}
AT_F = {"start": {"line": 4, "character": 4}, "end": {"line": 4, "character": 4}}


@pytest.fixture
def acting(session: Session) -> Session:
    """A client that takes edits; the document is open."""
    session.answers["workspace/applyEdit"] = {"applied": True}
    begin(session, ANSWERS)
    return session


def begin(session: Session, options: Message, capabilities: Message = CAPABILITIES) -> None:
    session.initialize(options, capabilities)
    assert session.wait_ready()["state"] == "ready"
    session.open(URI, TEXT)


def offered(session: Session, place: Message = AT_F, **context: Any) -> list[Message]:
    params = {"textDocument": {"uri": URI}, "range": place, "context": {"diagnostics": [], **context}}
    found: list[Message] = session.call("textDocument/codeAction", params)["result"]
    return found


def choose(session: Session, action: Message) -> Message:
    return session.call("workspace/executeCommand", action["command"])


def method(name: str) -> Any:
    return lambda message: message.get("method") == name


def test_the_server_declares_its_kinds_and_no_resolve(acting: Session) -> None:
    declared = acting.init["capabilities"]["codeActionProvider"]
    assert not declared.get("resolveProvider")
    assert declared["codeActionKinds"] == [
        "refactor.rewrite.midfill.docstring",
        "refactor.rewrite.midfill.unitTests",
        "refactor.rewrite.midfill.explain",
    ]


def test_an_offer_names_the_function_and_a_command(acting: Session) -> None:
    action, tests = offered(acting, triggerKind=1)
    assert tests["title"] == "Midfill: write unit tests for `f`"
    assert action["title"] == "Midfill: write the docstring of `f`"
    assert action["kind"] == "refactor.rewrite.midfill.docstring"
    assert action["command"]["command"] == "midfill.docstring"
    assert "edit" not in action


@pytest.mark.parametrize(
    ("context", "count"),
    [
        ({}, 2),
        ({"triggerKind": 2}, 0),
        ({"only": ["refactor"]}, 2),
        ({"only": ["refactor.rewrite"]}, 2),
        ({"only": ["quickfix", "refactor.rewrite.midfill.docstring"]}, 1),
        ({"only": [""]}, 2),
        ({"only": []}, 0),
        ({"only": ["quickfix"]}, 0),
        ({"only": ["refactor.rewrite.mid"]}, 0),
        ({"only": ["source"]}, 0),
    ],
)
def test_only_what_is_asked_for_is_offered(acting: Session, context: Message, count: int) -> None:
    assert len(offered(acting, **context)) == count


def test_a_selection_is_offered_an_explanation_too(acting: Session) -> None:
    whole = {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 0}}
    kinds = [action["kind"].rpartition(".")[2] for action in offered(acting, whole)]
    assert kinds == ["docstring", "unitTests", "explain"]


def test_the_command_is_answered_at_once_and_the_edit_comes_with_its_version(acting: Session) -> None:
    assert choose(acting, offered(acting)[0])["result"] is None
    params = acting.wait_for(method("workspace/applyEdit"))["params"]
    (change,) = params["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 1}
    (edit,) = change["edits"]
    place = {"line": 3, "character": 9}
    assert (edit["range"], edit["newText"]) == ({"start": place, "end": place}, DOCSTRING)
    assert params["edit"]["changeAnnotations"][edit["annotationId"]]["label"] == "Midfill: docstring of f"


def test_progress_begins_cancellable_tells_and_ends(acting: Session) -> None:
    choose(acting, offered(acting)[0])
    token = ""
    kinds = []
    while "end" not in kinds:
        params = acting.wait_for(method("$/progress"))["params"]
        if params["value"].get("title", "").startswith("Midfill: write the docstring"):
            token = params["token"]
            assert params["value"]["cancellable"] is True
        if params["token"] == token:
            kinds.append(params["value"]["kind"])
    assert kinds[0] == "begin"


def test_a_client_without_versions_gets_plain_changes(session: Session) -> None:
    session.answers["workspace/applyEdit"] = {"applied": True}
    begin(session, ANSWERS, {"workspace": {"applyEdit": True}})
    command = offered(session)[0]
    assert command["command"] == "midfill.docstring", "a bare command: it takes no literals"
    session.call("workspace/executeCommand", {k: command[k] for k in ("command", "arguments")})
    edit = session.wait_for(method("workspace/applyEdit"))["params"]["edit"]
    assert edit["changes"][URI][0]["newText"] == DOCSTRING
    assert "documentChanges" not in edit


def test_the_client_cancels_by_the_progress_token(session: Session) -> None:
    session.answers["workspace/applyEdit"] = {"applied": True}
    begin(session, {**ANSWERS, "scriptedAnswers": ["on and on " * 500], "scriptedStepMs": 20})
    choose(session, offered(session)[0])
    found = session.wait_for(lambda m: m.get("params", {}).get("value", {}).get("cancellable"))
    token = found["params"]["token"]
    session.notify("window/workDoneProgress/cancel", {"token": token})
    ended = session.wait_for(
        lambda m: (
            m.get("params", {}).get("value", {}).get("kind") == "end" and m["params"]["token"] == token
        )
    )
    assert ended["params"]["value"]["message"] == "cancelled"
    assert session.text_of(URI) == {"version": 1, "text": TEXT}
    assert not any(method("workspace/applyEdit")(message) for message in session.inbox)


def test_a_client_that_rejects_the_edit_is_told_why(acting: Session) -> None:
    acting.answers["workspace/applyEdit"] = {"applied": False, "failureReason": "busy"}
    choose(acting, offered(acting)[0])
    shown = acting.wait_for(method("window/showMessage"))["params"]
    assert shown["message"] == "Midfill: the editor did not take the edit: busy"


@pytest.mark.parametrize(
    ("command", "arguments", "word"),
    [
        ("midfill.docstring", [URI, {"line": 0, "character": 0}], "nothing here"),
        ("midfill.docstring", ["file:///w/other.py", AT_F], "not open"),
        ("midfill.unitTests", [URI, {"line": 0, "character": 0}], "nothing here"),
    ],
)
def test_a_command_that_cannot_run_says_so(
    acting: Session, command: str, arguments: list[Any], word: str
) -> None:
    acting.call("workspace/executeCommand", {"command": command, "arguments": arguments})
    assert word in acting.wait_for(method("window/showMessage"))["params"]["message"]


@pytest.mark.parametrize("arguments", [[], [URI], [URI, 7], [URI, {"start": 1}], [1, 2, 3]])
def test_bad_arguments_are_invalid_params(acting: Session, arguments: list[Any]) -> None:
    params = {"command": "midfill.docstring", "arguments": arguments}
    assert acting.call("workspace/executeCommand", params)["error"]["code"] == -32602


async def test_every_editors_profile_gets_an_answer_that_the_specification_allows(
    editor: LanguageClient,
) -> None:
    editor.text_document_did_open(document(TEXT))
    place = types.Range(types.Position(4, 4), types.Position(4, 4))
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(URI), place, types.CodeActionContext(diagnostics=[])
    )
    found = await editor.text_document_code_action_async(params)
    assert found is not None
    whats = ["write the docstring of `f`", "write unit tests for `f`"]
    assert [action.title for action in found] == [f"Midfill: {what}" for what in whats]
