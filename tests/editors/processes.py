"""The end of what a test started: waited for, then forced."""

import contextlib
import time
from collections.abc import Iterable

import psutil

from tests.editors.waiting import POLL_S


def runs(process: psutil.Process) -> bool:
    """A zombie does not: who adopts the orphans of an editor may take seconds to bury them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def end(processes: Iterable[psutil.Process], patience_s: float) -> None:
    """Kill those that have not ended by themselves after `patience_s`."""
    left = set(processes)
    latest = time.monotonic() + patience_s
    while (left := {process for process in left if runs(process)}) and time.monotonic() < latest:
        time.sleep(POLL_S)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
