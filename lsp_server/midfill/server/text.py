"""Text as the LSP specification sees it: lines, positions in three encodings, and edits. Pure.

An offset counts code points from the start of the text; a position is (line, character), both from 0, with
`character` in units of the negotiated encoding. A snapshot never changes. Knows nothing of LSP's types.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate

Position = tuple[int, int]
"""(line, character), as on the wire."""

LineStarts = tuple[int, ...]
"""The offset of each line's first character. Never empty: an empty text has one line."""


class Encoding(StrEnum):
    """What one unit of `character` is (LSP 3.17, PositionEncodingKind)."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    UTF_32 = "utf-32"


@dataclass(frozen=True, slots=True)
class DocumentSnapshot:
    """One version of one document. Make it with `new_snapshot`: the fields must agree with each other."""

    uri: str
    """As the client spells it."""
    version: int
    language: str
    text: str = field(repr=False)  # source text stays out of logs (invariant 7)
    eol: str
    """The line end that the text uses most; `\\n` where it has none, and on a tie."""
    line_starts: LineStarts = field(repr=False)


# LSP 3.17, "Text Documents": these three end a line. Form feed, U+2028 and all else that
# str.splitlines() splits at are ordinary characters.
_EOL = re.compile(r"\r\n?|\n")


def new_snapshot(uri: str, version: int, language: str, text: str) -> DocumentSnapshot:
    """Take `text` as it is: nothing is normalised, lone surrogates (JSON can carry them) are kept."""
    starts = find_line_starts(text)
    return DocumentSnapshot(uri, version, language, text, commonest_eol(text, len(starts)), starts)


def find_line_starts(text: str) -> LineStarts:
    """Scan a whole text: 0.7 ms for 10,000 lines, 2 ms where some end at a lone `\\r` (measured)."""
    if "\r" not in text or text.count("\r") == text.count("\r\n"):
        return (0, *accumulate([len(line) + 1 for line in text.split("\n")[:-1]]))
    return (0, *[match.end() for match in _EOL.finditer(text)])


def commonest_eol(text: str, line_count: int) -> str:
    """The line end used most, `\\n` on a tie. `line_count` saves counting the `\\n`."""
    if "\r" not in text:
        return "\n"
    crlf = text.count("\r\n")
    if 2 * crlf > line_count - 1:
        return "\r\n"
    cr = text.count("\r")
    uses = {"\n": line_count - 1 - cr, "\r\n": crlf, "\r": cr - crlf}
    return max(uses, key=lambda eol: uses[eol])


def line_at(snapshot: DocumentSnapshot, offset: int) -> int:
    """The line that holds `offset`; an offset between lines belongs to the later one."""
    return max(bisect_right(snapshot.line_starts, offset) - 1, 0)


def line_end(snapshot: DocumentSnapshot, line: int) -> int:
    """The offset of the line's end, before its `\\n`, `\\r\\n` or `\\r`. IndexError past the last line."""
    text, starts = snapshot.text, snapshot.line_starts
    start = starts[line]
    if line + 1 == len(starts):
        return len(text)
    end = starts[line + 1] - 1
    return end - 1 if end > start and text[end] == "\n" and text[end - 1] == "\r" else end


def line_text(snapshot: DocumentSnapshot, line: int) -> str:
    """The line without its end. IndexError past the last line."""
    return snapshot.text[snapshot.line_starts[line] : line_end(snapshot, line)]


def offset_at(snapshot: DocumentSnapshot, line: int, character: int, encoding: Encoding) -> int:
    """The offset of an LSP position, with LSP's clamping: never an error.

    A character past the line's end means the line's end, a line past the last means the end of the text,
    and a unit inside a character (half a surrogate pair, part of a UTF-8 sequence) means its start.
    """
    if line >= len(snapshot.line_starts):
        return len(snapshot.text)
    if line < 0 or character < 0:
        character = 0
    start = snapshot.line_starts[max(line, 0)]
    end = line_end(snapshot, max(line, 0))
    # No character takes less than one unit, so no more than `character` of them matter.
    return start + column_at(snapshot.text[start : min(end, start + character)], character, encoding)


def position_at(snapshot: DocumentSnapshot, offset: int, encoding: Encoding) -> Position:
    """The LSP position of an offset, the inverse of `offset_at`.

    An offset between `\\r` and `\\n` means the line's end; one outside the text, its start or end.
    """
    offset = min(max(offset, 0), len(snapshot.text))
    line = line_at(snapshot, offset)
    before = snapshot.text[snapshot.line_starts[line] : min(offset, line_end(snapshot, line))]
    return line, count_units(before, encoding)


def count_units(text: str, encoding: Encoding) -> int:
    """How many units `text` is: a lone surrogate is one in UTF-16 and three in UTF-8."""
    if encoding is Encoding.UTF_32 or text.isascii():
        return len(text)
    if encoding is Encoding.UTF_16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def column_at(line: str, units: int, encoding: Encoding) -> int:
    """How many characters of `line` fit whole into `units`.

    Steps forward by as many characters as fit even at their widest, so that each is encoded once and a
    1 MB line costs milliseconds.
    """
    if encoding is Encoding.UTF_32 or line.isascii():
        return min(max(units, 0), len(line))
    widest = 2 if encoding is Encoding.UTF_16 else 4
    column = 0
    while column < len(line):
        step = line[column : column + max(units // widest, 1)]
        units -= count_units(step, encoding)
        if units < 0:  # only ever a single character that does not fit
            break
        column += len(step)
    return column


def apply_edit(
    text: str, line_starts: LineStarts, start: int, end: int, new_text: str
) -> tuple[str, LineStarts]:
    """Replace text[start:end] by `new_text`; scan only around the edit and shift the line starts after it.

    Whether a line starts at s depends on the characters s-1 and s alone, so only s from `start` to the end
    of the new text can change: an edit may join or split a `\\r\\n` on either side of itself.
    """
    edited = "".join((text[:start], new_text, text[end:]))
    new_end = start + len(new_text)
    before = line_starts[: max(bisect_left(line_starts, start), 1)]
    around = [match.end() for match in _EOL.finditer(edited, max(start - 1, 0), new_end + 1)]
    if around and around[-1] > new_end:
        around.pop()  # it is the first of `after`
    after = line_starts[bisect_right(line_starts, end) :]
    shift = new_end - end
    if shift:
        return edited, (*before, *around, *[s + shift for s in after])
    return edited, (*before, *around, *after)


def edited_snapshot(before: DocumentSnapshot, start: int, end: int, new_text: str) -> DocumentSnapshot:
    """The snapshot after one edit at the offsets `start` ≤ `end`; its version is still the old one.

    0.1 to 0.6 ms at 10,000 lines, about 1 ms where the edit has line ends and the text is CRLF (measured).
    """
    text, starts = apply_edit(before.text, before.line_starts, start, end, new_text)
    same_line_ends = len(starts) == len(before.line_starts) and not (
        _EOL.search(new_text) or _EOL.search(before.text, start, end)
    )
    eol = before.eol if same_line_ends else commonest_eol(text, len(starts))
    return replace(before, text=text, eol=eol, line_starts=starts)
