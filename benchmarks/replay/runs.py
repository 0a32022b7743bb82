"""Who is replayed, and how: on a virtual clock with the scripted model, or by the clock with a real one."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.replay import virtual
from benchmarks.replay.device import Device
from benchmarks.replay.ledger import Ledger
from benchmarks.replay.passages import Passage
from benchmarks.replay.policies import cody, continue_, llama_vim
from benchmarks.replay.policies.ours import Midfill
from benchmarks.replay.policy import Make
from benchmarks.replay.prompts import OurPrompts, Prompter, TheirPrompts, Window
from benchmarks.replay.script import Script
from benchmarks.replay.session import Session
from benchmarks.replay.typists import TYPISTS, Copies
from midfill.model.config import ModelConfig
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.status import State, StatusBoard


@dataclass(frozen=True, slots=True)
class Engine:
    """A policy, and the prompts that it makes."""

    make: Make
    prompts: Callable[[], Prompter]


def theirs(make: Make, window: Window) -> Engine:
    return Engine(make, lambda: TheirPrompts(window))


OURS = "midfill"
ENGINES = {
    OURS: Engine(Midfill, OurPrompts),
    "continue": theirs(continue_.Continue, continue_.WINDOW),
    "cody": theirs(cody.Cody, cody.WINDOW),
    "llama_vim": theirs(llama_vim.LlamaVim, llama_vim.WINDOW),
}


def waiting(debounce_ms: float) -> Engine:
    """Ours with another setting."""
    settings = Settings(debounce_ms=debounce_ms)
    return Engine(lambda documents, host: Midfill(documents, host, settings), OurPrompts)


Sessions = dict[str, list[Session]]
"""By typist."""


def play_scripted(passage: Passage, typist: type[Copies], engine: Engine) -> Session:
    """One session on a virtual clock; the same every time."""

    async def play() -> Session:
        script = Script(passage)
        device = Device(script, engine.prompts())
        session = Session(passage, Ledger(device, script))
        await session.play(typist(passage), engine.make)
        await device.close()
        return session

    return virtual.run(play())


def scripted(chosen: Sequence[Passage], engine: Engine) -> Sessions:
    return {
        name: [play_scripted(passage, typist, engine) for passage in chosen]
        for name, typist in TYPISTS.items()
    }


class NoModel(Exception):  # noqa: N818 - the model is what is missing
    """`str(error)` says why."""


def default_model(threads: int) -> ModelConfig:
    """As it is served; `threads` 0: as many as it takes itself."""
    return replace(Settings(threads=threads).model_config(), model=DEFAULT_MODEL)


async def with_model(chosen: Sequence[Passage], minutes: float, config: ModelConfig) -> Sessions:
    """By the clock, with a loaded model: each passage by all typists, as many passages as fit into
    `minutes`, one at least. Raises NoModel.
    """
    host = await _load(config)
    ends, longest = time.monotonic() + 60 * minutes, 0.0
    played: Sessions = {name: [] for name in TYPISTS}
    try:
        for passage in chosen:
            began = time.monotonic()
            if longest and began + longest > ends:
                break
            for name, typist in TYPISTS.items():
                session = Session(passage, Ledger(host, Script(passage)))
                await session.play(typist(passage), Midfill)
                played[name].append(session)
            longest = max(longest, time.monotonic() - began)
    finally:
        host.close()
    return played


async def _load(config: ModelConfig) -> ModelHost:
    settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look(*_: Any) -> None:
        state, reason = status.current.state, status.current.reason
        if state is State.READY and not settled.done():
            settled.set_result(None)
        elif state in (State.FAILED, State.OFF) and not settled.done():
            settled.set_exception(NoModel(reason))

    status = StatusBoard(look)
    host = ModelHost(status, lambda title: _Quiet(), _nothing, _nothing, _nothing)
    host.start(config)
    try:
        await settled
    except NoModel:
        host.close()
        raise
    return host


class _Quiet:
    def report(self, message: str, fraction: float | None) -> None: ...

    def end(self, message: str) -> None: ...


def _nothing(*_: object) -> None: ...
