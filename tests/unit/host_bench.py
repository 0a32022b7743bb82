"""A model host whose backends and downloads the test holds in its hands."""

import asyncio

import pytest

from midfill.model import ModelConfig
from midfill.server import model_host
from midfill.server.model_host import ModelHost
from midfill.server.status import State, StatusBoard
from tests.unit.fakes import TIMEOUT_S, GatedBackend

CONFIG = ModelConfig("scripted", model="m")


class View:
    def __init__(self, title: str) -> None:
        self.title = title
        self.said: list[tuple[str, float | None]] = []
        self.ended: list[str] = []
        self.over = asyncio.Event()

    def report(self, message: str, fraction: float | None) -> None:
        self.said.append((message, fraction))

    def end(self, message: str) -> None:
        self.ended.append(message)
        self.over.set()


class Bench:
    """A host whose backends and downloads the test holds in its hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: list[State] = []
        self.views: list[View] = []
        self.calls: list[str] = []
        self.failures: list[str] = []
        self.backends: list[GatedBackend] = []
        self.next_backend = GatedBackend(gated=False)
        self.board = StatusBoard(lambda method, params: self._state(params["state"]))
        self.settled = asyncio.Event()
        self.host = ModelHost(
            self.board,
            self._open_view,
            lambda why: self.calls.append(f"missing: {why}"),
            lambda: self.calls.append("ready"),
            self.failures.append,
        )
        monkeypatch.setattr(model_host, "make_backend", self._make)

    async def settle(self) -> None:
        """Until the status says that the model is at rest."""
        async with asyncio.timeout(TIMEOUT_S):
            await self.settled.wait()

    def _state(self, state: str) -> None:
        self.states.append(State(state))
        at_rest = self.states[-1] in (State.READY, State.FAILED, State.OFF)
        self.settled.set() if at_rest else self.settled.clear()

    def _make(self, config: ModelConfig) -> GatedBackend:
        self.backends.append(self.next_backend)
        return self.next_backend

    def _open_view(self, title: str) -> View:
        self.views.append(View(title))
        return self.views[-1]
