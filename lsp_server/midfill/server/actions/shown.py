"""What the progress of one action says: what is being done, how much is written, the share done."""

from midfill.server.later_loads import LoadView


class Shown:
    """One run's, in `view`."""

    def __init__(self, view: LoadView) -> None:
        self._view = view
        self._stage, self._characters = "", 0
        self._share: float | None = None

    def on_text(self, characters: int) -> None:
        self._characters = characters
        self._show()

    def on_share(self, share: float | None) -> None:
        self._share = share
        self._show()

    def on_stage(self, stage: str) -> None:
        self._stage = stage
        self._show()

    def _show(self) -> None:
        count = f"{self._characters} characters"
        self._view.report(f"{self._stage} · {count}" if self._stage else count, self._share)
