"""What of a client's capabilities is taken where lsprotocol would take none."""

from dataclasses import replace
from typing import Any

import pytest
from lsprotocol import types
from pygls.protocol import default_converter

from midfill.server.client import Client, read_client
from midfill.server.client_capabilities import readable_part

GOOD: dict[str, Any] = {
    "textDocument": {
        "inlineCompletion": {"dynamicRegistration": True},
        "completion": {
            "completionItem": {
                "documentationFormat": ["markdown"],
                "insertTextModeSupport": {"valueSet": [1, 2]},
                "tagSupport": {"valueSet": [1]},
            }
        },
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["refactor", "odd"]}}},
        "documentSymbol": {"symbolKind": {"valueSet": [1, 26]}},
    },
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename"],
            "changeAnnotationSupport": {},
        },
    },
    "window": {"workDoneProgress": True},
    "general": {"positionEncodings": ["utf-8", "utf-7"]},
    "experimental": {"anything": [{}, None, 3]},
    "later": {"than": "this server"},
}
STRUCTURE = default_converter().structure


def part(capabilities: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    return readable_part(capabilities, lambda some: STRUCTURE(some, types.ClientCapabilities))


def client(capabilities: dict[str, Any]) -> Client:
    found = STRUCTURE(capabilities, types.ClientCapabilities)
    return read_client(types.InitializeParams(found), "utf-16")


def changed(value: Any, path: str, new: Any) -> Any:
    """`value` with `new` at `path`, where nothing need be yet."""
    key, _, rest = path.partition(".")
    inner = changed(value.get(key, {}), rest, new) if rest else new
    return {**value, key: inner}


def test_what_can_be_read_is_handed_on_as_it_is():
    assert part(GOOD)[0] is GOOD
    assert part({}) == ({}, [])


@pytest.mark.parametrize(
    ("path", "new", "left", "out"),
    [
        ("textDocument.documentSymbol.symbolKind.valueSet", [1, 27, 26, "x"], [1, 26], ".1"),
        (
            "textDocument.publishDiagnostics",
            {"tagSupport": True, "versionSupport": True},
            None,
            ".tagSupport",
        ),
        ("textDocument.semanticTokens", {"dynamicRegistration": True}, None, ""),
        ("textDocument.semanticTokens", 7, None, ""),
        ("textDocument.rename", {"prepareSupportDefaultBehavior": 9, "prepareSupport": True}, None, None),
        ("textDocument.foldingRange.rangeLimit", -1, None, None),
        ("textDocument.completion.completionItem.resolveSupport", {}, None, ""),
        ("textDocument.completion.completionItem.tagSupport", {"valueSet": 5}, None, None),
        ("workspace.workspaceEdit.failureHandling", "x", None, ""),
        ("workspace.symbol", {"symbolKind": {"valueSet": [99]}}, {"symbolKind": {"valueSet": []}}, None),
        ("notebookDocument", {}, None, ""),
        ("window.showMessage", 7, None, ""),
    ],
)
def test_one_value_that_is_not_known_takes_nothing_else_with_it(path, new, left, out):
    taken, names = part(changed(GOOD, path, new))
    assert client(taken) == client(GOOD)
    assert names
    assert all(name.startswith(path.rpartition(".")[0]) for name in names)
    if out is not None:
        assert names[0] == path + out
    if left is not None:
        assert taken == changed(GOOD, path, left)


def test_a_part_that_the_server_reads_loses_only_what_it_cannot_read():
    edits = "workspace.workspaceEdit.resourceOperations"
    taken, names = part(changed(GOOD, edits, ["create", "snippet"]))
    assert taken == changed(GOOD, edits, ["create"])
    assert names == [f"{edits}.1"]
    assert not client(part(changed(GOOD, edits, ["snippet"]))[0]).create_files
    taken, _ = part(changed(GOOD, "textDocument.inlineCompletion", True))
    assert client(taken) == replace(client(GOOD), inline_completion=False)


def test_many_at_once_are_left_out_and_what_was_sent_stays_as_it_was():
    sent = changed(changed(GOOD, "textDocument.semanticTokens", {}), "window", 3)
    sent = changed(sent, "textDocument.completion.completionItem.tagSupport.valueSet", [1, 7, 8, 9])
    before = repr(sent)
    taken, names = part(sent)
    assert repr(sent) == before
    assert len(names) == 5
    assert client(taken) == replace(client(GOOD), progress=False)


def test_what_is_deeper_than_anybody_can_follow_is_not_looked_into():
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    taken, names = part({"experimental": deep, "window": 3})
    assert taken["experimental"] is deep
    assert names == ["window"]


def test_an_error_that_says_nothing_of_its_place_is_raised_again_by_who_structures():
    def refuse(some: dict[str, Any]) -> None:
        raise ValueError

    assert readable_part({"window": {}}, refuse) == ({"window": {}}, [])
