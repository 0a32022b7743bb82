"""What pip is downloading, how much of it is here, how long the rest takes: read from its lines. Pure.

pip prints `Downloading NAME (190.1 MB)` and, told `--progress-bar=raw`, `Progress 1048576 of 199335936`.
"""

import re
import time
from collections.abc import Callable

NAMED = re.compile(r"\s*Downloading (?:.*/)?([A-Za-z0-9_.]+?)-\d\S* ")
RAW = re.compile(r"Progress (\d+) of (\d+)")
WORTH_BYTES = 5_000_000
"""Smaller files are over before anybody has read about them."""
EVERY_S = 0.5
LEAST_S = 2.0
"""Before that a rate says nothing."""


class Downloads:
    """Fed line by line; tells of large files, twice a second at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._name = ""
        self._began = self._told = 0.0

    def take(self, line: str) -> str:
        """A few words for the user, or nothing: `torch, 80 of 190 MB, 12 s left`."""
        if named := NAMED.match(line):
            self._name, self._began, self._told = named[1], self._clock(), 0.0
            return ""
        progress = RAW.match(line)
        if progress is None:
            return ""
        here, whole = int(progress[1]), int(progress[2])
        now = self._clock()
        if whole < WORTH_BYTES or (now - self._told < EVERY_S and here < whole):
            return ""
        self._told = now
        words = f"{self._name}, {here / 1e6:.0f} of {whole / 1e6:.0f} MB"
        passed = now - self._began
        if here and here < whole and passed >= LEAST_S:
            words += f", {passed * (whole - here) / here:.0f} s left"
        return words
