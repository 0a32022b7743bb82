"""Where an answer ends, judged by its text: incremental, and the same however the stream is chunked.

Two stages: `Markers` works on characters, `StopScanner` on lines. A line is judged when it is complete;
only the first, which continues the cursor's own line, is passed on as it comes. Knows nothing of tokens.
"""

import re

from midfill.model.api import Scope, StopRules
from midfill.model.dialects import TEXT_MARKERS
from midfill.model.leaving import Leaving
from midfill.model.lines import (
    CLOSER,
    columns,
    continues_block,
    depth,
    is_closer,
    is_opener,
    is_unfinished,
    triple_quotes,
)
from midfill.model.markers import Markers

FENCE = "```"
MAX_LEADING_BLANKS = 3
"""Blank lines that are skipped before a single line; models seldom write more than one."""
MAX_BLANK_LINES = 1
"""Two blank lines in a row end a block: that is how files separate their parts."""
MAX_SAME_LINES = 2
"""The third identical line in a row is a loop of the model (Continue uses 3). It goes out, so that whoever
cleans up sees the loop, and keeps one."""
MIN_TELLING_CHARS = 3
"""A line with fewer identifier characters (`}`, `x`) is met again too easily to mean a repetition."""
STOP_RULES = (
    "fence", "next_line", "leading_blanks", "growth", "blank_lines", "same_lines", "dedent",
    "closed_block", "closed_line", "after_leaving",
)  # fmt: skip
"""What `StopRules.off` may name. That a marker ends an answer, and a line a single line, is no choice."""


class StopScanner:
    """Feed it the answer piece by piece; it hands back what may be shown and says when to stop."""

    def __init__(self, rules: StopRules, markers: tuple[str, ...] = TEXT_MARKERS) -> None:
        self.stopped = False
        self.fired: list[str] = []
        """Rules that decided something, in order; the last one ended the answer if `stopped`."""
        self._rules = rules
        self._markers = Markers(markers)
        self._indent = columns(rules.line_before)
        self._on_fresh_line = not rules.line_before.strip()
        self._single = rules.scope is Scope.SINGLE_LINE
        self._header = False
        self._open = 0  # brackets that a line which grew still has to close
        self._leaving = Leaving()
        self._in_string = rules.in_string
        self._line = ""  # the line that is being written
        self._sent = 0  # characters of it that were passed on
        self._gap = ""  # line ends and blank lines that wait for a line to follow
        self._skipped = 0
        self._lines = 0
        self._blank_lines = 0
        self._first = ""
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
            self._stop("marker")
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

    def _stop(self, rule: str) -> None:
        self.stopped = True
        self.fired.append(rule)

    def _on(self, rule: str) -> bool:
        return rule not in self._rules.off

    def _scan(self, text: str) -> str:
        out = ""
        self._line += text
        while not self.stopped:
            if self._skipped and self._lines == 0 and not self._on_fresh_line:
                self._line = self._line.lstrip(" \t")
            line, end, rest = self._line.partition("\n")
            if not end:
                break
            self._line = rest
            if self._skips(line):
                self._skipped += 1
                self.fired.append("leading_blanks")
            else:
                out += self._end_line(line)
        if not self.stopped and self._lines == 0 and not self._may_be_stop(self._line):
            out += self._line[self._sent :]
            self._sent = len(self._line)
        return out

    def _skips(self, line: str) -> bool:
        """A single line that begins with a line end: what is meant stands below it."""
        first = self._single and self._lines == 0 and self._skipped < MAX_LEADING_BLANKS
        if not first or line.strip() or not self._on("leading_blanks"):
            return False
        return self._on_fresh_line or is_unfinished(self._rules.line_before)

    def _last_line(self) -> str:
        """The line that no line end completed."""
        if self._line.strip():
            return self._end_line(self._line)
        return "" if self._single else self._gap + self._line

    def _end_line(self, line: str) -> str:
        """Judge a complete line; return what of it, and of blank lines before it, is still to go out."""
        if rule := self._stops_before(line):
            self._stop(rule)
            return ""
        if line.strip():
            out, self._gap = self._gap + line[self._sent :], "\n"
        else:
            out, self._gap = "", self._gap + line + "\n"
        self._remember(line)
        if rule := self._ends_with(line):
            self._stop(rule)
        return out

    def _remember(self, line: str) -> None:
        first = self._lines == 0
        whole = self._rules.line_before + line if first else line
        blank, in_string = not whole.strip(), self._in_string
        self._lines += 1
        self._sent = 0
        self._blank_lines = self._blank_lines + 1 if blank else 0
        self._in_string ^= triple_quotes(line) % 2 == 1
        self._open += depth(line) if self._open and not first else 0
        if blank:
            return
        self._same_lines = self._same_lines + 1 if whole.rstrip() == self._last else 1
        self._last = whole.rstrip()
        if not self._first:
            self._first = whole
            self._header = first and not self._on_fresh_line and is_opener(whole)
            self._indent = columns(whole)
            if self._header:
                return
        if not in_string:
            self._leaving.remember(whole)
        if self._opens_brace_below(line):
            self._header = True

    def _ends_with(self, line: str) -> str:
        """The rule by which the answer ends behind `line`, which was just remembered; empty: it goes on."""
        if self._is_one_line(line) and self._on("closed_line"):
            self._single = True
            self._open = max(self._rules.unclosed, depth(self._rules.line_before)) + depth(line)
            return "closed_line" if self._open <= 0 else ""
        if self._single:
            if self._lines > 1 or not self._grows(line):
                return "line_end" if self._open <= 0 else ""
            self.fired.append("growth")
            return ""
        if self._same_lines > MAX_SAME_LINES and self._on("same_lines"):
            return "same_lines"
        in_block = self._header and self._lines > 1 and self._open <= 0 and not self._in_string
        closes = columns(line) == self._indent and is_closer(line) and not is_opener(line)
        return "closed_block" if in_block and closes and self._on("closed_block") else ""

    def _is_one_line(self, line: str) -> bool:
        """The answer went on with a line that ended in `foo(` or `if x:`, and is no block."""
        opened = self._lines == 1 and not self._on_fresh_line and is_opener(self._rules.line_before)
        return opened and not self._single and not self._header and bool(line.strip())

    def _grows(self, line: str) -> bool:
        """Whether the first line of a single line begins something: a block, or a bracket left open."""
        whole = self._rules.line_before + line
        has_body = columns(self._rules.next_line) > columns(whole)
        if not self._rules.may_grow or has_body or not self._on("growth"):
            return False
        self._open = max(0, self._rules.unclosed + depth(line))
        if is_opener(whole):
            self._single, self._header = False, True
        return self._open > 0 or self._header

    def _stops_before(self, line: str) -> str:
        """The rule by which the answer ends before `line`; empty: it does not."""
        first = self._lines == 0
        whole = self._rules.line_before + line if first else line
        if self._in_string:
            return ""
        if line.lstrip().startswith(FENCE) and self._on("fence"):
            return "fence"
        if (not first or self._on_fresh_line) and self._repeats_next_line(whole) and self._on("next_line"):
            return "next_line"
        if first:
            return ""
        if not line.strip():
            ended = self._blank_lines >= MAX_BLANK_LINES or self._single
            return "blank_lines" if ended and self._on("blank_lines") else ""
        if self._dedents(line) and self._on("dedent"):
            return "dedent"
        return "after_leaving" if self._leaving.is_below(line) and self._on("after_leaving") else ""

    def _dedents(self, line: str) -> bool:
        column = columns(line)
        if self._open > 0 and is_closer(line):
            return False
        if self._single:  # a bracket is open: on this line, or since one above it
            return column < self._indent + (depth(self._first) > 0)
        if self._header and column == self._indent:
            return not is_closer(line) and not continues_block(line)
        return column < self._indent

    def _opens_brace_below(self, line: str) -> bool:
        """A brace alone under the cursor's line: that line was a header after all."""
        is_second = self._lines == 2 and not self._on_fresh_line
        return is_second and line.strip() == "{" and columns(line) == self._indent

    def _repeats_next_line(self, whole: str) -> bool:
        there = self._rules.next_line
        if not there.strip() or whole.strip() != there.strip() or columns(whole) != columns(there):
            return False
        return len(re.findall(r"\w", there)) >= MIN_TELLING_CHARS or bool(CLOSER.fullmatch(there))

    def _may_be_stop(self, line: str) -> bool:
        """Whether this beginning of the first line could still become one that is stopped before."""
        start = line.strip()
        if FENCE.startswith(start) or start.startswith(FENCE):
            return True
        return self._on_fresh_line and self._rules.next_line.strip().startswith(start)
