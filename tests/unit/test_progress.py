"""Work-done progress: begun only when the client agreed, ended once, silent where there is no place."""

from concurrent.futures import Future

import pytest
from lsprotocol import types

from midfill.server.progress import WorkDoneProgress


class FakeWire:
    """Notes what is sent; the test resolves `created` as the client would."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, object]] = []
        self.sent: list[tuple[str | int, str, str | None, int | None]] = []
        self.created: Future[None] = Future()

    def send_request(self, method: str, params: object) -> "Future[None]":
        self.requests.append((method, params))
        return self.created

    def notify(self, method: str, params: types.ProgressParams) -> None:
        assert method == "$/progress"
        value = params.value
        self.sent.append(
            (params.token, value.kind, getattr(value, "message", None), getattr(value, "percentage", None))
        )

    @property
    def told(self) -> list[tuple[str, str | None, int | None]]:
        return [told[1:] for told in self.sent]


def test_a_client_without_such_a_place_gets_nothing():
    wire = FakeWire()
    progress = WorkDoneProgress(wire, supported=False, title="loading")
    progress.report("half", 0.5)
    progress.end("done")
    assert (wire.requests, wire.sent) == ([], [])


def test_it_begins_when_the_client_agrees_then_reports_and_ends():
    wire = FakeWire()
    progress = WorkDoneProgress(wire, supported=True, title="loading")
    progress.report("too early", 0.1)
    assert wire.sent == []
    wire.created.set_result(None)
    progress.report("half", 0.5)
    progress.report("half", 0.503)  # the same percentage
    progress.report("no idea how far", None)
    progress.end("done")
    progress.end("done")
    progress.report("too late", 1.0)
    assert wire.told == [
        ("begin", None, 0),
        ("report", "half", 50),
        ("report", "no idea how far", None),
        ("end", "done", None),
    ]
    [(method, params)] = wire.requests
    assert method == "window/workDoneProgress/create"
    assert {token for token, *_ in wire.sent} == {params.token}


def test_work_that_ended_before_the_client_agreed_is_begun_and_ended_so_that_its_token_is_closed():
    wire = FakeWire()
    WorkDoneProgress(wire, supported=True, title="loading").end("done")
    wire.created.set_result(None)
    assert [kind for _, kind, *_ in wire.sent] == ["begin", "end"]


@pytest.mark.parametrize("refuse", [lambda f: f.set_exception(RuntimeError("no")), lambda f: f.cancel()])
def test_a_client_that_refuses_gets_nothing(refuse):
    wire = FakeWire()
    progress = WorkDoneProgress(wire, supported=True, title="loading")
    refuse(wire.created)
    progress.report("half", 0.5)
    progress.end("done")
    assert wire.sent == []


def test_two_pieces_of_work_have_two_tokens():
    one, other = FakeWire(), FakeWire()
    for wire in (one, other):
        WorkDoneProgress(wire, supported=True, title="loading")
    assert one.requests[0][1].token != other.requests[0][1].token
