"""The virtual clock: it jumps to the next timer, waits for nothing, and notices when nothing can happen."""

import asyncio
import socket
import threading

import pytest

from benchmarks.replay.virtual import NothingLeft, run


def test_timers_fire_in_order_at_exactly_their_times():
    fired: list[tuple[str, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for name, at in (("late", 7200.0), ("soon", 0.25), ("next", 0.5)):
            loop.call_later(at, lambda name=name: fired.append((name, loop.time())))
        await asyncio.sleep(10_000)

    run(main())
    assert fired == [("soon", 0.25), ("next", 0.5), ("late", 7200.0)]


def test_a_timeout_is_virtual_too():
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.sleep(3601)
        return asyncio.get_running_loop().time()

    assert run(main()) == 3600


def test_what_is_ready_runs_before_time_goes_on():
    async def main() -> list[str]:
        order: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(0.001, order.append, "timer")
        loop.call_soon_threadsafe(order.append, "ready")
        await asyncio.sleep(0.001)
        return order

    assert run(main()) == ["ready", "timer"]


def test_what_has_arrived_is_read_before_time_goes_on():
    async def main() -> list[str]:
        order: list[str] = []
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        there.send(b"x")
        loop.add_reader(here, lambda: (order.append(f"read at {loop.time()}"), loop.remove_reader(here)))
        await asyncio.sleep(5)
        here.close()
        there.close()
        return order

    assert run(main()) == ["read at 0.0"]


def test_work_for_a_thread_is_done_at_once_and_takes_no_time():
    async def main() -> tuple[int, float]:
        thread = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return thread, asyncio.get_running_loop().time()

    assert run(main()) == (threading.get_ident(), 0.0)


def test_waiting_for_what_nobody_will_do_is_an_error_and_no_hang():
    async def main() -> None:
        await asyncio.Future()

    with pytest.raises(NothingLeft):
        run(main())
