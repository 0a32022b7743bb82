"""The scripted model: what it writes, what it costs on the virtual clock, and whose turn it is."""

import asyncio
from typing import Any

import pytest

from benchmarks.replay import virtual
from benchmarks.replay.costs import BLOCK_TOKENS, DECODE_MS, PREFILL_MS
from benchmarks.replay.device import Device
from benchmarks.replay.passages import Passage
from benchmarks.replay.policies import cody, continue_, llama_vim
from benchmarks.replay.prompts import OurPrompts, TheirPrompts, Window, reusable, top_cut
from benchmarks.replay.script import WRONG_SHARE, Script
from midfill.model import (
    CancelReason,
    CancelToken,
    Chunk,
    FimRequest,
    Finish,
    FinishReason,
    Lane,
    Scope,
    StopRules,
)
from tests.replay.sessions import PASSAGE

PLAIN = Window(prefix_tokens=5000, suffix_tokens=5000)


def request(typed: str = "", **more: Any) -> FimRequest:
    more.setdefault("stop", StopRules(Scope.SINGLE_LINE, "        " + typed))
    return FimRequest(PASSAGE.above + typed, PASSAGE.below, path="a", **more)


class Answers:
    """Submits, and keeps what comes with the virtual times at which it comes."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.events: list[tuple[str, float, Any]] = []

    def ask(self, name: str, lane: Lane = Lane.FIM, **more: Any) -> CancelToken:
        token, loop = CancelToken(), asyncio.get_running_loop()
        typed = more.pop("typed", "")
        self.device.submit(
            request(typed, **more), token, lambda e: self.events.append((name, loop.time(), e)), lane
        )
        return token

    def text(self, name: str) -> str:
        return "".join(e.text for n, _, e in self.events if n == name and isinstance(e, Chunk))

    def finish(self, name: str) -> tuple[float, Finish]:
        (found,) = [(at, e) for n, at, e in self.events if n == name and isinstance(e, Finish)]
        return found


def on_device(main: Any, prompts: Any = None) -> Any:
    async def work() -> Any:
        device = Device(Script(PASSAGE), prompts or TheirPrompts(PLAIN))
        found = await main(Answers(device))
        await device.close()
        return found

    return virtual.run(work())


def test_a_request_costs_its_new_tokens_and_its_steps():
    async def main(answers: Answers) -> Answers:
        answers.ask("cold")
        await asyncio.sleep(60)
        answers.ask("warm")
        await asyncio.sleep(60)
        return answers

    answers = on_device(main)
    at, finish = answers.finish("cold")
    steps = finish.usage.generated_tokens - 1
    assert finish.usage.prompt_tokens < BLOCK_TOKENS
    assert at == pytest.approx((finish.usage.prompt_tokens * PREFILL_MS + steps * DECODE_MS) / 1000)
    at, finish = answers.finish("warm")
    assert finish.usage.reused_tokens == finish.usage.prompt_tokens
    assert at - 60 == pytest.approx((PREFILL_MS + steps * DECODE_MS) / 1000)
    assert answers.text("cold") == answers.text("warm")


def test_a_cancelled_request_makes_no_further_pass_and_the_next_one_begins():
    async def main(answers: Answers) -> Answers:
        token = answers.ask("first")
        await asyncio.sleep(0.001)  # in its first pass
        answers.ask("second")
        token.cancel(CancelReason.SUPERSEDED)
        await asyncio.sleep(60)
        return answers

    answers = on_device(main)
    assert answers.finish("first")[1].reason is FinishReason.CANCELLED
    assert [name for name, _, e in answers.events if isinstance(e, Chunk)][:2] == ["first", "second"]
    assert answers.finish("second")[1].reason in (FinishReason.STOP, FinishReason.EOT)


def test_prefilling_ahead_ends_for_a_request_and_what_it_did_stays():
    async def main(answers: Answers) -> Answers:
        answers.ask("ahead", Lane.AHEAD, prefill_only=True)
        await asyncio.sleep(60)
        answers.ask("real")
        await asyncio.sleep(60)
        return answers

    usage = on_device(main).finish("real")[1].usage
    assert usage.reused_tokens == usage.prompt_tokens


def test_with_our_prompts_a_key_costs_a_token_or_two():
    async def main(answers: Answers) -> Answers:
        answers.ask("first", typed="self.r")
        await asyncio.sleep(60)
        answers.ask("second", typed="self.ra")
        await asyncio.sleep(60)
        return answers

    usage = on_device(main, OurPrompts()).finish("second")[1].usage
    assert 0 <= usage.prompt_tokens - usage.reused_tokens <= 3


def test_a_token_is_wrong_with_the_same_chance_and_always_the_same():
    truth = "value = other_value + 1\n" * 400
    passage = Passage("long", "long.py", "python", "", truth, "")
    wrong, total, at = 0, 0, 0
    for piece, right in zip(Script(passage).pieces(""), Script(passage)._pieces, strict=True):
        wrong, total, at = wrong + (piece != right), total + 1, at + len(right)
    assert at == len(truth)
    assert abs(wrong / total - WRONG_SHARE) < 0.015
    assert list(Script(passage).pieces("")) == list(Script(passage).pieces(""))


def test_behind_a_slip_the_model_goes_on_and_at_the_end_it_writes_nothing():
    script = Script(PASSAGE)
    slipped = "".join(script.pieces(PASSAGE.above + "sekf.radius = "))
    assert slipped == "".join(script.pieces(PASSAGE.above + "self.radius = "))
    assert list(script.pieces(PASSAGE.above + PASSAGE.truth)) == []


@pytest.mark.parametrize(
    ("held", "ids", "least", "reused"),
    [
        ("abcdef", "abcxef", 0, 3),
        ("abcdef", "abcxef", 2, 3),  # something new stands between: the rest has moved on
        ("abcdefgh", "abcfgh", 3, 6),  # something fell out: the rest moves up
        ("abcdefgh", "abcfgh", 4, 3),  # too short to be moved
        ("", "abc", 2, 0),
    ],
)
def test_what_a_slot_of_llama_cpp_need_not_compute(held, ids, least, reused):
    assert reusable([*map(ord, held)], [*map(ord, ids)], least) == reused


@pytest.mark.parametrize("window", [continue_.WINDOW, cody.WINDOW, llama_vim.WINDOW])
def test_a_window_keeps_whole_lines_nearest_the_cursor(window):
    prefix = "".join(f"value_{i} = compute({i})\n" for i in range(2000)) + "last"
    kept = top_cut(prefix, window)
    assert prefix.endswith("\n" + kept)
    assert kept.endswith("last")
    assert len(kept) <= (window.prefix_chars or 10**6)
    assert len(prefix) > len(kept) > 500
