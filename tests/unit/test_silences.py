"""Silence at a place, in the order that it has: after what is at hand, before the model, never by hand."""

from dataclasses import replace

from midfill.model import FinishReason
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.run import Source
from tests.unit.service_bench import PLAIN, Bench, ended
from tests.unit.virtual import on_virtual_clock

AUTO = replace(PLAIN, silences_off=("nearly-empty",), debounce_ms=0)


@on_virtual_clock
async def test_a_vetoed_place_is_silent_by_itself_and_answers_by_hand():
    bench = Bench()
    bench.settings = AUTO
    offset = bench.open("value = com║pute(a)\n")
    answer = await ended(bench.ask(offset))
    assert (answer.reason, bench.host.asked) == ("mid-word", [])
    task = bench.ask(offset, trigger=Trigger.INVOKED)
    (await bench.host.next_asked()).answer("mit()")
    assert (await ended(task)).suggestion.text == "mit()"


@on_virtual_clock
async def test_secrets_are_silent_by_hand_too():
    bench = Bench()
    uri = "file:///w/.env"
    answer = await ended(bench.ask(bench.open("KEY=║", uri), uri, trigger=Trigger.INVOKED, candidates=3))
    assert (answer.reason, bench.host.asked) == ("secret-file", [])


@on_virtual_clock
async def test_deleting_past_a_suggestion_is_answered_from_what_is_at_hand_alone():
    bench = Bench()
    bench.settings = AUTO
    await bench.get("value = compute(║\n", "a, b)")
    for picture in ("value = compute║\n", "value = comput║\n"):
        assert (await bench.get(picture)).reason == "after-deletion"
    answer = await bench.get("value = compute║\n", "r()")
    assert (bench.shown(answer), answer.source) == ("value = compute├r()┤\n", Source.MODEL)
    answer = await bench.get("value = compute(║\n", "c)")
    assert answer.suggestion.text == "c)", "what was deleted into is not suggested again"


@on_virtual_clock
async def test_behind_an_accepted_line_nothing_new_is_suggested_until_something_is_typed():
    bench = Bench()
    bench.settings = AUTO
    await bench.get("value = ║\n", "compute()")
    assert (await bench.get("value = compute()║\n")).reason == "after-accept"
    answer = await bench.get("value = compute() ║\n", "+ 1")
    assert answer.suggestion.text == "+ 1"


@on_virtual_clock
async def test_a_line_that_ran_out_of_room_goes_on_when_it_is_accepted():
    bench = Bench()
    bench.settings = AUTO
    task = bench.ask(bench.open("value = ║\n"))
    (await bench.host.next_asked()).answer("[1, 2,", reason=FinishReason.LENGTH)
    await ended(task)
    assert (await bench.get("value = [1, 2,║\n", " 3]")).suggestion.text == " 3]"
