"""The completion menu's selected item: the answer begins with it, over the item's own range (LSP 3.18)."""

from dataclasses import replace

import pytest
from lsprotocol import types

from midfill.server.client import Client
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.run import Source
from midfill.server.completion.selected import Selected
from midfill.server.convert import selected_of, to_inline
from midfill.server.text import Encoding
from tests.unit.service_bench import PLAIN, URI, Bench, ended
from tests.unit.virtual import on_virtual_clock


def asked_with(bench: Bench, offset: int, item: str, start: int, end: int | None = None, **more):
    return bench.ask(offset, selected=Selected(start, offset if end is None else end, item), **more)


@pytest.mark.parametrize(
    ("picture", "item", "start", "prompt", "written", "after"),
    [
        ("x = pri║\n", "print", 4, "x = print", '("a")', 'x = ├print("a")┤\n'),
        ("x = ║\n", "print", 4, "x = print", "()", "x = ├print()┤\n"),
        ("x = print║\n", "print", 4, "x = print", "()", "x = ├print()┤\n"),
        ("os.pa║\n", ".path", 2, "os.path", ".join(a)", "os├.path.join(a)┤\n"),
        ("f(val║)\n", "value", 2, "f(value", ", 1)", "f(├value, 1)┤\n"),
        ("🦊(val║)\r\n", "value", 2, "🦊(value", ", 1)", "🦊(├value, 1)┤\r\n"),
    ],
)
@on_virtual_clock
async def test_the_model_is_asked_as_if_it_were_inserted(picture, item, start, prompt, written, after):
    bench = Bench()
    task = asked_with(bench, bench.open(picture), item, start)
    asked = await bench.host.next_asked()
    assert asked.request.prefix == prompt
    asked.answer(written)
    assert bench.shown(await ended(task)) == after


@on_virtual_clock
async def test_an_item_that_reaches_behind_the_cursor_replaces_that_too():
    bench = Bench()
    task = asked_with(bench, bench.open("x = pri║nt\n"), "print", 4, 9)
    (await bench.host.next_asked()).answer("(a)")
    answer = await ended(task)
    assert bench.shown(answer) == "x = ├print(a)┤\n"
    item = to_inline(bench.documents.snapshot(URI), answer.suggestion, Client())
    assert item.range == types.Range(types.Position(0, 4), types.Position(0, 9))


@pytest.mark.parametrize(
    ("picture", "item", "start", "end"),
    [
        ("x = prt║\n", "print", 4, 7),  # a fuzzy match
        ("x = pri║\n", "print", 5, 7),  # a range that begins elsewhere
        ("x = pri║\n", "print", 8, 8),
        ("x = pri║\n", "print", 2, 4),
        ("x = pri║\ny\n", "print", 4, 9),  # over a line end
    ],
)
@on_virtual_clock
async def test_an_item_that_cannot_be_extended_silences_all_but_requests_by_hand(picture, item, start, end):
    bench = Bench()
    bench.settings = replace(PLAIN, silences_off=("nearly-empty",))
    offset = bench.open(picture)
    answer = await ended(asked_with(bench, offset, item, start, end))
    assert (answer.suggestion, answer.reason) == (None, "popup-item")
    task = asked_with(bench, offset, item, start, end, trigger=Trigger.INVOKED)
    (await bench.host.next_asked()).answer("nt()")
    assert bench.shown(await ended(task)) == picture.replace("║", "├nt()┤")


@on_virtual_clock
async def test_typing_on_towards_the_item_joins_what_was_begun_and_then_finds_it_kept():
    bench = Bench()
    first = asked_with(bench, bench.open("x = pr║\n"), "print", 4)
    asked = await bench.host.next_asked()
    offset = bench.type("x = pri║\n")
    assert (await ended(first)).superseded, "its place is gone"
    second = asked_with(bench, offset, "print", 4)
    asked.answer("(a)")
    answer = await ended(second)
    assert (bench.shown(answer), answer.source) == ("x = ├print(a)┤\n", Source.JOINED)
    third = await ended(asked_with(bench, bench.type("x = prin║\n"), "print", 4))
    assert (bench.shown(third), third.source) == ("x = ├print(a)┤\n", Source.TYPED_THROUGH)
    accepted = await bench.get("x = print║\n")
    assert bench.shown(accepted) == "x = print├(a)┤\n"
    assert len(bench.host.asked) == 1


@on_virtual_clock
async def test_another_item_is_another_question():
    bench = Bench()
    offset = bench.open("x = pr║\n")
    first = asked_with(bench, offset, "print", 4)
    asked = await bench.host.next_asked()
    second = asked_with(bench, offset, "property", 4)
    assert (await ended(first)).superseded
    again = await bench.host.next_asked()
    assert asked.token.cancelled
    assert again.request.prefix == "x = property"
    again.answer("(f)")
    assert bench.shown(await ended(second)) == "x = ├property(f)┤\n"


@pytest.mark.parametrize("encoding", list(Encoding))
def test_its_range_is_read_in_the_negotiated_units(encoding):
    bench = Bench()
    offset = bench.open("🦊 = pri║\n")
    wide = {Encoding.UTF_8: 4, Encoding.UTF_16: 2, Encoding.UTF_32: 1}[encoding]
    there = types.Range(types.Position(0, wide + 3), types.Position(0, wide + 6))
    info = types.SelectedCompletionInfo(range=there, text="print")
    snapshot = bench.documents.snapshot(URI)
    assert selected_of(snapshot, info, encoding) == Selected(4, offset, "print")
    assert selected_of(snapshot, None, encoding) is None
