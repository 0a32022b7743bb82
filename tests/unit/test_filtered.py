"""A safety filter's model beside the others: loaded when first asked, alone in its answers, unloaded."""

from dataclasses import replace

import pytest

from midfill.model import ChatRequest, Event, Finish, ModelConfig, ModelError
from midfill.model.backends import make_backend
from midfill.model.backends.filtered import FilteredBackend
from midfill.model.backends.scripted import ScriptedBackend
from midfill.model.errors import NoModel
from tests.unit.two_models import CHAT, Bench, Model

TO_FILTER = replace(CHAT, to_filter=True)


class Filtered(Bench):
    """One model of two units, and a filter beside it."""

    def __init__(self, room: int = 4, unload_after_s: float = 0, idle_after_s: float = 0) -> None:
        super().__init__(room, two=False, unload_after_s=idle_after_s)
        self.pair.close()
        self.backend = FilteredBackend(
            self.pair, lambda: Model(self, "guard", 2), "the guard", unload_after_s, self.clock
        )
        self.backend.load(self.said.append)
        self.said.clear()
        self.log.clear()

    def answer(self, request: ChatRequest) -> str:
        events: list[Event] = []
        for event in self.backend.stream(request):
            events.append(event)
        assert isinstance(events[-1], Finish)
        return "".join(getattr(event, "text", "") for event in events)


def test_a_name_makes_one_and_none_makes_none() -> None:
    config = ModelConfig("scripted", model="m")
    assert isinstance(make_backend(config), ScriptedBackend)
    assert isinstance(make_backend(replace(config, safety_model="guard")), FilteredBackend)


def test_it_is_loaded_at_the_first_question_to_it_and_stays() -> None:
    bench = Filtered()
    assert bench.answer(CHAT) == "fimfim"
    assert bench.log == ["pass fim"] * 2
    assert bench.answer(TO_FILTER) == "guardguard"
    assert bench.log[2:] == ["read guard"] + ["warm guard"] * 3 + ["pass guard"] * 2
    assert (bench.stages[0], bench.stages[-1]) == ("load", "ready")
    assert "the guard for the safety filter" in bench.said[0].message
    assert bench.answer(TO_FILTER) == "guardguard"
    assert bench.log.count("read guard") == 1


def test_after_it_was_loaded_the_others_are_what_they_were() -> None:
    bench = Filtered(idle_after_s=60)
    bench.clock.now += 60
    bench.backend.rest()
    assert bench.stages == ["idle"]
    bench.answer(TO_FILTER)
    assert (bench.stages[1], bench.stages[-1]) == ("load", "idle")


def test_one_that_cannot_be_loaded_fails_each_time_and_leaves_the_others() -> None:
    bench = Filtered()
    bench.failures["guard"] = NoModel("there is no guard")
    for _ in range(2):
        with pytest.raises(ModelError, match="no guard"):
            bench.answer(TO_FILTER)
    assert bench.stages[-1] == "ready"
    assert bench.answer(CHAT) == "fimfim"


def test_one_that_does_not_fit_takes_nobodys_place() -> None:
    bench = Filtered(room=3)
    with pytest.raises(ModelError, match="too big"):
        bench.answer(TO_FILTER)
    assert bench.answer(CHAT) == "fimfim"


def test_one_that_nobody_asked_for_long_is_unloaded() -> None:
    bench = Filtered(unload_after_s=60)
    bench.answer(TO_FILTER)
    assert bench.backend.rest() == 60
    bench.clock.now += 60
    assert bench.backend.rest() is None
    assert (bench.log[-1], bench.free) == ("close guard", 2)
    assert bench.answer(TO_FILTER) == "guardguard"


def test_closing_closes_all() -> None:
    bench = Filtered()
    bench.answer(TO_FILTER)
    bench.backend.close()
    assert bench.free == 4
