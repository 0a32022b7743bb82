"""Turns bytes done into LoadProgress. Knows nothing of files or networks."""

from dataclasses import dataclass

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.store.files import human_size

VERBS = {"download": "Downloading", "verify": "Checking"}


@dataclass(slots=True)
class Meter:
    """Progress over one file or several in a row. `show` lets what `report` raises through."""

    report: Report
    label: str
    total: int = 0
    """Bytes of all files together; 0 when not known."""
    before: int = 0
    """Bytes of the files already done."""

    def show(self, stage: str, done: int) -> None:
        """`done` bytes of the present file are through `stage`."""
        done += self.before
        amount = f"{human_size(done)} of {human_size(self.total)}" if self.total else human_size(done)
        fraction = min(1.0, done / self.total) if self.total else None
        self.report(LoadProgress(stage, f"{VERBS[stage]} {self.label}: {amount}", fraction))


def ignore(progress: LoadProgress) -> None:
    """A Report for callers who do not watch."""
