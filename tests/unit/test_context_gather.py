"""A gathering in a real folder: what reaches a prompt, what stays, and on which thread."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.server.completion.ahead import PrefillAhead
from midfill.server.context import keeper as keeper_module
from midfill.server.context.candidate import Source
from midfill.server.context.gather import Gatherer, Job
from midfill.server.context.keeper import ContextKeeper, Session
from midfill.server.text import new_snapshot
from midfill.server.uris import to_uri
from tests.cursor import parse
from tests.unit.fakes import TIMEOUT_S
from tests.unit.service_bench import PLAIN, Bench

CART = "class Cart:\n    def add(self, item: str, cents: int) -> None:\n        self.items = 1\n"
ALL_ON = replace(PLAIN, context_definitions="on", context_similar="on", context_edits="on")
ALIKE = "".join(f"cart_{i} = Cart()\ncart_{i}.add('apple', cents)\n" for i in range(9))
MAIN = "from cart import Cart\n\ncart = Cart()\ncart.║\n"


def job(folder: Path, picture: str, name: str = "main.py", language: str = "python", **more) -> Job:
    text, offset = parse(picture)
    snapshot = new_snapshot(to_uri(str(folder / name)), 1, language, text)
    return Job(snapshot, offset, (snapshot,), (str(folder),), **more)


def texts(found) -> str:
    return "\n".join(snippet.text for snippet in found.snippets)


def test_the_outline_of_what_a_name_near_the_cursor_means_is_shown(tmp_path):
    (tmp_path / "cart.py").write_text(CART)
    found = Gatherer().gather(job(tmp_path, MAIN))
    assert [snippet.path for snippet in found.snippets] == ["cart.py"]
    assert texts(found) == "class Cart:\n    def add(self, item: str, cents: int) -> None: ..."
    assert found.repository == tmp_path.name


def test_a_package_that_only_hands_a_name_on_leads_to_where_it_is_defined(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from .cart import Cart as Basket\n")
    (tmp_path / "shop" / "cart.py").write_text(CART)
    found = Gatherer().gather(job(tmp_path, "from shop import Basket as B\nb = B(║)\n"))
    assert [snippet.path for snippet in found.snippets] == ["shop/cart.py"]


SIBLINGS = {
    "typescript": (
        "main.ts",
        "import { f } from './q';\nf(║)\n",
        "q.ts",
        "export function f(a: number) {}\n",
    ),
    "javascript": ("main.js", "const q = require('./q');\nq.f(║)\n", "q.js", "function f(a) { }\n"),
    "java": ("Main.java", "class Main { Q q = new Q(║); }\n", "Q.java", "class Q { Q(int a) {} }\n"),
    "go": ("main.go", "package a\nfunc x() { F(║) }\n", "q.go", "package a\nfunc F(a int) {}\n"),
    "rust": ("src/main.rs", "mod q;\nuse q::f;\nfn m() { f(║) }\n", "src/q.rs", "pub fn f(a: u8) {}\n"),
    "c": ("main.c", '#include "q.h"\nint x = f(║);\n', "q.h", "int f(int a);\n"),
    "cpp": ("main.cpp", '#include "q.h"\nauto x = f(║);\n', "q.h", "int f(int a);\n"),
}


@pytest.mark.parametrize("language", SIBLINGS)
def test_definitions_are_found_in_every_language(tmp_path, language):
    own, picture, sibling, text = SIBLINGS[language]
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text("")
    (tmp_path / sibling).write_text(text)
    found = Gatherer().gather(job(tmp_path, picture, own, language))
    assert [snippet.path for snippet in found.snippets] == [sibling]


def test_each_source_can_be_off(tmp_path):
    (tmp_path / "cart.py").write_text(CART)
    asked = job(tmp_path, MAIN)
    other = new_snapshot(to_uri(str(tmp_path / "other.py")), 1, "python", ALIKE)
    asked = replace(asked, documents=(asked.snapshot, other))
    gatherer = Gatherer()
    gatherer.gather(asked)
    changed = replace(other, text=other.text + "\nedited = 1\n", version=2)
    asked = replace(asked, documents=(asked.snapshot, changed))
    found = {
        source: {piece.source for piece in gatherer.gather(replace(asked, sources=frozenset(on))).chosen}
        for source, on in {"all": Source, "none": (), **{one: (one,) for one in Source}}.items()
    }
    assert found == {"all": set(Source), "none": set(), **{one: {one} for one in Source}}


def test_in_one_line_the_choice_is_frozen_and_elsewhere_it_changes_when_clearly_beaten(tmp_path):
    (tmp_path / "q.py").write_text("".join(f"def f{i}(argument_{i}): ...\n" * 1 for i in range(60)))
    head = "from q import " + ", ".join(f"f{i}" for i in range(60)) + "\n"
    first = job(tmp_path, head + "\n" * 80 + "f1(║)\n")
    gatherer = Gatherer()
    chosen = gatherer.gather(first)
    assert "f1(" in texts(chosen)
    same_line = job(tmp_path, head + "\n" * 80 + "f1(), f59(║)\n", old=chosen)
    assert gatherer.gather(same_line).snippets == chosen.snippets
    elsewhere = job(tmp_path, head + "\n" * 160 + "f58(f57(f59(f56(║))))\n", old=chosen)
    assert "f59(" in texts(gatherer.gather(elsewhere))


def test_a_definition_that_changed_on_disk_is_shown_as_it_is_now(tmp_path):
    (tmp_path / "cart.py").write_text(CART)
    gatherer = Gatherer()
    chosen = gatherer.gather(job(tmp_path, MAIN))
    (tmp_path / "cart.py").write_text(CART.replace("cents", "price_in_cents"))
    assert "price_in_cents" in texts(gatherer.gather(job(tmp_path, MAIN, old=chosen)))


class Kept:
    """A keeper over a folder, its gatherings counted with the thread that they ran on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings, self.bench = folder, ALL_ON, Bench()
        self.threads: list[threading.Thread] = []
        self.keeper = ContextKeeper(self._session)
        self.changed: asyncio.Queue[str] = asyncio.Queue()
        self.keeper.on_ready = self.changed.put_nowait
        self.bench.service.asking.other_files = self.keeper
        gather = self.keeper._gatherer.gather

        def noted(asked: Job):
            self.threads.append(threading.current_thread())
            return gather(asked)

        self.keeper._gatherer = type("Noted", (), {"gather": staticmethod(noted)})()

    def _session(self) -> Session:
        return Session(self.bench.documents.all(), (str(self.folder),), self.settings, 2048)

    async def next_changed(self) -> str:
        """The next document whose prompts are others now."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.changed.get()

    def open(self, picture: str, name: str = "main.py") -> tuple[str, int]:
        uri = to_uri(str(self.folder / name))
        return uri, self.bench.open(picture, uri)

    def request(self, uri: str, offset: int):
        return self.bench.service.asking.request_at(self.bench.documents.snapshot(uri), offset)


@pytest.fixture
async def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper_module, "REST_S", 0.001)
    (tmp_path / "cart.py").write_text(CART)
    found = Kept(tmp_path)
    yield found
    found.keeper.close()


async def test_a_request_takes_what_is_ready_and_never_waits(kept: Kept):
    uri, offset = kept.open(MAIN)
    assert kept.request(uri, offset).snippets == ()  # nothing is ready: the request goes out without
    assert await kept.next_changed() == uri
    assert [snippet.path for snippet in kept.request(uri, offset).snippets] == ["cart.py"]
    assert threading.main_thread() not in kept.threads


async def test_a_prefill_ahead_shows_what_the_real_request_will(kept: Kept):
    uri, offset = kept.open(MAIN)
    ahead = PrefillAhead(kept.bench.service, kept.bench.host)
    ahead.document_changed(kept.bench.documents.snapshot(uri), offset)
    await kept.next_changed()
    ahead.other_files_changed(kept.bench.documents.snapshot(uri))
    prefilled = (await kept.bench.host.next_asked()).request
    assert prefilled.snippets == kept.request(uri, offset).snippets != ()


async def test_a_source_switched_off_is_gone_from_the_next_request_on(kept: Kept):
    uri, offset = kept.open(MAIN)
    await kept.keeper.gathered(kept.bench.documents.snapshot(uri), offset)
    assert kept.request(uri, offset).snippets != ()
    kept.settings = replace(ALL_ON, context_definitions="off")
    assert kept.request(uri, offset).snippets == ()


async def test_a_text_that_is_only_imagined_moves_no_cursor(kept: Kept):
    uri, offset = kept.open(MAIN)
    now = kept.bench.documents.snapshot(uri)
    await kept.keeper.gathered(now, offset)
    kept.bench.service.asking.request_at(replace(now, text=now.text + "accepted"), offset)
    assert kept.keeper._places[uri] == (now, offset)


class Heavy(str):
    """A text that may only be looked at off the event loop's thread."""

    def __getattribute__(self, name: str):
        assert threading.current_thread() is not threading.main_thread(), name
        return super().__getattribute__(name)

    def __getitem__(self, key):
        assert threading.current_thread() is not threading.main_thread(), "slices"
        return super().__getitem__(key)


async def test_invariant_4_the_loop_reads_nothing_of_a_file_of_10_000_lines(kept: Kept):
    """Work is counted, not time: on the loop's thread no method of the text is called at all."""
    uri, _ = kept.open("║")
    text = "from cart import Cart\n" + "cart = Cart()\n" * 10_000
    heavy = replace(kept.bench.documents.snapshot(uri), text=Heavy(text), line_starts=tuple(range(9)))
    kept.bench.documents._snapshots[uri] = heavy
    for offset in range(100):
        kept.keeper.touch(heavy, offset)
        kept.keeper.at(heavy, offset)
    found = await kept.keeper.gathered(heavy, 5)
    assert found.snippets != ()
    assert len(kept.threads) <= 2  # one for the rest, one that was waited for


async def test_a_gathering_that_fails_leaves_requests_as_they_were(kept: Kept):
    uri, offset = kept.open(MAIN)
    snapshot = kept.bench.documents.snapshot(uri)
    before = await kept.keeper.gathered(snapshot, offset)
    kept.keeper._gatherer = None
    assert await kept.keeper.gathered(snapshot, offset) == before


def test_what_the_settings_say_is_on():
    assert keeper_module.sources_on(replace(ALL_ON, context_edits="off")) == {
        Source.DEFINITIONS,
        Source.SIMILAR,
    }
