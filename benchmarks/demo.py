"""The main job, watched: real files, the default model behind the real server; what it suggests, how fast.

In each place the rest of the line is cut out of a real file, then the last characters before the cut are
typed key by key (didChange and a request for each, as VS Code does, which cancels the one before). The
time is from the last key to the suggestion. Leaves with 1 if fewer than five places, three languages or
any suggestion are missing.
"""

import bisect
import calendar
import heapq
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.session import Session

ROOT = Path(__file__).resolve().parent.parent
TYPED_KEYS = 4
KEY_PERIOD_S = 0.12
"""A quick typist: about 100 words a minute."""
READY_TIMEOUT_S = 300.0
"""The first start converts the model."""
console = Console(highlight=False, width=100)


@dataclass(frozen=True, slots=True)
class Place:
    language: str
    file: Path
    before: str
    """The line up to the cut: its first occurrence in the file counts."""
    until: str = "\n"
    """Where the cut ends: this text stays."""


def torch_file(name: str) -> Path:
    spec = find_spec("torch")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / name


PLACES = (
    Place("python", Path(heapq.__file__), "    _siftdown(heap, 0, "),
    Place("python", Path(calendar.__file__), "    return year % 4 == 0 and "),
    Place("python", Path(bisect.__file__), "        mid = (lo + "),
    Place("javascript", torch_file("utils/model_dump/code.js"), "      compr_size += "),
    Place("javascript", torch_file("utils/model_dump/code.js"), "    this.setState({shown: "),
    Place("cpp", torch_file("include/c10/util/Bitset.h"), "    bitset_ &= "),
    Place("lua", ROOT / "editors/nvim/lsp/midfill.lua", "      params.initializationOptions = "),
    Place("python", Path(calendar.__file__), '    Assume y1 <= y2."""\n    ', until="\n\n\ndef"),
)


def main() -> int:
    session = Session.start("--log-level", "error")
    try:
        start = time.perf_counter()
        session.initialize({})
        if not _wait_ready(session):
            return 1
        console.print(f"ready {time.perf_counter() - start:.1f} s after the start of the server\n")
        shown = [place.language for place in PLACES if _show(session, place)]
    finally:
        session.kill()
    console.print(f"{len(shown)} suggestions in {len(set(shown))} languages")
    return 0 if len(shown) >= 5 and len(set(shown)) >= 3 else 1


def _wait_ready(session: Session) -> bool:
    """Say what the server says it is doing until it is ready."""
    said = ""
    while True:
        status = session.wait_for(lambda m: m.get("method") == "midfill/status", READY_TIMEOUT_S)["params"]
        if status["state"] in ("ready", "failed", "off"):
            console.print(f"{status['state']}: {status['model'] or status['reason']}")
            return bool(status["state"] == "ready")
        line = f"{status['state']}: {status['reason']}"
        if line != said:
            console.print(line)
            said = line


def _show(session: Session, place: Place) -> bool:
    """Type at one place and print what comes; False when nothing comes."""
    if not place.file.exists():
        console.print(f"{place.file.name} is not here; left out\n")
        return False
    text = place.file.read_text(encoding="utf-8")
    cut = text.index(place.before) + len(place.before)
    truth = text[cut : text.index(place.until, cut)]
    typed = place.before.rpartition("\n")[2][-TYPED_KEYS:] if place.before.strip() else ""
    head, tail = text[: cut - len(typed)], text[cut + len(truth) :]
    uri = place.file.as_uri()
    session.open(uri, head + tail, place.language)
    line, column = head.count("\n"), len(head) - head.rfind("\n") - 1
    request = 0
    for n, key in enumerate(typed):
        if request:
            session.notify("$/cancelRequest", {"id": request})
        session.insert(uri, n + 2, line, column + n, key)
        sent = time.perf_counter()
        request = session.ask(uri, line, column + n + 1, trigger=2)
        if n + 1 < len(typed):
            time.sleep(KEY_PERIOD_S)
    reply = session.reply(request)
    session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    items = reply["result"]["items"] if reply.get("result") else []
    _print(place, line, typed, items[0]["insertText"] if items else "", truth, reply["_at"] - sent)
    return bool(items)


def _print(place: Place, line: int, typed: str, suggested: str, truth: str, seconds: float) -> None:
    name = "/".join(place.file.parts[-2:])
    console.print(Text(f"{name}:{line + 1}  ({place.language}, {seconds * 1000:.0f} ms)", style="bold"))
    shown = place.before.rpartition("\n")[2]
    body = Text("  " + shown[: len(shown) - len(typed)])
    body.append(typed, style="underline")
    body.append(suggested.replace("\n", "\n  ") or "(nothing)", style="green")
    console.print(body)
    if suggested.strip() == truth.strip():
        console.print(Text("  exactly what stands in the file", style="dim"))
    else:
        console.print(
            Text("  in the file: " + truth.strip().replace("\n", "\n               "), style="dim")
        )
    console.print()


if __name__ == "__main__":
    sys.exit(main())
