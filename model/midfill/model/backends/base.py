"""The only seam of the model side: what a backend is."""

from collections.abc import Callable, Generator
from typing import Protocol, runtime_checkable

from midfill.model.api import Event, LoadProgress, ModelInfo, Request

Report = Callable[[LoadProgress], None]


class Backend(Protocol):
    """A model that runs. All methods are called on one thread, the worker's, and block.

    Nothing here knows of cancellation: a backend makes at most ONE forward pass (a prefill block or a
    decode step) per `next()` on its stream, and the worker simply does not ask for the next one.
    """

    def load(self, report: Report) -> ModelInfo:
        """Bring the model to where the next call answers at full speed. Raises ModelError.

        `report` may be called often; it may raise to abandon the load.
        """
        ...

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """Yield a Chunk after every forward pass, then exactly one Finish.

        `close()` on the generator may come after any chunk: the backend must then be ready for the
        next stream, and keeps whatever KV cache is still right. A chat stream may be suspended between
        two chunks while FIM streams run: they must not disturb each other.
        Raises ModelError (OutOfMemory, GenerationError) for this request; the backend stays usable.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, markers in it counted as text."""
        ...

    def close(self) -> None:
        """Free the device."""
        ...


class TwoStep(Backend, Protocol):
    """A backend whose `load` comes in two parts, so that another one may answer meanwhile."""

    def read(self, report: Report) -> None:
        """Find, convert and read the weights; no forward pass. The one method that may run on another
        thread, while nothing else of this backend runs. Raises as `load` does."""
        ...

    def warm_up(self) -> Generator[float | None, None, ModelInfo]:
        """The rest of `load`, on the model thread: at most a few forward passes per `next()`, which returns
        the share that is done, 0–1, where that is known."""
        ...


@runtime_checkable
class Resting(Protocol):
    """A backend that has something to do while nobody asks."""

    def rest(self) -> float | None:
        """Called on the model thread when no request waits: at most one forward pass.

        Returns the seconds after which it wants to be called again; None: not before the next request.
        """
        ...


def most_chats_of(backend: object) -> int:
    """How many chat streams of `backend` may be under way now, because they share passes; 1 where it has no
    `most_chats`. No reason to end one where it falls."""
    most: int = getattr(backend, "most_chats", 1)
    return most


def load_whole(backend: TwoStep, report: Report) -> ModelInfo:
    """`Backend.load` of a backend that has it in two parts."""
    backend.read(report)
    passes = warm(backend, report)
    while True:
        try:
            next(passes)
        except StopIteration as ended:
            info: ModelInfo = ended.value
            return info


def warm(backend: TwoStep, report: Report) -> Generator[None, None, ModelInfo]:
    """`TwoStep.warm_up`, reported."""
    report(LoadProgress("warm-up", "first tokens"))
    passes = backend.warm_up()
    while True:
        try:
            share = next(passes)
        except StopIteration as ended:
            info: ModelInfo = ended.value
            return info
        if share is not None:
            report(LoadProgress("warm-up", "preparing the GPU", share))
        yield
