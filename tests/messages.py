"""LSP messages for tests, as plain dicts, and their frames on the wire."""

import json
from typing import Any, BinaryIO

Message = dict[str, Any]


def frame(message: Message) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_frame(stream: BinaryIO) -> Message | None:
    """One message; None at the end. Raises ValueError for anything on the wire that is no frame."""
    length = None
    while (line := stream.readline()) != b"\r\n":
        if not line:
            return None
        name, separator, value = line.partition(b":")
        if not separator or not line.endswith(b"\r\n"):
            raise ValueError(f"not a header line: {line!r}")
        if name.lower() == b"content-length":
            length = int(value)
    if length is None:
        raise ValueError("a frame without Content-Length")
    message: Message = json.loads(stream.read(length))
    return message


def inline_params(uri: str, line: int, character: int, trigger: int = 1) -> Message:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": trigger},
    }


def change(uri: str, version: int, line: int, character: int, text: str) -> Message:
    """A didChange notification that inserts `text`."""
    place = {"line": line, "character": character}
    return {
        "method": "textDocument/didChange",
        "params": {
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"range": {"start": place, "end": place}, "text": text}],
        },
    }
