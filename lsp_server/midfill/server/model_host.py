"""The model as the server sees it: start, restart, pull, submit, and what its status says.

Event loop only; what worker threads report is brought over here. Never imports an engine.
"""

import asyncio
import logging
import threading
from collections.abc import Callable

from midfill.model import (
    CancelToken,
    Lane,
    LoadProgress,
    ModelConfig,
    ModelError,
    ModelInfo,
    NoModel,
    Request,
    Worker,
    make_backend,
)
from midfill.model.backends.base import Backend
from midfill.model.lanes import Deliver
from midfill.server.later_loads import LaterLoads, LoadView
from midfill.server.loop import on_loop
from midfill.server.status import State, StatusBoard

log = logging.getLogger(__name__)

NO_MODEL = "no-model"
DEFAULT_CONTEXT_TOKENS = 2048
"""Until a model has said what it takes."""
STAGES = {"download": State.DOWNLOADING, "verify": State.DOWNLOADING}


class ModelHost:
    """One worker at a time. `open_view` makes a place for a load's progress, given its title;
    `on_missing` is called when the model is not here, with a sentence, `on_ready` when it can be asked,
    `on_pull_failed` with a sentence for the user, who asked for the download."""

    def __init__(
        self,
        status: StatusBoard,
        open_view: Callable[[str], LoadView],
        on_missing: Callable[[str], None],
        on_ready: Callable[[], None],
        on_pull_failed: Callable[[str], None],
    ) -> None:
        self._status = status
        self._open_view = open_view
        self._on_missing = on_missing
        self._on_ready = on_ready
        self._on_pull_failed = on_pull_failed
        self._worker: Worker | None = None
        self._ending: list[Worker] = []
        """Workers that were told to end and may still be in a forward pass."""
        self._info: ModelInfo | None = None
        self._pull: threading.Thread | None = None
        self._closed = False
        self._waiting = 0
        self._later = LaterLoads(status, open_view)

    @property
    def info(self) -> ModelInfo | None:
        return self._info

    @property
    def silence(self) -> str:
        """Why the model cannot be asked now, as a code; empty when it can."""
        if self._info is not None:
            return ""
        return f"model-{self._status.current.state.value}"

    @property
    def context_tokens(self) -> int:
        return self._info.context_tokens if self._info else DEFAULT_CONTEXT_TOKENS

    def start(self, config: ModelConfig) -> None:
        """Load the model on a thread of its own; returns at once. Replaces the one that runs.

        Nothing happens after `close`: settings or a download may arrive that late.
        """
        if self._closed:
            return
        self._stop(timeout_s=0)
        loop = asyncio.get_running_loop()
        ending = tuple(self._ending)

        def make() -> Backend:
            for former in ending:  # one model at a time (invariant 3): two may not fit
                former.join()
            return make_backend(config)

        worker = self._worker = Worker(make)
        self._status.show(State.LOADING, model=config.model)
        view = self._open_view("Midfill: loading the model")
        worker.load(
            lambda progress: on_loop(loop, self._loading, worker, view, progress),
            lambda outcome: on_loop(loop, self._loaded, worker, view, outcome),
        )

    def submit(self, request: Request, token: CancelToken, deliver: Deliver, lane: Lane) -> None:
        """Queue a request. Only when `silence` is empty."""
        assert self._worker is not None
        self._worker.submit(request, token, deliver, lane)

    def began_waiting(self) -> None:
        """Somebody has waited for an answer for a while: that shows until `stopped_waiting`."""
        self._waiting += 1
        self._status.set_busy(True)

    def stopped_waiting(self) -> None:
        self._waiting -= 1
        self._status.set_busy(self._waiting > 0)

    def pull(self, name: str, config: ModelConfig) -> bool:
        """Fetch a model and start it; returns at once, False when a pull is under way already."""
        if self._pull is not None and self._pull.is_alive():
            return False
        loop = asyncio.get_running_loop()
        view = self._open_view("Midfill: downloading the model")
        self._status.show(State.DOWNLOADING, model=name)

        def report(progress: LoadProgress) -> None:
            if self._closed:
                raise _PullAbandoned
            on_loop(loop, self._pulling, view, name, progress)

        def run() -> None:
            failure = ""
            try:
                _fetch(name, report)
            except _PullAbandoned:
                return
            except ModelError as error:
                failure = str(error)
            except Exception as error:
                log.exception("pull failed")
                failure = f"the download failed: {type(error).__name__}: {error}"
            on_loop(loop, self._pulled, view, config, failure)

        self._pull = threading.Thread(target=run, name="midfill-pull", daemon=True)
        self._pull.start()
        return True

    def close(self, timeout_s: float = 2.0) -> bool:
        """Cancel everything and end the threads. Returns whether the model thread ended in time."""
        self._closed = True
        return self._stop(timeout_s)

    def _stop(self, timeout_s: float) -> bool:
        if self._worker is not None:
            self._ending.append(self._worker)
        self._worker = self._info = None
        self._later.stop()
        self._ending = [worker for worker in self._ending if not worker.close(timeout_s)]
        return not self._ending

    def _loading(self, worker: Worker, view: LoadView, progress: LoadProgress) -> None:
        if worker is not self._worker:
            return
        if self._info is not None:
            self._later.take(progress, self._info, busy=self._waiting > 0)
        else:
            view.report(progress.message, progress.fraction)
            state = STAGES.get(progress.stage, State.LOADING)
            self._status.show(state, progress.message, progress=progress.fraction)

    def _loaded(self, worker: Worker, view: LoadView, outcome: ModelInfo | ModelError) -> None:
        if worker is not self._worker:
            view.end("replaced")
        elif isinstance(outcome, ModelInfo):
            self._info = outcome
            view.end(f"{outcome.name} is ready on {outcome.device}")
            remarks = "; ".join(filter(None, (how_it_completes(outcome), outcome.note)))
            self._status.show(State.READY, remarks, outcome.name, device=outcome.device)
            log.info("model ready: %s", outcome)
            self._on_ready()
        elif isinstance(outcome, NoModel):
            view.end(str(outcome))
            self._status.show(State.OFF, NO_MODEL)
            self._on_missing(str(outcome))
        else:
            self._info = None
            view.end(str(outcome))
            self._status.show(State.FAILED, str(outcome))
            log.warning("the model could not be loaded: %s", outcome)

    def _pulling(self, view: LoadView, name: str, progress: LoadProgress) -> None:
        view.report(progress.message, progress.fraction)
        self._status.show(State.DOWNLOADING, progress.message, name, progress.fraction)

    def _pulled(self, view: LoadView, config: ModelConfig, failure: str) -> None:
        view.end(failure or "downloaded")
        if not failure:
            self.start(config)
            return
        log.warning("pull failed: %s", failure)
        self._on_pull_failed(failure)
        if self._info is None:
            self._status.show(State.FAILED, failure)
        else:  # the model that was there still is
            self._status.show(State.READY, failure, self._info.name, device=self._info.device)


def how_it_completes(info: ModelInfo) -> str:
    """For a status: empty where the model fills, as most do."""
    return f"completes left to right: {info.left_to_right}" if info.left_to_right else ""


class _PullAbandoned(BaseException):
    """Nobody waits for the download any more. No `except Exception` on its way may stop it."""


def _fetch(name: str, report: Callable[[LoadProgress], None]) -> None:
    from midfill.model.store.pull import pull  # httpx2 and the hub: only when something is pulled
    from midfill.model.store.store import Store

    pull(Store(), name, report=report, accept_licence=lambda entry: entry.open_source)
