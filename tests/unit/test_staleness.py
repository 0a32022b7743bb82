"""Invariant 2: an answer belongs to the document as it is when the answer leaves."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midfill.model import CancelReason, Chunk
from midfill.server.completion.cursor import normalize
from midfill.server.completion.run import Answer, Source
from tests.unit.fakes import TIMEOUT_S
from tests.unit.service_bench import URI, Bench, ended


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        ("x = ║\n", "x = f║\n", "x = f├oo(a, b)┤\n"),
        ("x = ║\n", "x = foo(║\n", "x = foo(├a, b)┤\n"),
        ("print(║)\n", "print(foo║)\n", "print(foo├(a, b)┤)\n"),
        ("x = 1\r\ny = ║\r\n", "x = 1\r\ny = fo║\r\n", "x = 1\r\ny = fo├o(a, b)┤\r\n"),
        ("'🦊', ║", "'🦊', foo║", "'🦊', foo├(a, b)┤"),
    ],
)
async def test_invariant_2_typing_that_agrees_gets_the_rest_at_the_present_cursor(
    bench, before, typed, after
):
    task = bench.ask(bench.open(before))
    asked = await bench.host.next_asked()
    bench.type(typed)
    assert not asked.token.cancelled
    asked.answer("foo(a, b)")
    assert bench.shown(await ended(task)) == after


async def test_invariant_2_a_typed_line_end_agrees_in_a_crlf_document(bench):
    task = bench.ask(bench.open("def f():║\r\nx"))
    asked = await bench.host.next_asked()
    bench.type("def f():\r\n    ret║\r\nx")
    asked.answer("\n    return 1")
    assert bench.shown(await ended(task)) == "def f():\r\n    ret├urn 1┤\r\nx"


async def heard(bench: Bench, asked, text: str) -> None:
    """The model wrote `text`, and the service knows it."""
    asked.deliver(Chunk(text))
    decode = bench.service._tracks[URI].run.decode
    async with asyncio.timeout(TIMEOUT_S):
        while decode.text != text:  # noqa: ASYNC110 - a loop turn or two
            await asyncio.sleep(0)


@pytest.mark.parametrize("typed", ["y = ║\n", "x =║\n", "x = ║\nmore", "x = b║\n", "x = foo()║\n"])
async def test_invariant_2_a_change_that_contradicts_what_is_written_ends_the_request_at_once(bench, typed):
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    await heard(bench, asked, "foo(a")
    bench.type(typed)
    assert (await ended(task)).superseded
    assert asked.token.reason is CancelReason.SUPERSEDED


@pytest.mark.parametrize("typed", ["x = ║\n", "x = fo║\n", "x = foo(a║\n", "x = foo(a, b║\n"])
async def test_a_change_that_agrees_with_what_is_written_lets_the_request_run(bench, typed):
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    await heard(bench, asked, "foo(a")
    bench.type(typed)
    assert not asked.token.cancelled
    asked.answer(", b)")
    answer = await ended(task)
    whole = typed.partition("║")[0] + answer.suggestion.text
    assert whole == "x = foo(a, b)"


@pytest.mark.parametrize("typed", ["y = ║\n", "x = b║\n", "x = foo()║\n", "x = foo(a, b)!║\n"])
async def test_invariant_2_an_answer_that_no_longer_fits_is_never_shown(bench, typed):
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    bench.type(typed)
    asked.answer("foo(a, b)")
    answer = await ended(task)
    assert (answer.suggestion, answer.superseded) == (None, True)


async def test_an_answer_that_was_typed_whole_meanwhile_is_not_shown(bench):
    task = bench.ask(bench.open("x = ║"))
    asked = await bench.host.next_asked()
    bench.type("x = 12║")
    asked.answer("12")
    answer = await ended(task)
    assert (answer.suggestion, answer.superseded, answer.reason) == (None, False, "typed already")


async def test_an_answer_for_a_document_that_is_gone_is_not_shown(bench):
    task = bench.ask(bench.open("x = ║"))
    asked = await bench.host.next_asked()
    bench.documents.close(URI)
    asked.answer("12")
    assert (await ended(task)).superseded


async def test_a_suggestion_typed_through_is_answered_without_asking_the_model(bench):
    task = bench.ask(bench.open("x = ║\n"))
    (await bench.host.next_asked()).answer("foo(a)")
    await ended(task)
    bench.type("x = foo║\n")
    answer = await ended(bench.ask(7))
    assert bench.shown(answer) == "x = foo├(a)┤\n"
    assert answer.source is Source.TYPED_THROUGH
    assert len(bench.host.asked) == 1


@pytest.mark.parametrize(("now", "offset"), [("x = bar║\n", 7), ("x = foo║\n", 2), ("y = foo║\n", 7)])
async def test_what_is_not_typed_through_is_asked_anew(bench, now, offset):
    task = bench.ask(bench.open("x = ║\n"))
    (await bench.host.next_asked()).answer("foo(a)")
    await ended(task)
    bench.type(now)
    task = bench.ask(offset)
    (await bench.host.next_asked()).answer("1")
    assert (await ended(task)).suggestion.text == "1"


async def test_another_model_forgets_what_was_shown(bench):
    task = bench.ask(bench.open("x = ║"))
    (await bench.host.next_asked()).answer("foo(a)")
    await ended(task)
    bench.service.forget()
    task = bench.ask(4)
    (await bench.host.next_asked()).answer("other")
    assert (await ended(task)).suggestion.text == "other"


pieces = st.text(st.sampled_from("ab(),\n "), max_size=6)


async def answered(bench: Bench, picture: str, written: str, typed: str = "") -> Answer:
    """What is answered to `picture` where the model wrote `written` and the user meanwhile `typed`."""
    task = bench.ask(bench.open(picture))
    asked = await bench.host.next_asked()
    if typed:
        bench.type(picture.replace("║", typed + "║"))
    asked.answer(written)
    return await ended(task)


@given(pieces, pieces, pieces, pieces, st.sampled_from(["\n", "\r\n", "\r"]))
@example("x = ", "\n", "foo\n  (a)", "foo\n", "\r\n")
@example("x(", ")\n", "a, b)", "a, b)", "\n")
def test_invariant_2_typing_and_the_rest_are_together_the_whole_answer(before, after, written, typed, eol):
    before, after, typed = (text.replace("\n", eol) for text in (before, after, typed))
    picture = f"{before}║{after}"
    whole = asyncio.run(answered(Bench(), picture, written)).suggestion
    rest = asyncio.run(answered(Bench(), picture, written, typed)).suggestion
    agreed = (
        whole is not None and whole.text.startswith(normalize(typed)) and whole.text != normalize(typed)
    )
    assert (rest is not None) == agreed
    if whole is not None and rest is not None:
        assert normalize(typed) + rest.text == whole.text
        assert rest.offset == len(before + typed)
        assert rest.replace <= whole.replace
