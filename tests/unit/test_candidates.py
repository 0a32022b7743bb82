"""Several suggestions to choose from, for a request by hand."""

import asyncio

import pytest

from midfill.model import Chunk, Finish, FinishReason
from midfill.server.completion.candidates import MORE_S, TEMPERATURES, drawn
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.run import Source
from tests.unit.fakes import Asked
from tests.unit.service_bench import Bench, ended, settled
from tests.unit.virtual import on_virtual_clock


def by_hand(bench: Bench, offset: int, count: int = 3):
    return bench.ask(offset, trigger=Trigger.INVOKED, candidates=count)


def answer(asked: Asked, text: str, logprob: float, reason: FinishReason = FinishReason.EOT) -> None:
    asked.deliver(Chunk(text, (logprob,)))
    asked.deliver(Finish(reason))


async def texts_of(task) -> list[str]:
    return [suggestion.text for suggestion in (await ended(task)).suggestions]


@on_virtual_clock
async def test_the_first_is_greedy_and_the_others_are_drawn_and_sorted_by_likelihood():
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"))
    answer(await bench.host.next_asked(), "foo()", -3.0)
    answer(await bench.host.next_asked(), "bar()", -2.0)
    answer(await bench.host.next_asked(), "baz()", -1.0)
    assert await texts_of(task) == ["foo()", "baz()", "bar()"]
    assert [asked.request.temperature for asked in bench.host.asked] == [0.0, *TEMPERATURES]


@on_virtual_clock
async def test_those_that_ran_out_of_room_come_last_and_no_text_comes_twice():
    bench = Bench()
    task = by_hand(bench, bench.open("f(║)\n"), 4)
    answer(await bench.host.next_asked(), "a)", -1.0)
    answer(await bench.host.next_asked(), "[1, 2", -1.0, FinishReason.LENGTH)
    answer(await bench.host.next_asked(), "a)  ", -1.0)  # the same after clean-up
    answer(await bench.host.next_asked(), "b)", -2.0)
    found = await ended(task)
    assert [(one.text, one.replace) for one in found.suggestions] == [("a)", 1), ("b)", 1), ("[1, 2", 0)]


@on_virtual_clock
async def test_the_others_are_worth_a_second_and_no_more():
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"))
    answer(await bench.host.next_asked(), "foo()", -1.0)
    answer(await bench.host.next_asked(), "bar()", -1.0)
    slow = await bench.host.next_asked()
    began = asyncio.get_running_loop().time()
    assert await texts_of(task) == ["foo()", "bar()"]
    assert asyncio.get_running_loop().time() == pytest.approx(began + MORE_S)
    assert slow.token.cancelled


@on_virtual_clock
async def test_what_is_at_hand_is_the_first_of_them_and_the_others_are_not_kept():
    bench = Bench()
    await bench.get("x = ║\n", "foo()")
    task = by_hand(bench, bench.type("x = f║\n"))
    answer(await bench.host.next_asked(), "unction()", -1.0)
    answer(await bench.host.next_asked(), "ilter()", -2.0)
    assert await texts_of(task) == ["oo()", "unction()", "ilter()"]
    bench.type("x = fq║\n")
    await bench.get("x = fq║\n", "r()")
    assert [one.text for one in (await bench.get("x = f║\n")).suggestions] == ["oo()"]


@on_virtual_clock
async def test_whichever_of_them_is_typed_is_typed_through():
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"))
    for text in ("foo()", "bar()", "baz()"):
        answer(await bench.host.next_asked(), text, -1.0)
    await ended(task)
    for picture, rest in (("x = ba║\n", "r()"), ("x = baz║\n", "()"), ("x = f║\n", "oo()")):
        found = await bench.get(picture)
        assert (found.suggestion.text, found.source) == (rest, Source.TYPED_THROUGH)


@on_virtual_clock
async def test_a_draw_may_find_something_where_the_likeliest_is_nothing():
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"), 2)
    answer(await bench.host.next_asked(), "", -1.0)
    answer(await bench.host.next_asked(), "foo()", -1.0)
    assert await texts_of(task) == ["foo()"]


@on_virtual_clock
async def test_typing_meanwhile_leaves_those_that_agree_or_ends_the_request():
    for typed, left in (("f", ["oo()", "ew()"]), ("q", None)):
        bench = Bench()
        task = by_hand(bench, bench.open("x = ║\n"))
        answer(await bench.host.next_asked(), "foo()", -1.0)
        answer(await bench.host.next_asked(), "bar()", -1.0)
        third = await bench.host.next_asked()
        bench.type(f"x = {typed}║\n")
        answer(third, "few()", -1.0)
        found = await ended(task)
        assert found.superseded == (left is None)
        assert [one.text for one in found.suggestions] == (left or [])


@on_virtual_clock
async def test_a_draw_is_not_what_a_later_request_gets():
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"))
    answer(await bench.host.next_asked(), "foo()", -1.0)
    draw = await bench.host.next_asked()
    newer = bench.ask(bench.type("x = b║\n"))
    assert (await ended(task)).superseded
    assert draw.token.cancelled
    answer(await bench.host.next_asked(), "ig()", -1.0)
    assert (await ended(newer)).source is Source.MODEL


@pytest.mark.parametrize("how", ["cancelled", "superseded"])
@on_virtual_clock
async def test_giving_up_ends_the_draw(how):
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"))
    answer(await bench.host.next_asked(), "foo()", -1.0)
    second = await bench.host.next_asked()
    if how == "cancelled":
        task.cancel()
    else:
        newer = bench.ask(4)
    await settled()
    assert second.token.cancelled
    assert task.cancelled() if how == "cancelled" else task.result().superseded
    if how == "superseded":
        assert (await ended(newer)).suggestion.text == "foo()"


@pytest.mark.parametrize("reason", [FinishReason.ERROR, FinishReason.CANCELLED])
@on_virtual_clock
async def test_a_model_that_fails_is_not_asked_for_more(reason):
    bench = Bench()
    task = by_hand(bench, bench.open("x = ║\n"))
    answer(await bench.host.next_asked(), "foo()", -1.0, reason)
    assert (await ended(task)).suggestions == ()
    assert len(bench.host.asked) == 1


def test_whoever_wants_more_than_there_are_temperatures_gets_more_of_the_last():
    from midfill.model import FimRequest

    assert [one.temperature for one in drawn(FimRequest("", ""), 4)] == [*TEMPERATURES, 0.8, 0.8]
    assert [one.temperature for one in drawn(FimRequest("", "", temperature=0.6), 2)] == [0.6, 0.8]
