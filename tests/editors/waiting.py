"""Waiting for an editor: a question asked again and again, and a dump for a human where it fails."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

POLL_S = 0.02
DEADLINE_S = 60.0
"""For anything that needs no model: a busy machine must not fail a test that is right."""


class Watched(ABC):
    """An editor that a test looks at."""

    @abstractmethod
    def dump(self) -> str:
        """What a human would look at first."""

    def wait_for(self, what: str, check: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
        """Ask `check` until it answers something true, and return that. Else fails, with a dump."""
        end = time.monotonic() + deadline_s
        while not (seen := check()):
            if time.monotonic() > end:
                raise AssertionError(f"after {deadline_s:.0f} s still not: {what}\n{self.dump()}")
            time.sleep(POLL_S)
        return seen
