"""One request's cancel token: a flag that any thread may set once and any thread may read."""

from enum import StrEnum


class CancelReason(StrEnum):
    CLIENT = "client"
    """`$/cancelRequest`."""
    SUPERSEDED = "superseded"
    """A newer request for the same document."""
    ENOUGH = "enough"
    """The receiver has all that it needs."""
    TIMEOUT = "timeout"
    SHUTDOWN = "shutdown"


class CancelToken:
    """First reason wins. No lock: one attribute, written once, and both reads and the
    compare-and-set below happen under `setdefault` on a dict, which is atomic in CPython
    (and by specification on free-threaded builds).
    """

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state: dict[str, CancelReason] = {}

    def cancel(self, reason: CancelReason) -> bool:
        """Set the token. Returns whether `reason` is the one that counts."""
        return self._state.setdefault("reason", reason) is reason

    @property
    def cancelled(self) -> bool:
        return bool(self._state)

    @property
    def reason(self) -> CancelReason | None:
        return self._state.get("reason")
