"""What the model is not sure of is not shown unasked, and every other answer is."""

import math

import pytest

from midfill.model import Chunk, Finish, FinishReason, ModelInfo
from midfill.server.completion import confidence as module
from midfill.server.completion.confidence import confidence, doubt, least
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.policy import PLACES
from midfill.server.completion.reuse import Written
from midfill.server.completion.run import Source
from midfill.server.settings import Settings
from tests.unit.fakes import INFO
from tests.unit.service_bench import Bench, ended

END = Finish(FinishReason.EOT)


def settings(least: float | str) -> Settings:
    return Settings(debounce_ms=0, silences_off=tuple(PLACES), write_ahead="off", min_confidence=least)


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    bench.settings = settings(0.6)
    return bench


async def answer(bench: Bench, picture: str, *probabilities: float, trigger=Trigger.AUTOMATIC):
    """The answer where the model writes `abc` with these token probabilities."""
    task = bench.ask(
        bench.type(picture) if bench.documents.uris() else bench.open(picture), trigger=trigger
    )
    asked = await bench.host.next_asked()
    asked.deliver(Chunk("abc", tuple(map(math.log, probabilities))))
    asked.deliver(END)
    return await ended(task)


def test_it_is_the_geometric_mean_of_the_tokens_probabilities():
    assert confidence(Written("ab", END, (math.log(0.5), math.log(0.5)))) == pytest.approx(0.5)
    assert confidence(Written("ab", END, (math.log(0.9), math.log(0.1)))) == pytest.approx(0.3)
    assert confidence(Written("ab", END)) is None


@pytest.mark.parametrize(
    ("trigger", "logprobs", "least", "code"),
    [
        (Trigger.AUTOMATIC, (-1.0,), 0.5, "low-confidence"),
        (Trigger.AUTOMATIC, (-0.5,), 0.5, ""),
        (Trigger.AUTOMATIC, (-9.0,), 0.0, ""),
        (Trigger.AUTOMATIC, (), 1.0, ""),
        (Trigger.INVOKED, (-1.0,), 0.5, ""),
    ],
)
def test_only_what_nobody_asked_for_is_doubted(trigger, logprobs, least, code):
    assert doubt(Written("a", END, logprobs), trigger, least) == code


@pytest.mark.parametrize(
    ("text", "end", "least", "code"),
    [
        ("a long li", FinishReason.LENGTH, 0.1, "low-confidence"),
        ("a block\n  of li", FinishReason.LENGTH, 0.1, ""),
        ("a line", FinishReason.STOP, 0.1, ""),
        ("a long li", FinishReason.LENGTH, 0.0, ""),
    ],
)
def test_a_line_that_broke_off_is_doubted_however_sure(text, end, least, code):
    assert doubt(Written(text, Finish(end), (-0.01,)), Trigger.AUTOMATIC, least) == code


def test_the_setting_says_how_much_or_what_was_fitted_for_the_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FITTED", {"qwen": 0.4})
    assert least("auto", "qwen") == 0.4
    assert least("auto", "unknown") == 0.0
    assert (least(0.7, "qwen"), least(0, "qwen")) == (0.7, 0.0)


async def test_an_unsure_answer_is_a_silence_with_its_code(bench: Bench):
    found = await answer(bench, "x = ║\n", 0.9, 0.1)
    assert (found.suggestion, found.reason, found.source) == (None, "low-confidence", Source.MODEL)
    assert (await answer(bench, "y = ║\n", 0.9, 0.7)).suggestion.text == "abc"


async def test_an_unsure_answer_is_shown_to_whoever_asks_for_it_and_not_decoded_twice(bench: Bench):
    await answer(bench, "x = ║\n", 0.3)
    offset = bench.type("x = ║\n")
    assert (await ended(bench.ask(offset))).reason == "low-confidence"
    by_hand = await ended(bench.ask(offset, trigger=Trigger.INVOKED))
    assert (by_hand.suggestion.text, by_hand.source) == ("abc", Source.CACHE)
    assert len(bench.host.asked) == 1


async def test_typing_on_asks_again_where_the_model_was_not_sure(bench: Bench):
    await answer(bench, "x = ║\n", 0.3)
    found = await answer(bench, "x = a║\n", 0.9)
    assert (found.suggestion.text, found.source) == ("abc", Source.MODEL)


async def test_the_fitted_least_is_the_loaded_models(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FITTED", {INFO.name: 0.6})
    bench.settings = settings("auto")
    assert (await answer(bench, "x = ║\n", 0.3)).suggestion.text == "abc"  # no model is known yet
    bench.host.info = ModelInfo(INFO.name, "cpu", "float32", "psm", context_tokens=512)
    assert (await answer(bench, "y = ║\n", 0.3)).reason == "low-confidence"
