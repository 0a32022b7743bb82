"""Two models in one backend: what is loaded when, what makes room, what is said. Fake clock and memory."""

import itertools
import threading
from dataclasses import replace

import pytest

from midfill.model import (
    CancelToken,
    Chunk,
    Event,
    FinishReason,
    Lane,
    LoadProgress,
    ModelConfig,
    ModelError,
    Worker,
)
from midfill.model.backends import make_backend, names_two
from midfill.model.backends.pair import PairBackend
from midfill.model.backends.scripted import ScriptedBackend
from midfill.model.errors import NoModel, NotNow, OutOfMemory
from tests.unit.fakes import TIMEOUT_S, Inbox, Loaded
from tests.unit.two_models import CHAT, FIM, Bench

APART = replace(FIM, apart=True)


def test_one_model_is_one_backend_and_two_are_a_pair():
    same = ("", "M", "m")
    for instruct in same:
        config = ModelConfig("scripted", model="m", instruct_model=instruct)
        assert isinstance(make_backend(config), ScriptedBackend)
    for config in (
        ModelConfig("scripted", model="m", instruct_model="other"),
        ModelConfig("scripted", unload_after_s=60),
    ):
        assert isinstance(make_backend(config), PairBackend)


def test_a_name_and_a_path_of_the_same_weights_are_one_model(monkeypatch, tmp_path):
    from midfill.model.store.store import Store
    from tests.store.making import gguf_bytes

    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "m.gguf").write_bytes(gguf_bytes())
    Store().use(str(tmp_path / "m.gguf"))
    assert not names_two(ModelConfig(instruct_model=str(tmp_path / "m.gguf")))
    assert names_two(ModelConfig(instruct_model=str(tmp_path / "other.gguf")))


def test_the_second_model_is_loaded_at_the_first_chat_and_stays():
    bench = Bench()
    assert bench.info.name == "fim"
    assert bench.info.can_chat
    assert bench.ask(FIM) == "fimfim"
    assert bench.log == ["pass fim"] * 2
    assert bench.ask(CHAT) == "chatchat"
    assert bench.log[2:] == ["read chat"] + ["warm chat"] * 3 + ["pass chat"] * 2
    assert bench.readers[-1] == "midfill-read"
    assert bench.stages == ["load", "warm-up", "ready"]
    assert "the instruct model" in bench.said[0].message
    assert bench.ask(CHAT) == "chatchat"
    assert bench.log.count("read chat") == 1
    assert bench.ask(FIM) == "fimfim"


def test_completions_run_while_the_second_model_is_read_and_between_its_first_passes():
    bench = Bench()
    bench.may_read.clear()
    chat = bench.pair.stream(CHAT)
    assert [next(chat) for _ in range(3)] == [Chunk()] * 3
    assert bench.ask(FIM) == "fimfim"
    bench.may_read.set()
    passes = []
    while next(chat) == Chunk():  # at most one forward pass a step
        passes.append(sum(entry.startswith(("warm", "pass")) for entry in bench.log))
        bench.ask(FIM)
    assert max(b - a for a, b in itertools.pairwise(passes)) <= 2 + 1  # two are the FIM answer's


def test_a_chat_that_is_cancelled_leaves_the_load_going_on():
    bench = Bench()
    bench.may_read.clear()
    chat = bench.pair.stream(CHAT)
    next(chat)
    chat.close()
    assert bench.pair.rest() == 0
    bench.may_read.set()
    assert bench.settle() is None
    assert bench.stages[-1] == "ready"
    assert bench.ask(CHAT) == "chatchat"
    assert bench.log.count("read chat") == 1


def test_two_that_do_not_fit_take_turns_and_it_is_said():
    bench = Bench(room=3)
    assert bench.ask(CHAT) == "chatchat"
    assert [entry for entry in bench.log if entry.startswith("close")] == ["close chat", "close fim"]
    assert "do not fit" in " ".join(progress.message for progress in bench.said)
    assert (bench.said[-1].stage, bench.free) == ("ready", 1)
    assert "come back" in bench.said[-1].message
    with pytest.raises(NotNow, match="fim is being loaded again"):
        bench.ask(FIM)
    bench.settle()
    assert bench.ask(FIM) == "fimfim"
    assert (bench.said[-1], bench.free) == (LoadProgress("ready", ""), 1)
    bench.log.clear()
    assert bench.ask(CHAT) == "chatchat"  # known by now: nothing is tried beside the other
    assert bench.log[:2] == ["close fim", "read chat"]


def test_an_actions_infilling_waits_for_its_model_but_takes_no_chat_models_place():
    bench = Bench(unload_after_s=60)
    bench.clock.now += 60
    bench.pair.rest()  # the one that completes leaves
    assert bench.ask(APART) == "fimfim"
    bench = Bench(room=3)
    bench.ask(CHAT)  # in whose place the other one was
    bench.log.clear()
    with pytest.raises(NotNow, match="do not fit together"):
        bench.ask(APART)
    bench.settle()
    assert bench.log == []


def test_an_actions_infilling_is_by_its_own_model_where_that_fills():
    for room in (4, 3):
        bench = Bench(room, chat_fills=True)
        assert bench.ask(APART) == "chatchat"
        assert ("close fim" in bench.log) == (room == 3)


def test_a_model_is_not_taken_away_under_its_answer():
    bench = Bench(room=3)
    chat = bench.pair.stream(CHAT)
    while next(chat) == Chunk():
        pass
    with pytest.raises(NotNow, match="completions pause while the instruct model answers"):
        bench.ask(FIM)
    assert [event.text for event in chat if isinstance(event, Chunk)] == ["chat"]


def test_a_first_model_that_comes_back_takes_no_memory_from_an_answer():
    bench = Bench(unload_after_s=60)
    bench.ask(CHAT)
    bench.clock.now += 60
    bench.pair.rest()  # the first one is idle, and leaves
    bench.free = 1  # and another program takes what it had
    chat = bench.pair.stream(CHAT)
    next(chat)
    with pytest.raises(NotNow):
        bench.ask(FIM)
    bench.settle()
    assert [event.text for event in chat if isinstance(event, Chunk)] == ["chat"]
    with pytest.raises(NotNow, match="loaded again"):
        bench.ask(FIM)
    bench.settle()
    assert bench.ask(FIM) == "fimfim"


def test_a_second_model_that_fits_nowhere_leaves_the_first_to_come_back():
    bench = Bench(room=3)
    bench.failures["chat"] = OutOfMemory("chat is too big for this machine")
    with pytest.raises(OutOfMemory, match="too big for this machine"):
        bench.ask(CHAT)
    with pytest.raises(NotNow):
        bench.ask(FIM)
    bench.settle()
    assert bench.ask(FIM) == "fimfim"


def test_a_second_model_that_is_not_installed_is_named_and_tried_again_when_asked():
    bench = Bench()
    bench.failures["chat"] = NoModel("chat is not installed")
    for _ in range(2):
        with pytest.raises(NoModel):
            bench.ask(CHAT)
    assert bench.stages[-1] == "ready"
    assert bench.ask(FIM) == "fimfim"
    del bench.failures["chat"]
    assert bench.ask(CHAT) == "chatchat"


def test_a_fault_while_reading_is_a_sentence_and_not_the_end_of_the_thread():
    bench = Bench()
    bench.failures["chat"] = KeyError("tensor")
    with pytest.raises(ModelError, match="loading failed: KeyError"):
        bench.ask(CHAT)


def test_closing_abandons_what_is_being_read():
    bench = Bench()
    bench.may_read.clear()
    chat = bench.pair.stream(CHAT)
    next(chat)
    chat.close()
    bench.may_read.set()
    bench.pair.close()
    assert bench.free == 4
    with pytest.raises(NotNow):
        bench.pair.count_tokens("x")


def test_a_worker_that_is_closed_while_a_second_model_loads_answers_and_ends():
    bench = Bench()
    bench.may_read.clear()
    loaded = Loaded(Worker(lambda: bench.pair))
    loaded.load()
    bench.may_read.set()
    loaded.wait()
    bench.may_read.clear()
    inbox, arrived = Inbox(), threading.Event()

    def deliver(event: Event) -> None:
        inbox.deliver(event)
        arrived.set()

    loaded.worker.submit(CHAT, CancelToken(), deliver, Lane.CHAT)
    assert arrived.wait(TIMEOUT_S)
    loaded.worker.close(0)
    bench.may_read.set()
    assert inbox.wait().reason is FinishReason.CANCELLED
    assert loaded.worker.close(TIMEOUT_S)
    assert len(inbox.finishes) == 1
