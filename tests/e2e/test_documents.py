"""Odd and huge documents over the wire: exact text, an answer, no crash (issue 2, "Bad input")."""

import pytest

from tests.session import Session

URI = "file:///w/a.py"
MARKERS = "<|fim_prefix|><|fim_middle|></s>▁<MID><|endoftext|>"


@pytest.mark.parametrize(
    ("text", "line", "character"),
    [
        ("", 0, 0),
        ("", 99, 99),
        ("x", 0, 1),
        ("x = 1\n", 0, 0),
        ("no newline at the end", 0, 21),
        ("a\nb\n", 2, 0),
        ("a\nb", 1, 4000),
        ("a\nb", 4000, 0),
        ("\x0c\x0b\x1c\x85\u2028\u2029", 0, 6),
        ("a\rb\r\nc\n", 3, 0),
        (MARKERS, 0, 10),
        ("\x00\x01\x02\x7f\x80 binary", 0, 3),
        ("😀" * 10, 0, 7),
        ("﻿# byte order mark\n", 1, 0),
        ("\ud800 lone \udfff surrogates", 0, 3),
        ('def f(x):\n    """A \ud83d."""\n    ', 2, 4),
    ],
)
def test_every_place_in_every_text_is_answered(
    ready: Session, text: str, line: int, character: int
) -> None:
    ready.open(URI, text)
    reply = ready.reply(ready.ask(URI, line, character))
    assert "result" in reply
    assert ready.text_of(URI) == {"version": 1, "text": text}


def test_a_five_megabyte_file_is_opened_edited_and_completed_in(ready: Session) -> None:
    line = "value = compute(value, 12345678)\n"
    text = line * (5 * 1024 * 1024 // len(line))
    last = text.count("\n")
    ready.open(URI, text)
    ready.insert(URI, 2, last // 2, 0, "😀")
    ready.insert(URI, 3, last, 0, "x = ")
    item = ready.complete(URI, last, 4)
    assert item is not None
    found = ready.text_of(URI)
    assert found is not None
    assert len(found["text"]) == len(text) + 5
    assert found["text"].endswith("\nx = ")


def test_one_line_of_a_megabyte_is_completed_in(ready: Session) -> None:
    text = "x = [" + "1234567, " * (1024 * 1024 // 9)
    ready.open(URI, text)
    item = ready.complete(URI, 0, len(text))
    assert item is not None
    assert item["range"]["start"] == {"line": 0, "character": len(text)}


def test_a_document_never_opened_is_an_error_for_a_request_and_none_for_the_server(ready: Session) -> None:
    assert ready.reply(ready.ask("file:///w/never.py", 0, 0))["error"]["code"] == -32602
    ready.insert("file:///w/never.py", 2, 0, 0, "x")
    ready.notify("textDocument/didClose", {"textDocument": {"uri": "file:///w/never.py"}})
    assert ready.text_of("file:///w/never.py") is None
    ready.open(URI, "x = ")
    assert ready.complete(URI, 0, 4) is not None


def test_a_full_text_change_and_several_changes_at_once_apply_in_order(ready: Session) -> None:
    ready.open(URI, "old")
    first, second = {"line": 0, "character": 1}, {"line": 1, "character": 0}
    changes = [
        {"text": "ab\nc"},
        {"range": {"start": first, "end": second}, "text": "😀"},
        {"range": {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 3}}, "text": "!"},
    ]
    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}
    ready.notify("textDocument/didChange", params)
    assert ready.text_of(URI) == {"version": 2, "text": "a😀!c"}


def test_reopening_starts_over(ready: Session) -> None:
    ready.open(URI, "one")
    ready.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    ready.open(URI, "two", version=9)
    assert ready.text_of(URI) == {"version": 9, "text": "two"}


@pytest.mark.parametrize("uri", ["output:tasks", "git:/w/a.py", "chat://box/1"])
def test_what_is_no_file_gets_no_suggestion(ready: Session, uri: str) -> None:
    ready.open(uri, "x = ")
    assert ready.complete(uri, 0, 4) is None


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "file:///w/with%20space/ü.py", "file:///c%3A/x.py"])
def test_untitled_and_oddly_named_files_get_suggestions(ready: Session, uri: str) -> None:
    ready.open(uri, "x = ")
    assert ready.complete(uri, 0, 4) is not None
