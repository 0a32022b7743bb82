"""Is the client's process still there? Pipes alone do not tell: a child of it may hold them open."""

import asyncio
import logging

import psutil

from midfill.server.app import App

log = logging.getLogger(__name__)

WATCH_PERIOD_S = 1.0
"""Dead clients are noticed well within the 5 s that issue 2 asks for."""


async def watch_client(app: App) -> None:
    """End the session when the client's process dies. Runs until it is cancelled."""
    while True:
        pid = app.client.process_id
        if pid is not None and not is_alive(pid):
            log.info("the client's process is gone")
            app.exit(1)
        await asyncio.sleep(WATCH_PERIOD_S)


def is_alive(pid: int) -> bool:
    """Whether a process with this id runs (a zombie does not), on every platform: `os.kill(pid, 0)`
    would be Ctrl-C on Windows."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError):
        return False
