"""The suggestion after the one on the screen is written while the device is idle; nobody waits for it."""

import asyncio
from dataclasses import replace

import pytest

from midfill.model import CancelReason, FinishReason, Lane
from midfill.server.completion.look_ahead import AFTER_S
from midfill.server.completion.run import Source
from midfill.server.settings import Settings
from tests.unit.fakes import Asked
from tests.unit.service_bench import PLAIN, URI, Bench, ended, settled
from tests.unit.virtual import on_virtual_clock

AHEAD = replace(PLAIN, silences_off=("nearly-empty",), write_ahead="on")


async def looked_at(bench: Bench) -> None:
    await asyncio.sleep(AFTER_S + 0.01)


async def looking_ahead(picture: str, written: str) -> tuple[Bench, Asked]:
    """`written` is shown at `picture`, and looked at until what comes after it is asked for."""
    bench = Bench()
    bench.settings = AHEAD
    await bench.get(picture, written)
    await looked_at(bench)
    return bench, await bench.host.next_asked()


@on_virtual_clock
async def test_what_comes_after_an_accepted_line_is_there_when_enter_is_pressed():
    bench, ahead = await looking_ahead("    value = ║\nz\n", "compute()")
    assert (ahead.request.prefix, ahead.lane) == ("    value = compute()\n", Lane.AHEAD)
    ahead.answer("    return value")
    await settled()
    assert (await bench.get("    value = compute()║\nz\n")).reason == "after-accept"
    answer = await bench.get("    value = compute()\n    ║\nz\n")
    assert bench.shown(answer) == "    value = compute()\n    ├return value┤\nz\n"
    assert answer.source is Source.AHEAD


@on_virtual_clock
async def test_it_is_joined_where_it_is_still_being_written():
    bench, ahead = await looking_ahead("    value = ║\nz\n", "compute()")
    task = bench.ask(bench.type("    value = compute()\n    ║\nz\n"))
    await settled()
    ahead.answer("    return value")
    answer = await ended(task)
    assert (answer.suggestion.text, answer.source) == ("return value", Source.JOINED)
    assert len(bench.host.asked) == 2


@on_virtual_clock
async def test_one_that_is_joined_and_then_pre_empted_is_asked_for_again():
    bench, ahead = await looking_ahead("    value = ║\nz\n", "compute()")
    task = bench.ask(bench.type("    value = compute()\n║\nz\n"))
    ahead.answer("    ret", reason=FinishReason.CANCELLED, message="superseded")
    again = await bench.host.next_asked()
    assert (again.lane, again.request.prefix) == (Lane.FIM, ahead.request.prefix)
    again.answer("    return value")
    assert (await ended(task)).suggestion.text == "    return value"


@on_virtual_clock
async def test_there_is_one_for_each_suggestion_shown_and_none_while_anybody_waits():
    bench = Bench()
    bench.settings = AHEAD
    await bench.get("value = ║\n", "compute()")
    for picture in ("value = c║\n", "value = co║\n"):
        await looked_at(bench)
        assert (await bench.get(picture)).source is Source.TYPED_THROUGH
    await looked_at(bench)
    assert [asked.lane for asked in bench.host.asked] == [Lane.FIM, Lane.AHEAD]
    (await bench.host.next_asked()).answer("print()")
    await bench.get("value = cq║\n", "r()")
    bench.documents.open("file:///b.py", "python", 1, "other = ")
    waiting = bench.ask(8, "file:///b.py")
    await looked_at(bench)
    assert [asked.lane for asked in bench.host.asked[2:]] == [Lane.FIM, Lane.FIM]
    waiting.cancel()


@pytest.mark.parametrize(
    ("now", "goes_on"),
    [
        ("value = comp║\n", True),
        ("value = compute()║\n", True),
        ("value = x║\n", False),
        ("value =║\n", False),
    ],
)
@on_virtual_clock
async def test_it_ends_as_soon_as_nobody_can_come_to_it(now, goes_on):
    bench, ahead = await looking_ahead("value = ║\n", "compute()")
    bench.type(now)
    assert ahead.token.cancelled != goes_on


@on_virtual_clock
async def test_it_goes_on_while_a_bracket_that_the_editor_closed_waits_behind_what_is_typed():
    bench, ahead = await looking_ahead("value = f(║)\nz\n", "a, b)")
    assert ahead.request.prefix == "value = f(a, b)\n"
    for picture in ("value = f(a║)\nz\n", "value = f(a, b║)\nz\n", "value = f(a, b)║\nz\n"):
        bench.type(picture)
        assert not ahead.token.cancelled, picture
    ahead.answer("return value")
    answer = await bench.get("value = f(a, b)\n║\nz\n")
    assert bench.shown(answer) == "value = f(a, b)\n├return value┤\nz\n"


@pytest.mark.parametrize("why", ["contradicted", "off", "mid-line", "closed", "stopped"])
@on_virtual_clock
async def test_nothing_is_written_ahead(why):
    bench = Bench()
    bench.settings = replace(AHEAD, write_ahead="off") if why == "off" else AHEAD
    bench.settings = replace(bench.settings, silences_off=PLAIN.silences_off)
    await bench.get("value = (║, 1)\n" if why == "mid-line" else "value = ║\n", "compute()")
    if why == "contradicted":
        bench.type("value = x║\n")
    elif why == "closed":
        bench.documents.close(URI)
        bench.service.document_closed(URI)
    elif why == "stopped":
        bench.host.silence = "model-loading"
    await looked_at(bench)
    assert len(bench.host.asked) == 1


@on_virtual_clock
async def test_any_request_ends_it():
    bench, ahead = await looking_ahead("value = ║\n", "compute()")
    bench.documents.open("file:///b.py", "python", 1, "another = ")
    task = bench.ask(10, "file:///b.py")
    await settled()
    assert ahead.token.reason is CancelReason.SUPERSEDED
    task.cancel()


def test_the_defaults_write_ahead_and_draw_three():
    assert (Settings().write_ahead, Settings().candidates) == ("on", 3)
