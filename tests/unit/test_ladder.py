"""What is at hand comes first: typed through, kept, under way. Only then come silence and the debounce."""

import asyncio
from dataclasses import replace

import pytest

from midfill.model import CancelReason, Chunk, Finish, FinishReason
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.reuse import EMPTY_TTL_S, TTL_S
from midfill.server.completion.run import Source
from tests.unit.service_bench import PLAIN, URI, Bench, ended, settled
from tests.unit.virtual import on_virtual_clock

NEVER_MS = 3_600_000
SLOW = replace(PLAIN, debounce_ms=NEVER_MS)
"""Whatever is not at hand is never answered."""


# --- at hand --------------------------------------------------------------------------------------------


@on_virtual_clock
async def test_typing_through_and_back_asks_the_model_once_and_never_waits():
    bench = Bench()
    await bench.get("x = ║\n", "foo(a)")
    bench.settings = SLOW
    for picture, expected in (
        ("x = f║\n", "x = f├oo(a)┤\n"),
        ("x = fo║\n", "x = fo├o(a)┤\n"),
        ("x = f║\n", "x = f├oo(a)┤\n"),
        ("x = ║\n", "x = ├foo(a)┤\n"),
    ):
        answer = await bench.get(picture)
        assert (bench.shown(answer), answer.source) == (expected, Source.TYPED_THROUGH)
    assert len(bench.host.asked) == 1


@on_virtual_clock
async def test_a_slip_and_its_correction_cost_one_model_call():
    bench = Bench()
    await bench.get("x = ║\n", "foo(a)")
    await bench.get("x = q║\n", "uit()")
    bench.settings = SLOW
    answer = await bench.get("x = ║\n")
    assert (bench.shown(answer), answer.source) == ("x = ├foo(a)┤\n", Source.CACHE)
    assert bench.shown(await bench.get("x = f║\n")) == "x = f├oo(a)┤\n"


@on_virtual_clock
async def test_going_elsewhere_and_coming_back_finds_what_was_written():
    bench = Bench()
    await bench.get("x = ║\ny = 1\n", "foo(a)")
    await bench.get("x = \ny = 1║\n", "0")
    bench.settings = SLOW
    answer = await ended(bench.ask(4))
    assert (bench.shown(answer), answer.source) == ("x = ├foo(a)┤\ny = 1\n", Source.CACHE)


@on_virtual_clock
async def test_an_answer_that_nobody_was_shown_is_kept():
    bench = Bench()
    bench.settings = replace(PLAIN, debounce_ms=0)
    first = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    bench.type("x = f║\n")
    first.cancel()
    asked.answer("foo(a)")
    await settled()
    bench.settings = SLOW
    answer = await ended(bench.ask(5))
    assert (bench.shown(answer), answer.source) == ("x = f├oo(a)┤\n", Source.CACHE)


@on_virtual_clock
async def test_where_the_model_had_nothing_to_say_it_is_not_asked_again_at_once():
    bench = Bench()
    assert (await bench.get("x = ║\n", "")).reason == "empty"
    answer = await ended(bench.ask(4))
    assert (answer.reason, answer.source, len(bench.host.asked)) == ("empty", Source.CACHE, 1)
    by_hand = bench.ask(4, trigger=Trigger.INVOKED)
    (await bench.host.next_asked()).answer("1")
    assert (await ended(by_hand)).suggestion.text == "1"
    assert (await bench.get("y = ║\n", "")).reason == "empty"
    await asyncio.sleep(EMPTY_TTL_S)
    task = bench.ask(4)
    (await bench.host.next_asked()).answer("2")
    assert (await ended(task)).suggestion.text == "2"


@on_virtual_clock
async def test_what_was_shown_long_ago_is_asked_anew_unless_it_is_still_on_the_screen():
    bench = Bench()
    await bench.get("x = ║\n", "foo(a)")
    await asyncio.sleep(TTL_S)
    assert (await bench.get("x = f║\n")).source is Source.TYPED_THROUGH
    await bench.get("x = fq║\n", "uit()")
    assert (await bench.get("x = f║\n", "ar")).source is Source.MODEL


@on_virtual_clock
async def test_closing_a_document_forgets_what_was_written_for_it():
    bench = Bench()
    await bench.get("x = ║\n", "foo(a)")
    bench.documents.close(URI)
    bench.service.document_closed(URI)
    answer = await bench.get("x = ║\n", "other")
    assert (answer.suggestion.text, answer.source) == ("other", Source.MODEL)


# --- under way ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "fo", "foo(a"])
@on_virtual_clock
async def test_a_newer_request_takes_over_what_agrees_with_it_and_the_older_is_answered_at_once(before):
    bench = Bench()
    first = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    asked.deliver(Chunk(before))
    await settled()
    bench.settings = SLOW
    second = bench.ask(bench.type("x = foo║\n"))
    assert (await ended(first)).superseded
    assert not second.done()
    assert not asked.token.cancelled
    asked.answer("foo(a, b)".removeprefix(before))
    answer = await ended(second)
    assert (bench.shown(answer), answer.source) == ("x = foo├(a, b)┤\n", Source.JOINED)


@pytest.mark.parametrize("now", ["x = b║\n", "x =║\n", "x = ║z\n", "y = ║\n", "x = foo(a║)\n"])
@on_virtual_clock
async def test_what_contradicts_the_newer_request_ends(now):
    bench = Bench()
    first = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    asked.deliver(Chunk("foo("))
    await settled()
    second = bench.ask(bench.type(now))
    assert (await ended(first)).superseded
    assert asked.token.reason is CancelReason.SUPERSEDED
    (await bench.host.next_asked()).answer("1")
    assert (await ended(second)).source is Source.MODEL


@on_virtual_clock
async def test_what_turns_out_to_contradict_the_text_by_now_is_not_joined():
    bench = Bench()
    first = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    offset = bench.type("x = f║\n")
    asked.deliver(Chunk("bar"))
    await settled()
    second = bench.ask(offset)
    assert (await ended(first)).superseded
    assert asked.token.cancelled
    (await bench.host.next_asked()).answer("oo()")
    assert bench.shown(await ended(second)) == "x = f├oo()┤\n"


@pytest.mark.parametrize("written", ["bar", "f"])
@on_virtual_clock
async def test_one_that_joined_and_is_contradicted_is_asked_for_at_its_own_place(written):
    bench = Bench()
    bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    second = bench.ask(bench.type("x = fo║\n"))
    asked.deliver(Chunk(written))
    asked.deliver(Finish(FinishReason.EOT))
    await settled()
    assert asked.token.cancelled == (written == "bar"), "as soon as the first token is wrong"
    again = await bench.host.next_asked()
    assert again.request.prefix == "x = fo"
    again.answer("od()")
    answer = await ended(second)
    assert (bench.shown(answer), answer.source) == ("x = fo├od()┤\n", Source.MODEL)


@on_virtual_clock
async def test_a_client_that_cancels_at_every_key_still_gets_what_was_begun():
    bench = Bench()
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    for picture in ("x = f║\n", "x = fo║\n", "x = foo║\n"):
        offset = bench.type(picture)
        task.cancel()
        await settled()
        task = bench.ask(offset)
        await settled()
    asked.answer("foo(a)")
    assert bench.shown(await ended(task)) == "x = foo├(a)┤\n"
    assert len(bench.host.asked) == 1


@on_virtual_clock
async def test_a_cancel_without_a_change_ends_the_model_call():
    bench = Bench()
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    task.cancel()
    await settled()
    assert asked.token.reason is CancelReason.CLIENT


@on_virtual_clock
async def test_what_nobody_waits_for_makes_room_for_another_document():
    bench = Bench()
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    bench.type("x = f║\n")
    task.cancel()
    await settled()
    assert not asked.token.cancelled
    bench.documents.open("file:///b.py", "python", 1, "y = ")
    other = bench.ask(4, "file:///b.py")
    await settled()
    assert asked.token.reason is CancelReason.SUPERSEDED
    (await bench.host.next_asked()).answer("1")
    assert (await ended(other)).suggestion.text == "1"


@on_virtual_clock
async def test_a_deadline_holds_for_who_joins_too():
    bench = Bench()
    bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    second = bench.ask(bench.type("x = f║\n"), deadline_s=2.0)
    asked.deliver(Chunk("foo"))
    began = asyncio.get_running_loop().time()
    answer = await ended(second)
    assert (bench.shown(answer), asyncio.get_running_loop().time()) == ("x = f├oo┤\n", began + 2.0)
    asked.answer("(a)")
    await settled()
    assert bench.shown(await bench.get("x = fo║\n")) == "x = fo├o(a)┤\n", "not what the deadline cut"
