"""Sessions as the observer counts them: a real completion service, a model that the test answers for."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.model import Chunk, Finish, FinishReason, Usage
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.policy import PLACES
from midfill.server.settings import Settings
from midfill.server.statistics.observer import MOST_FOLLOWED, Observer
from midfill.server.statistics.watched import Outcome
from tests.cursor import parse
from tests.unit.counting import Counted
from tests.unit.fakes import Clock
from tests.unit.service_bench import URI, ended, settled


@pytest.fixture
async def bench() -> Counted:
    return Counted()


async def test_a_suggestion_accepted_and_kept(bench: Counted):
    await bench.get("x = ║\n", "print(a)")
    bench.timers.wait(1)
    bench.type("x = print(a)║\n")
    bench.timers.wait(30)
    bench.type("x = open(b)║\n")
    bench.timers.wait(300)
    assert bench.counts() == {
        "accepted/model/python": 1,
        "answers/model": 1,
        "gone/120s": 1,
        "gone/300s": 1,
        "requests/automatic": 1,
        "seen/model/python": 1,
        "shown/model/python": 1,
        "still-there/30s": 1,
    }


async def test_what_the_client_says_and_what_was_seen_count_once(bench: Counted):
    await bench.get("x = ║\n", "print(a)")
    bench.type("x = print(a)║\n")
    bench.observer.accepted(URI)
    assert bench.counts("requests", "answers", "shown", "seen") == {
        "accepted/model/python": 1,
        "said-accepted": 1,
    }
    assert len(bench.timers.waiting) == 3  # looked after once


@pytest.mark.parametrize("document", ["x = print(a,)║\n", "x  = print(a)\n║"])
async def test_a_client_knows_better_what_was_accepted(bench: Counted, document: str):
    await bench.get("x = ║\n", "print(a)")
    bench.type(document)  # its own formatter was there first
    bench.observer.accepted(URI)
    assert bench.counts("requests", "answers", "shown", "seen") == {
        "accepted/model/python": 1,
        "said-accepted": 1,
    }
    assert len(bench.timers.waiting) == 3


async def test_what_the_client_says_is_of_what_ended_last_and_of_nothing_before(bench: Counted):
    await bench.get("x = ║\n", "print(a)")
    bench.type("x = q║\n")
    bench.type("x = qq║\n")
    bench.observer.accepted(URI)
    assert bench.counts("requests", "answers", "shown", "said") == {"contradicted/model/python": 1}


async def test_a_client_may_say_so_before_the_change(bench: Counted):
    await bench.get("x = ║\n", "print(a)")
    bench.observer.accepted(URI)
    bench.type("x = print(a)║\n")
    bench.timers.wait(300)
    found = bench.counts("requests", "answers", "shown", "seen", "said")
    kept = {f"still-there/{s}s": 1 for s in (30, 120, 300)}
    assert found == {"accepted/model/python": 1, **kept}


async def test_an_accept_that_nothing_was_shown_for_accepts_nothing(bench: Counted):
    bench.open("x║")
    bench.observer.accepted(URI)
    assert bench.counts() == {"said-accepted": 1}


async def test_typing_it_shows_it_once(bench: Counted):
    await bench.get("x = ║\n", "abc")
    await bench.get("x = a║\n")
    await bench.get("x = ab║\n")
    bench.type("x = abc║\n")
    assert bench.counts() == {
        "answers/model": 1,
        "answers/typed-through": 2,
        "requests/automatic": 3,
        "shown/model/python": 1,
        "typed-through/model/python": 1,
    }


async def test_another_suggestion_replaces_it(bench: Counted):
    await bench.get("x = ║\n", "abc")
    bench.service.forget()
    offset = parse("x = ║\n")[1]
    task = bench.ask(offset, trigger=Trigger.INVOKED)
    (await bench.host.next_asked()).answer("xyz")
    await ended(task)
    found = bench.counts("answers")
    assert found == {
        "replaced/model/python": 1,
        "requests/automatic": 1,
        "requests/invoked": 1,
        "shown/model/python": 2,
    }


async def test_what_was_hardly_on_the_screen_was_not_seen(bench: Counted):
    await bench.get("x = ║\n", "abc")
    bench.timers.wait(0.7)
    bench.type("x = q║\n")
    await bench.get("x = q = ║\n", "abc")
    bench.timers.wait(0.8)
    bench.type("x = q = q║\n")
    assert (bench.counts()["shown/model/python"], bench.counts()["seen/model/python"]) == (2, 1)


async def test_every_silence_and_every_drop_is_counted_by_its_code(bench: Counted):
    bench.settings = Settings(debounce_ms=0, write_ahead="off")
    await bench.get("total = x║yz\n")
    bench.settings = Settings(debounce_ms=0, silences_off=tuple(PLACES), write_ahead="off")
    await bench.get("y = ║\nz = call(1)\n", "")
    task = bench.ask(bench.type("w = ║\n"))
    (await bench.host.next_asked()).answer(reason=FinishReason.ERROR, message="no memory for SECRET")
    await ended(task)
    silences = {"silences/mid-word": 1, "silences/empty": 1, "silences/error": 1}
    assert bench.counts("requests") == silences


async def test_what_is_given_up_is_no_silence(bench: Counted):
    offset = bench.open("x = ║\n")
    first = bench.ask(offset)
    await settled()
    second = bench.ask(offset, trigger=Trigger.INVOKED)
    await ended(first)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended(second)
    found = {"requests/automatic": 1, "requests/invoked": 1, "superseded": 1, "cancelled": 1}
    assert bench.counts() == found


async def test_times_and_tokens_of_the_model_are_counted(bench: Counted):
    task = bench.ask(bench.open("x = ║\n"))
    asked = await bench.host.next_asked()
    asked.deliver(Chunk("abc"))
    usage = Usage(prompt_tokens=20, reused_tokens=5, queue_ms=1.0, prefill_ms=3.25, decode_ms=4.0)
    asked.deliver(Finish(FinishReason.EOT, usage))
    await ended(task)
    counts = bench.observer.counts
    assert sum(n for key, n in counts.items() if key.startswith("latency/model/")) == 1
    assert (counts["stage-us/prefill"], counts["stage-us/queue"], counts["stages/decode"]) == (
        3250,
        1000,
        1,
    )
    assert (counts["tokens/prompt"], counts["tokens/reused"]) == (20, 5)
    assert {"stages/reuse", "stages/debounce", "stages/prompt", "stages/clean-up"} <= counts.keys()


async def test_a_language_that_nobody_knows_is_other(bench: Counted):
    text, offset = parse("x = ║\n")
    bench.documents.open(URI, "the-name-of-my-secret-project", 1, text)
    task = bench.ask(offset)
    (await bench.host.next_asked()).answer("abc")
    await ended(task)
    assert bench.counts()["shown/model/other"] == 1


async def test_only_so_many_accepted_texts_are_looked_after(bench: Counted):
    bench.open("║\n")
    for n in range(MOST_FOLLOWED + 5):
        await bench.get(f"x{n} = ║\n", "print(a)")
        bench.type(f"x{n} = print(a)║\n")
    assert len(bench.timers.waiting) == 3 * MOST_FOLLOWED
    bench.timers.wait(300)
    await bench.get("y = ║\n", "print(a)")
    bench.type("y = print(a)║\n")
    assert len(bench.timers.waiting) == 3


@given(
    st.lists(
        st.sampled_from(["a", "b", "c", "(", "paste", "delete", "ask", "accept", "close"]), max_size=30
    )
)
def test_every_suggestion_shown_ends_once_whatever_is_done(acts: list[str]):
    async def session() -> Counted:
        bench, text = Counted(), "x = "
        bench.open(text + "║")
        for act in acts:
            if act == "ask":
                task = bench.ask(len(text))
                while not task.done():
                    await settled()
                    while bench.host.asked:
                        bench.host.asked.pop().answer("abc(d)")
            elif act == "accept":
                bench.observer.accepted(URI)
            elif act == "close":
                bench.observer.closed(URI)
            else:
                changed = {"paste": text + "abc(d)", "delete": text[:-1]}
                text = changed.get(act, text + act)
                bench.type(text + "║")
        bench.observer.close()
        return bench

    counts = asyncio.run(session()).observer.counts
    shown = sum(n for key, n in counts.items() if key.startswith("shown/"))
    outcomes = sum(
        n for key, n in counts.items() if key.split("/")[0] in list(Outcome) and key.count("/") == 2
    )
    assert shown == outcomes
    assert all(n >= 0 for n in counts.values())


def test_an_observer_counts_nothing_for_a_document_that_is_gone():
    clock = Clock()
    observer = Observer(clock, lambda seconds, call: None, lambda uri: None)
    observer.closed(URI)
    observer.accepted(URI)
    assert dict(observer.counts) == {"said-accepted": 1}
