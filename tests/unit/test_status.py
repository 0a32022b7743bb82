"""The status board: every change is announced once, and busy only where a model could be idle."""

import pytest

from midfill.server.status import METHOD, State, Status, StatusBoard


class Client:
    def __init__(self) -> None:
        self.seen: list[dict] = []

    def notify(self, method: str, params: dict) -> None:
        assert method == METHOD == "midfill/status"
        self.seen.append(params)


def test_the_states_are_those_of_the_contract():
    assert [*State] == ["starting", "downloading", "loading", "ready", "busy", "failed", "off"]


def test_each_change_is_announced_once_as_plain_json():
    client = Client()
    board = StatusBoard(client.notify)
    board.show(State.LOADING, "reading weights", "m", 0.25)
    board.show(State.LOADING, "reading weights", "m", 0.25)
    board.show(State.READY, model="m", device="cpu")
    assert client.seen == [
        {"state": "loading", "reason": "reading weights", "model": "m", "progress": 0.25, "device": ""},
        {"state": "ready", "reason": "", "model": "m", "progress": None, "device": "cpu"},
    ]
    assert all(type(params["state"]) is str for params in client.seen)
    assert board.current == Status(State.READY, model="m", device="cpu")


def test_busy_and_back_keep_the_models_name():
    client = Client()
    board = StatusBoard(client.notify)
    board.show(State.READY, model="m", device="cpu")
    for busy in (True, True, False, False):
        board.set_busy(busy)
    assert [(params["state"], params["model"], params["device"]) for params in client.seen] == [
        ("ready", "m", "cpu"),
        ("busy", "m", "cpu"),
        ("ready", "m", "cpu"),
    ]


@pytest.mark.parametrize("state", [s for s in State if s not in (State.READY, State.BUSY, State.STARTING)])
def test_busy_means_nothing_while_there_is_no_model(state):
    client = Client()
    board = StatusBoard(client.notify)
    board.show(state, "why")
    board.set_busy(True)
    board.set_busy(False)
    assert board.current == Status(state, "why")
    assert len(client.seen) == 1
