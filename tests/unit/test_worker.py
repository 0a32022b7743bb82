"""The model thread: who runs next, what a cancelled request still costs. (How requests end:
test_worker_ends.py.)"""

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from midfill.model import (
    CancelReason,
    CancelToken,
    ChatMessage,
    ChatRequest,
    Chunk,
    FimRequest,
    FinishReason,
    Lane,
    Worker,
)
from midfill.model.worker import NICENESS
from tests.unit.fakes import ANSWER, TIMEOUT_S, GatedBackend, Inbox, Loaded

END = ANSWER[-1]


@pytest.fixture
def backend() -> GatedBackend:
    return GatedBackend()


@pytest.fixture
def worker(backend: GatedBackend) -> Iterator[Worker]:
    """A worker with a loaded backend, at rest."""
    loaded = Loaded(Worker(lambda: backend))
    loaded.load()
    loaded.wait()
    yield loaded.worker
    backend.open_gate()
    assert loaded.worker.close(TIMEOUT_S)


def ask(worker: Worker, name: str, lane: Lane = Lane.FIM, token: CancelToken | None = None) -> Inbox:
    inbox = Inbox()
    chat = ChatRequest((ChatMessage("user", name),))
    request = chat if lane is Lane.CHAT else FimRequest(name, "", prefill_only=lane is Lane.AHEAD)
    worker.submit(request, token or CancelToken(), inbox.deliver, lane)
    return inbox


def test_a_request_gets_every_chunk_in_order_and_then_its_finish(worker, backend):
    inbox = ask(worker, "a")
    backend.open_gate()
    assert inbox.wait().reason is FinishReason.EOT
    assert inbox.text == "one two three"
    assert inbox.events[-1] is inbox.finishes[0]


def test_within_a_lane_first_come_is_first_served(worker, backend):
    inboxes = [ask(worker, name) for name in "abc"]
    backend.open_gate()
    for inbox in inboxes:
        inbox.wait()
    assert "".join(backend.passes) == "aaabbbccc"


def test_invariant_3_at_most_one_forward_pass_runs_at_a_time(worker, backend):
    backend.open_gate()
    inboxes: list[Inbox] = []
    lanes = (Lane.FIM, Lane.CHAT, Lane.FIM)

    def submit(number: int) -> None:
        inboxes.extend(ask(worker, f"{number}-{i}", lanes[number % 3]) for i in range(10))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert {inbox.wait().reason for inbox in inboxes} == {FinishReason.EOT}
    assert len(inboxes) == 60
    assert backend.most_at_once == 1


def test_invariant_3_a_fim_request_waits_at_most_one_step_for_a_chat_whose_answer_stays_whole(
    worker, backend
):
    chat = ask(worker, "chat", Lane.CHAT)
    assert backend.wait_for_pass() == "chat"
    fim = ask(worker, "fim")
    backend.allow()
    assert backend.wait_for_pass() == "fim"
    backend.open_gate()
    assert (fim.wait().reason, chat.wait().reason) == (FinishReason.EOT, FinishReason.EOT)
    assert backend.passes == ["chat", "fim", "fim", "fim", "chat", "chat"]
    assert fim.text == chat.text == "one two three"


def test_chats_that_may_go_side_by_side_take_turns_once_each_has_begun(worker, backend):
    backend.most_chats = 2
    for name in "ab":  # a block of its prompt comes first
        backend.scripts[name] = (Chunk(), *(Chunk(f"{name}{i}", (-0.1,)) for i in range(3)), END)
    inboxes = [ask(worker, name, Lane.CHAT) for name in "abc"]
    backend.open_gate()
    for inbox in inboxes:
        inbox.wait()
    assert "".join(backend.passes) == "aabababbccc"
    assert [inbox.text for inbox in inboxes] == ["a0a1a2", "b0b1b2", "one two three"]


def test_chats_that_may_not_are_answered_one_after_the_other(worker, backend):
    for name in "ab":
        backend.scripts[name] = (*(Chunk(name, (-0.1,)) for _ in range(3)), END)
    inboxes = [ask(worker, name, Lane.CHAT) for name in "ab"]
    backend.open_gate()
    for inbox in inboxes:
        inbox.wait()
    assert "".join(backend.passes) == "aaabbb"


def test_a_completion_goes_before_all_chats_that_are_under_way(worker, backend):
    backend.most_chats = 4
    for name in "ab":
        backend.scripts[name] = (*(Chunk(name, (-0.1,)) for _ in range(3)), END)
    chats = [ask(worker, name, Lane.CHAT) for name in "ab"]
    for name in "aba":
        assert backend.wait_for_pass() == name
        backend.allow()
    assert backend.wait_for_pass() == "b"
    fim = ask(worker, "fim")
    backend.open_gate()
    for inbox in (*chats, fim):
        assert inbox.wait().reason is FinishReason.EOT
    assert backend.passes == ["a", "b", "a", "b", "fim", "fim", "fim", "a", "b"]


def test_invariant_3_a_request_cancelled_in_a_step_takes_no_other(worker, backend):
    token = CancelToken()
    inbox = ask(worker, "a", token=token)
    backend.wait_for_pass()
    backend.allow()
    backend.wait_for_pass()
    token.cancel(CancelReason.CLIENT)
    backend.allow(5)
    assert inbox.wait().reason is FinishReason.CANCELLED
    assert inbox.wait().message == "client"
    assert backend.passes == ["a", "a"]
    assert backend.closed_streams == ["a"]


def test_a_request_cancelled_while_it_waits_never_starts_and_is_answered_after_the_step(worker, backend):
    first, token = ask(worker, "first"), CancelToken()
    backend.wait_for_pass()
    second = ask(worker, "second", token=token)
    token.cancel(CancelReason.SUPERSEDED)
    backend.allow()
    assert second.wait().reason is FinishReason.CANCELLED
    assert first.finishes == []
    backend.open_gate()
    first.wait()
    assert backend.passes == ["first"] * 3


@pytest.mark.parametrize("lane", list(Lane))
def test_prefilling_ahead_is_dropped_as_soon_as_anything_is_submitted(worker, backend, lane):
    ahead = ask(worker, "ahead", Lane.AHEAD)
    assert backend.wait_for_pass() == "ahead"
    other = ask(worker, "other", lane)
    backend.allow()
    assert backend.wait_for_pass() == "other"
    backend.open_gate()
    assert ahead.wait().reason is FinishReason.CANCELLED
    assert other.wait().reason is FinishReason.EOT
    assert backend.passes == ["ahead"] + ["other"] * 3


def test_a_chat_that_waits_is_answered_behind_all_fim_requests(worker, backend):
    first = ask(worker, "first")
    backend.wait_for_pass()
    chat, later = ask(worker, "chat", Lane.CHAT), ask(worker, "later")
    backend.open_gate()
    for inbox in (first, chat, later):
        inbox.wait()
    assert backend.passes == ["first"] * 3 + ["later"] * 3 + ["chat"] * 3


def test_the_first_cancel_reason_wins():
    token = CancelToken()
    assert (token.cancelled, token.reason) == (False, None)
    assert token.cancel(CancelReason.TIMEOUT)
    assert not token.cancel(CancelReason.CLIENT)
    assert (token.cancelled, token.reason) == (True, CancelReason.TIMEOUT)


def test_the_first_cancel_reason_wins_under_many_threads():
    for _ in range(50):
        token, start = CancelToken(), threading.Barrier(len(CancelReason))
        won: list[CancelReason] = []

        def cancel(reason: CancelReason, token=token, start=start, won=won) -> None:
            start.wait(TIMEOUT_S)
            if token.cancel(reason):
                won.append(reason)

        threads = [threading.Thread(target=cancel, args=(reason,)) for reason in CancelReason]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT_S)
        assert won == [token.reason]


@pytest.mark.parametrize(
    ("platform", "lowered"), [("linux", True), ("darwin", False), ("win32", False), ("freebsd14", False)]
)
def test_only_linux_gives_the_model_thread_a_niceness(monkeypatch, platform, lowered):
    calls: list[tuple[int, int, int]] = []
    # The real os.setpriority is missing on Windows, and would stay in force for the test run elsewhere.
    monkeypatch.setattr(os, "setpriority", lambda *call: calls.append(call), raising=False)
    monkeypatch.setattr(os, "PRIO_PROCESS", 0, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    loaded = Loaded(Worker(GatedBackend))
    loaded.load()
    loaded.wait()
    assert loaded.worker.close(TIMEOUT_S)
    assert [niceness for _, _, niceness in calls] == ([NICENESS] if lowered else [])


def test_a_machine_that_forbids_the_niceness_loses_nothing_else(monkeypatch):
    def refuse(*call: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse, raising=False)
    monkeypatch.setattr(os, "PRIO_PROCESS", 0, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    loaded = Loaded(Worker(lambda: GatedBackend(gated=False)))
    loaded.load()
    assert ask(loaded.worker, "a").wait().reason is FinishReason.EOT
    assert loaded.worker.close(TIMEOUT_S)
