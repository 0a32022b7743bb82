"""Characters on their way out: no marker and no half one gets through, CRLF becomes LF. Knows no line."""

import re

from midfill.model.dialects import TEXT_MARKERS

SPELLED = r"<\|[a-z][a-z_]{2,30}\|>"
"""What most families' markers look like, whichever of them the model learned from (`<|im_sep|>`)."""
HALF_SPELLED = re.compile(r"<(\|([a-z][a-z_]{0,30}\|?)?)?\Z")


class Markers:
    """Passes text through up to the first marker, holding back what may be half of one."""

    def __init__(self, markers: tuple[str, ...] = TEXT_MARKERS) -> None:
        self._find = re.compile("|".join([*map(re.escape, markers), SPELLED]))
        self._starts = {marker[:n] for marker in markers for n in range(1, len(marker))} | {"\r"}
        self._longest = max(map(len, self._starts))
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """(what may go on, whether a marker was met behind it)."""
        text = (self._held + text).replace("\r\n", "\n")
        if marker := self._find.search(text):
            return text[: marker.start()], True
        keep = range(min(self._longest, len(text)), 0, -1)
        half = next((n for n in keep if text[-n:] in self._starts), 0)
        if spelled := HALF_SPELLED.search(text):
            half = max(half, len(text) - spelled.start())
        self._held = text[len(text) - half :]
        return text[: len(text) - half], False

    def finish(self) -> str:
        """What was held back, when the model itself has ended: it became no marker."""
        held, self._held = self._held, ""
        return held
