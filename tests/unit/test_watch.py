"""Watching the client's process: what counts as alive, on every platform by psutil alone."""

import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from midfill.server import watch
from midfill.server.watch import is_alive, watch_client
from tests.unit.fakes import TIMEOUT_S


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.stdin.close()
    process.wait(TIMEOUT_S)


def test_this_process_and_a_child_are_alive_and_an_ended_child_is_not(child):
    assert is_alive(os.getpid())
    assert is_alive(child.pid)
    child.communicate(b"\n")
    assert not is_alive(child.pid)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zombies")
def test_a_zombie_is_not_alive(child):
    child.kill()
    # Ended, and not waited for by anybody: WNOWAIT leaves it a zombie.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert not is_alive(child.pid)


@pytest.mark.parametrize("pid", [-1, -(2**31), 2**31, 2**70])
def test_a_number_that_is_no_process_is_not_alive(pid):
    assert not is_alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="0 is the idle process or the kernel elsewhere")
def test_process_0_is_not_alive():
    assert not is_alive(0)


@pytest.mark.parametrize(
    ("error", "alive"), [(psutil.AccessDenied(1), True), (psutil.NoSuchProcess(1), False)]
)
def test_a_process_that_may_not_be_looked_at_is_alive(monkeypatch, error, alive):
    def refuse(pid: int) -> None:
        raise error

    monkeypatch.setattr(psutil, "Process", refuse)
    assert is_alive(1) is alive


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_no_platform_is_asked_with_a_signal(monkeypatch, platform):
    asked: list[int] = []

    def find(pid: int) -> SimpleNamespace:
        asked.append(pid)
        return SimpleNamespace(status=lambda: psutil.STATUS_RUNNING)

    def kill(pid: int, signal: int) -> None:
        pytest.fail("os.kill(pid, 0) is Ctrl-C on Windows")

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(psutil, "Process", find)
    monkeypatch.setattr(os, "kill", kill)
    assert is_alive(42)
    assert asked == [42]


class Session:
    """What the watcher sees of the session."""

    def __init__(self, process_id: int | None) -> None:
        self.client = SimpleNamespace(process_id=process_id)
        self.code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def exit(self, code: int) -> None:
        if not self.code.done():
            self.code.set_result(code)


async def test_the_session_ends_when_the_clients_process_does(monkeypatch):
    monkeypatch.setattr(watch, "WATCH_PERIOD_S", 0)
    looks = iter([True, True, False])
    monkeypatch.setattr(watch, "is_alive", lambda pid: next(looks, False))
    session = Session(42)
    watcher = asyncio.create_task(watch_client(session))
    async with asyncio.timeout(TIMEOUT_S):
        assert await session.code == 1
    watcher.cancel()
    assert next(looks, None) is None, "it was looked at until it was gone"


async def test_a_client_without_a_process_is_not_watched(monkeypatch):
    monkeypatch.setattr(watch, "WATCH_PERIOD_S", 0)
    monkeypatch.setattr(watch, "is_alive", lambda pid: pytest.fail("nothing to look at"))
    session = Session(None)
    watcher = asyncio.create_task(watch_client(session))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not session.code.done()
    assert not watcher.done()
    watcher.cancel()
