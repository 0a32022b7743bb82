"""Text from other files through LSP: what reaches a prompt, what never does, and how long it stays.

`explainLast` names the files, the scripted model counts what it was handed.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from midfill.server.uris import to_uri
from tests.e2e.conftest import SCRIPTED
from tests.session import TIMEOUT_S, Session

CART = "class Cart:\n    def add(self, item: str, cents: int) -> None:\n        self.items = 1\n"
HEAD = "".join(
    f"from {name} import Cart as {name.title()}\n" for name in ("ignored", "excluded", "outside")
)
MAIN = f"from cart import Cart\nfrom leading_out import Cart as Out\n{HEAD}\ncart = Cart()\n"
LINE = MAIN.count("\n")
PAUSE_S = 0.2
"""Longer than typing must rest for other files to be looked at (`keeper.REST_S`)."""
ALL_ON = dict.fromkeys(("contextDefinitions", "contextSimilar", "contextEdits"), "on")
OPTIONS = {**SCRIPTED, **ALL_ON, "exclude": ["**/excluded.py"], "scriptedText": "q", "writeAhead": "off"}


class Shop:
    """A folder with one file that may be read and one of each kind that may not, and a server on it."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder, self.version = session, folder / "shop", 1
        self.folder.mkdir()
        for name in ("cart", "ignored", "excluded"):
            (self.folder / f"{name}.py").write_text(CART)
        (folder / "outside.py").write_text(CART)
        (self.folder / "leading_out.py").symlink_to(folder / "outside.py")
        (self.folder / ".gitignore").write_text("ignored.py\n")
        self.outside = to_uri(str(folder / "outside.py"))
        self.uri = to_uri(str(self.folder / "main.py"))
        folders = [{"uri": to_uri(str(self.folder)), "name": "shop"}]
        session.initialize(OPTIONS, workspaceFolders=folders)
        session.wait_ready()
        for name in (".env.py", "ignored.py", "excluded.py"):
            session.open(to_uri(str(self.folder / name)), MAIN * 3)
        session.open(self.outside, MAIN * 3)
        session.open(self.uri, MAIN)

    def files(self, key: str = "x") -> list[str]:
        """What of other files the request behind the next key, typed into the last line, handed over.
        No key agrees with what was suggested, so each is a model call of its own."""
        self.session.insert(self.uri, self.version + 1, LINE, self.version - 1, key)
        self.version += 1
        assert self.session.complete(self.uri, LINE, self.version - 1) is not None
        call = {"command": "midfill.explainLast", "arguments": []}
        stages: list[dict[str, Any]] = self.session.call("workspace/executeCommand", call)["result"][
            "stages"
        ]
        assert "context" in [stage["stage"] for stage in stages], stages
        return [stage["said"].partition(":")[0] for stage in stages if stage["stage"] == "other file"]

    def files_once(self, wanted: bool) -> list[str]:
        """The same, once there are any, or none any more: typing pauses between one key and the next."""
        until = time.monotonic() + TIMEOUT_S
        while bool(found := self.files()) is not wanted:
            assert time.monotonic() < until, self.session.stderr()
            with contextlib.suppress(TimeoutError):
                self.session.next_message(PAUSE_S)
        return found


@pytest.fixture
def shop(session: Session, tmp_path: Path) -> Shop:
    return Shop(session, tmp_path)


def test_a_siblings_definition_reaches_the_prompt_and_what_may_not_be_read_never_does(shop: Shop) -> None:
    assert shop.files_once(True) == ["cart.py (definitions)"]


def test_the_same_text_goes_out_with_every_key(shop: Shop) -> None:
    first = shop.files_once(True)
    for key in "cart.add(item)":
        assert shop.files(key) == first


def test_a_source_is_switched_off_and_on_without_a_restart(shop: Shop) -> None:
    shop.files_once(True)
    for switch, there in (("off", False), ("on", True)):
        shop.session.notify(
            "workspace/didChangeConfiguration", {"settings": {"midfill": {"contextDefinitions": switch}}}
        )
        if switch == "off":
            assert shop.files() == []  # from the next request on
        shop.files_once(there)


def test_a_folder_that_leaves_the_workspace_is_read_no_more(shop: Shop) -> None:
    shop.files_once(True)
    folder = {"uri": to_uri(str(shop.folder)), "name": "shop"}
    event = {"event": {"added": [], "removed": [folder]}}
    shop.session.notify("workspace/didChangeWorkspaceFolders", event)
    assert shop.files() == []
