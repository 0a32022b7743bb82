"""What the server is doing, for status bars: the `midfill/status` notification (DESIGN §2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

METHOD = "midfill/status"


class State(StrEnum):
    STARTING = "starting"
    DOWNLOADING = "downloading"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Status:
    state: State = State.STARTING
    reason: str = ""
    """Why, as a short code (`no-model`) or a sentence for a human."""
    model: str = ""
    progress: float | None = None
    """0–1 while downloading or loading, when it is known."""
    device: str = ""
    """What the model runs on, once it does."""

    def as_params(self) -> dict[str, Any]:
        return {
            "state": self.state.value,
            "reason": self.reason,
            "model": self.model,
            "progress": self.progress,
            "device": self.device,
        }


class StatusBoard:
    """Holds the present status and tells the client about every change. Event loop only."""

    def __init__(self, notify: Callable[[str, dict[str, Any]], None]) -> None:
        self._notify = notify
        self._current = Status()

    @property
    def current(self) -> Status:
        return self._current

    def show(
        self,
        state: State,
        reason: str = "",
        model: str = "",
        progress: float | None = None,
        device: str = "",
    ) -> None:
        """Announce a new status; the same one twice is announced once."""
        status = Status(state, reason, model, progress, device)
        if status != self._current:
            self._current = status
            self._notify(METHOD, status.as_params())

    def set_busy(self, busy: bool) -> None:
        """Between READY and BUSY only: a model that is loading stays loading."""
        wanted = State.BUSY if busy else State.READY
        if self._current.state in (State.READY, State.BUSY):
            status = replace(self._current, state=wanted)
            self.show(status.state, status.reason, status.model, status.progress, status.device)
