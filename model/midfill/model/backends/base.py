"""The only seam of the model side: what a backend is."""

from collections.abc import Callable, Generator
from typing import Protocol

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
