"""Tasks filled by the real server over LSP, as an editor's user would by asking for a suggestion."""

import re
from typing import Any

from benchmarks.infill.tasks import Task
from tests.session import Session

SETTINGS = {"candidates": 1, "writeAhead": "off", "logLevel": "info"}
"""Nothing is looked at here, so nothing is written ahead of it."""
LOAD_S = 600.0
ANSWER_S = 120.0
ENDED = re.compile(r"\bend=(\w+)")
REASON = re.compile(r"fim v=\d+ [^:]+: ([^ ]+)")
BY_LENGTH = "length"


class Served:
    """One server with the default model. `close` it."""

    def __init__(self, settings: dict[str, Any] | None = None) -> None:
        self._session = Session.start("--log-level", "error")
        self._session.initialize({**SETTINGS, **(settings or {})})
        status = self._session.wait_ready(LOAD_S)
        if status["state"] != "ready":
            raise RuntimeError(f"the server has no model: {status}")
        self.model = status["model"]
        self._count = 0

    def close(self) -> None:
        self._session.kill()

    def fill(self, task: Task) -> dict[str, Any]:
        """`document` with the suggestion accepted; `shown`: whether there was one; `end`: what ended the
        model's answer (`eot`, `stop`, `length`), or why there was none.
        """
        session = self._session
        self._count += 1
        uri = f"file:///w/{self._count}.py"
        session.inbox.clear()
        session.open(uri, task.document)
        asked = session.ask(uri, *task.cursor)
        result = session.reply(asked, ANSWER_S)["result"]
        items = result["items"] if result else []
        said = session.wait_for(_tells_of_a_request, ANSWER_S)["params"]["message"]
        session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        ended, reason = ENDED.search(said), REASON.search(said)
        end = ended[1] if ended else reason[1] if reason else ""
        document = accepted(task.document, items[0], task.cursor) if items else task.document
        return {"document": document, "shown": bool(items), "end": end}


def _tells_of_a_request(message: dict[str, Any]) -> bool:
    return message.get("method") == "window/logMessage" and "fim v=" in message["params"]["message"]


def accepted(document: str, item: dict[str, Any], cursor: tuple[int, int]) -> str:
    """The document after the editor has put `item` in its place."""
    place = {"line": cursor[0], "character": cursor[1]}
    found = item.get("range") or {"start": place, "end": place}
    start, end = (offset_in(document, found[side]) for side in ("start", "end"))
    text: str = item["insertText"]
    return document[:start] + text + document[end:]


def offset_in(document: str, position: dict[str, int]) -> int:
    """Code points before an LSP position in UTF-16; `document` has no line ends but `\\n`."""
    above = document.split("\n")[: position["line"]]
    line = document.split("\n")[position["line"]]
    part = line.encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le")
    return sum(len(text) + 1 for text in above) + len(part)


def filled(task: Task, document: str) -> str | None:
    """What stands in the hole now; None if the text around it was changed."""
    if len(document) < len(task.document):
        return None
    if not (document.startswith(task.before) and document.endswith(task.behind)):
        return None
    return document[len(task.before) : len(document) - len(task.behind)]


def exact(task: Task, document: str) -> bool:
    """To the character, but for line ends at the end."""
    text = filled(task, document)
    return text is not None and text.rstrip("\n") == task.gold.rstrip("\n")
