"""What a model that was ready does later: loads a second one, is unloaded, comes back. For the status.

Event loop only. Decides nothing: the model side does, and says so by its progress.
"""

from collections.abc import Callable
from typing import Protocol

from midfill.model import LoadProgress, ModelInfo
from midfill.server.status import State, StatusBoard

IDLE = "idle"


class LoadView(Protocol):
    """Where the progress of one load is shown."""

    def report(self, message: str, fraction: float | None) -> None: ...
    def end(self, message: str) -> None: ...


class LaterLoads:
    """One at a time: reports of two loads that run at once share a place."""

    def __init__(self, status: StatusBoard, open_view: Callable[[str], LoadView]) -> None:
        self._status = status
        self._open_view = open_view
        self._view: LoadView | None = None

    def take(self, progress: LoadProgress, info: ModelInfo, busy: bool) -> None:
        """Show `progress`; `info` is of the one that completes, `busy` whether somebody waits for it."""
        match progress.stage:
            case "ready":
                self._end(progress.message or "ready")
                state = State.BUSY if busy else State.READY
                self._status.show(state, progress.message, info.name, device=info.device)
            case "idle":
                self._end(progress.message)
                self._status.show(State.OFF, IDLE, info.name)
            case "failed":
                self._end(progress.message)
                self._status.show(State.FAILED, progress.message)
            case _:
                if self._view is None:
                    self._view = self._open_view("Midfill: loading a model")
                self._view.report(progress.message, progress.fraction)
                self._status.show(State.LOADING, progress.message, info.name, progress.fraction)

    def stop(self) -> None:
        """The worker is being replaced, and with it what it loads."""
        self._end("stopped")

    def _end(self, message: str) -> None:
        if self._view is not None:
            self._view.end(message)
            self._view = None
