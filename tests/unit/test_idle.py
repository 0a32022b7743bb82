"""Models that nobody asks leave memory and come back. Fake clock; no test waits."""

import pytest

from midfill.model import CancelToken, FinishReason, Lane, LoadProgress, Worker
from midfill.model.errors import NoModel, NotNow
from tests.unit.fakes import TIMEOUT_S, GatedBackend, Inbox, Loaded
from tests.unit.two_models import CHAT, FIM, Bench


def test_what_is_idle_is_unloaded_and_comes_back():
    bench = Bench(two=False, unload_after_s=600)
    assert bench.pair.rest() == 600
    bench.clock.now += 599
    assert bench.ask(FIM) == "fimfim"
    assert bench.pair.rest() == 600
    bench.clock.now += 600
    assert bench.pair.rest() is None
    assert (bench.stages, bench.free) == (["idle"], 4)
    with pytest.raises(NotNow, match="fim is being loaded again"):
        bench.ask(FIM)
    bench.settle()
    assert bench.stages == ["idle", "load", "warm-up", "ready"]
    assert bench.ask(FIM) == "fimfim"
    bench.clock.now += 600
    bench.pair.rest()
    assert bench.ask(CHAT) == "fimfim"  # the same model; a chat waits for it
    assert bench.settle() == 600


def test_each_model_has_its_own_patience():
    bench = Bench(chat_unload_after_s=60)
    bench.ask(CHAT)
    assert bench.pair.rest() == 60
    bench.clock.now += 60
    assert bench.pair.rest() is None
    assert bench.log[-1] == "close chat"
    assert bench.stages[-1] == "ready"  # nothing to say: completions go on
    assert bench.ask(FIM) == "fimfim"
    assert bench.ask(CHAT) == "chatchat"


def test_a_first_model_that_cannot_come_back_says_why_and_is_not_tried_at_every_key():
    bench = Bench(two=False, unload_after_s=1)
    bench.clock.now += 1
    bench.pair.rest()
    bench.failures["fim"] = NoModel("fim was removed")
    with pytest.raises(NotNow):
        bench.ask(FIM)
    bench.settle()
    assert bench.said[-1] == LoadProgress("failed", "fim was removed")
    with pytest.raises(NotNow, match="fim was removed"):
        bench.ask(FIM)
    assert bench.log.count("read fim") == 1


def test_a_model_that_came_back_after_a_failure_is_loaded_again_whenever_it_was_idle():
    bench = Bench(two=False, unload_after_s=600)
    bench.clock.now += 600
    bench.pair.rest()
    bench.failures["fim"] = NoModel("fim was removed")
    with pytest.raises(NotNow):
        bench.ask(FIM)
    bench.settle()
    bench.failures.clear()
    assert bench.ask(CHAT) == "fimfim"  # a chat tries
    bench.clock.now += 600
    bench.pair.rest()
    with pytest.raises(NotNow, match="fim is being loaded again"):
        bench.ask(FIM)
    bench.settle()
    assert bench.ask(FIM) == "fimfim"


def test_a_load_that_takes_longer_than_the_patience_is_not_undone_at_its_end():
    bench = Bench(two=False, unload_after_s=60)
    bench.clock.now += 60
    bench.pair.rest()
    with pytest.raises(NotNow):
        bench.ask(FIM)
    bench.clock.now += 100
    assert bench.settle() == 60
    assert bench.ask(FIM) == "fimfim"


def test_closing_waits_for_the_reader_and_frees_what_it_made():
    bench = Bench(two=False, unload_after_s=600)
    bench.clock.now += 600
    bench.pair.rest()
    bench.may_read.clear()
    with pytest.raises(NotNow):
        bench.ask(FIM)
    reader = bench.pair._fim._reader
    waited_for = reader.join

    def join(timeout: float | None = None) -> None:
        bench.log.append("wait")
        bench.may_read.set()
        waited_for(timeout)

    reader.join = join
    bench.log.clear()
    bench.pair.close()
    bench.may_read.set()
    assert bench.log[-2:] == ["wait", "close fim"]
    assert bench.free == 4


class RestingBackend(GatedBackend):
    """Wants to rest three times at once, then waits for requests."""

    def __init__(self) -> None:
        super().__init__(gated=False)
        self.wishes: list[float] = [0.0, 0.0]
        self.rested: list[bool] = []

    def rest(self) -> float | None:
        self.rested.append(self._running == 0)
        return self.wishes.pop() if self.wishes else None


def test_the_worker_lets_a_backend_rest_while_nobody_asks():
    backend = RestingBackend()
    loaded = Loaded(Worker(lambda: backend))
    loaded.load()
    loaded.wait()
    inbox = Inbox()
    loaded.worker.submit(FIM, CancelToken(), inbox.deliver, Lane.FIM)
    assert inbox.wait().reason is FinishReason.EOT
    assert loaded.worker.close(TIMEOUT_S)
    assert not backend.wishes
    assert all(backend.rested)
