"""Where an answer ends, judged by its text: incremental, and the same however the stream is chunked.

Two stages: `_Markers` works on characters (no marker and no half one gets through), `StopScanner` on
lines. A line is judged when it is complete; only the first, which continues the cursor's own line, is
passed on as it comes. Knows nothing of tokens.
"""

import re

from midfill.model.api import Scope, StopRules
from midfill.model.dialects import TEXT_MARKERS

FENCE = "```"
MAX_BLANK_LINES = 1
"""Two blank lines in a row end a block: that is how files separate their parts."""
MAX_SAME_LINES = 2
"""The third identical line in a row is a loop of the model (Continue uses 3)."""
MIN_TELLING_CHARS = 3
"""A line with fewer identifier characters (`}`, `x`) is met again too easily to mean a repetition."""
TAB_COLUMNS = 4

COMMENT = re.compile(r"\s(#|//).*$")
OPENER = re.compile(r"([:{(\[]|=>|->|\b(then|do|begin))$|^\s*(def|class|module|function)\b")
CLOSER = re.compile(r"\s*([)\]}]+[;,)\]}]*|end\b[;,]?|</[\w.-]+>)\s*")


class StopScanner:
    """Feed it the answer piece by piece; it hands back what may be shown and says when to stop."""

    def __init__(self, rules: StopRules, markers: tuple[str, ...] = TEXT_MARKERS) -> None:
        self.stopped = False
        self._rules = rules
        self._markers = _Markers(markers)
        self._indent = _columns(rules.line_before)
        self._on_fresh_line = not rules.line_before.strip()
        self._header = False
        self._line = ""  # the line that is being written
        self._sent = 0  # characters of it that were passed on
        self._gap = ""  # line ends and blank lines that wait for a line to follow
        self._lines = 0
        self._blank_lines = 0
        self._last = ""
        self._same_lines = 0

    def feed(self, text: str) -> tuple[str, bool]:
        """What `text` adds to the answer, and whether the answer ends there (`text` is then ignored)."""
        if self.stopped:
            return "", True
        clean, marker_met = self._markers.feed(text)
        out = self._scan(clean)
        if marker_met and not self.stopped:
            out += self._last_line()
            self.stopped = True
        return out, self.stopped

    def finish(self) -> str:
        """What was held back, when the model itself has ended."""
        if self.stopped:
            return ""
        out = self._scan(self._markers.finish())
        if not self.stopped:
            out += self._last_line()
            self.stopped = True
        return out

    def _scan(self, text: str) -> str:
        out = ""
        self._line += text
        while "\n" in self._line and not self.stopped:
            line, _, self._line = self._line.partition("\n")
            out += self._end_line(line)
        if not self.stopped and self._lines == 0 and not self._may_be_stop(self._line):
            out += self._line[self._sent :]
            self._sent = len(self._line)
        return out

    def _last_line(self) -> str:
        """The line that no line end completed."""
        if self._line.strip():
            return self._end_line(self._line)
        return "" if self._rules.scope is Scope.SINGLE_LINE else self._gap + self._line

    def _end_line(self, line: str) -> str:
        """Judge a complete line; return what of it, and of blank lines before it, is still to go out."""
        if self._stops_before(line):
            self.stopped = True
            return ""
        if line.strip():
            out, self._gap = self._gap + line[self._sent :], "\n"
        else:
            out, self._gap = "", self._gap + line + "\n"
        self.stopped = self._rules.scope is Scope.SINGLE_LINE or self._closes_block(line)
        self._remember(line)
        return out

    def _remember(self, line: str) -> None:
        first = self._lines == 0
        whole = self._rules.line_before + line if first else line
        blank = not whole.strip()
        self._lines += 1
        self._sent = 0
        self._blank_lines = self._blank_lines + 1 if blank else 0
        if blank:
            return
        self._same_lines = self._same_lines + 1 if whole.rstrip() == self._last else 1
        self._last = whole.rstrip()
        if first:
            self._header = not self._on_fresh_line and is_opener(whole)
            self._indent = _columns(whole)
        elif self._opens_brace_below(line):
            self._header = True

    def _stops_before(self, line: str) -> bool:
        first = self._lines == 0
        whole = self._rules.line_before + line if first else line
        if line.lstrip().startswith(FENCE):
            return True
        if (not first or self._on_fresh_line) and self._repeats_next_line(whole):
            return True
        if first:
            return False
        if not line.strip():
            return self._blank_lines >= MAX_BLANK_LINES
        looping = line.rstrip() == self._last and self._same_lines >= MAX_SAME_LINES
        return looping or self._dedents(line)

    def _dedents(self, line: str) -> bool:
        columns = _columns(line)
        if self._header and columns == self._indent:
            return not CLOSER.match(line)
        return columns < self._indent

    def _closes_block(self, line: str) -> bool:
        """Whether `line` is the closer of the header on the cursor's line (`} else {` goes on)."""
        at_header = self._header and self._lines > 0 and _columns(line) == self._indent
        return at_header and bool(line.strip()) and not is_opener(line)

    def _opens_brace_below(self, line: str) -> bool:
        """A brace alone under the cursor's line: that line was a header after all."""
        is_second = self._lines == 2 and not self._on_fresh_line
        return is_second and line.strip() == "{" and _columns(line) == self._indent

    def _repeats_next_line(self, whole: str) -> bool:
        there = self._rules.next_line
        if not there.strip() or whole.strip() != there.strip():
            return False
        telling = len(re.findall(r"\w", there)) >= MIN_TELLING_CHARS
        return telling or (bool(CLOSER.fullmatch(there)) and _columns(whole) == _columns(there))

    def _may_be_stop(self, line: str) -> bool:
        """Whether this beginning of the first line could still become one that is stopped before."""
        start = line.strip()
        if FENCE.startswith(start) or start.startswith(FENCE):
            return True
        return self._on_fresh_line and self._rules.next_line.strip().startswith(start)


class _Markers:
    """Passes text through up to the first marker, CRLF as LF, holding back what may be half of either."""

    def __init__(self, markers: tuple[str, ...]) -> None:
        self._find = re.compile("|".join(map(re.escape, markers)) or r"(?!)")
        self._starts = {marker[:n] for marker in markers for n in range(1, len(marker))} | {"\r"}
        self._longest = max(map(len, self._starts))
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        text = (self._held + text).replace("\r\n", "\n")
        if marker := self._find.search(text):
            return text[: marker.start()], True
        keep = range(min(self._longest, len(text)), 0, -1)
        half = next((n for n in keep if text[-n:] in self._starts), 0)
        self._held = text[len(text) - half :]
        return text[: len(text) - half], False

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held


def is_opener(line: str) -> bool:
    """Whether `line` opens a block that the lines below it are indented into."""
    return bool(OPENER.search(COMMENT.sub("", line).rstrip()))


def _columns(line: str) -> int:
    """How far a line is indented, tabs counted as `TAB_COLUMNS`."""
    wide = line.expandtabs(TAB_COLUMNS)
    return len(wide) - len(wide.lstrip())
