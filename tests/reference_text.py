"""Text and positions, written as naively as the LSP specification reads: the tests' second opinion.

Shares no code and no idea with midfill.server.text: every answer is worked out from the first character.
"""

from hypothesis import strategies as st

WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

# Everything that has ever been taken for a line end, and every width of character.
PIECES = [
    *("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"),
    *("a", " ", "\t", "é", "e\u0301", "漢", "😀", "👩‍💻", "\ud83d", "\ude00", "\udfff", "\0"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
counts = st.integers(0, 12) | st.sampled_from([-1, 1000, 2**31 - 1])
positions = st.tuples(counts, counts)


def split(text: str) -> list[tuple[str, str]]:
    """(line, its end) by a state machine over the characters."""
    lines, body, at = [], "", 0
    while at < len(text):
        if text[at] == "\r" and at + 1 < len(text) and text[at + 1] == "\n":
            lines.append((body, "\r\n"))
            body, at = "", at + 2
        elif text[at] in ("\r", "\n"):
            lines.append((body, text[at]))
            body, at = "", at + 1
        else:
            body, at = body + text[at], at + 1
    return [*lines, (body, "")]


def units(text: str, encoding: str) -> int:
    codec, width = WIDTHS[encoding]
    return len(text.encode(codec, "surrogatepass")) // width


def line_starts(text: str) -> list[int]:
    starts = [0]
    for body, end in split(text)[:-1]:
        starts.append(starts[-1] + len(body) + len(end))
    return starts


def offset_at(text: str, line: int, character: int, encoding: str) -> int:
    lines = split(text)
    if line >= len(lines):
        return len(text)
    if line < 0:
        return 0
    body = lines[line][0]
    fitting = [n for n in range(len(body) + 1) if units(body[:n], encoding) <= character]
    return line_starts(text)[line] + max(fitting, default=0)


def position_at(text: str, offset: int, encoding: str) -> tuple[int, int]:
    starts = line_starts(text)
    line = max(n for n, start in enumerate(starts) if start <= offset)
    body = split(text)[line][0]
    return line, units(body[: offset - starts[line]], encoding)


def commonest_eol(text: str) -> str:
    ends = [end for _, end in split(text)[:-1]]
    best = "\n"
    for end in ("\r\n", "\r"):
        if ends.count(end) > ends.count(best):
            best = end
    return best


def edit(text: str, span: tuple[tuple[int, int], tuple[int, int]] | None, new: str, encoding: str) -> str:
    if span is None:
        return new
    start, end = (offset_at(text, line, character, encoding) for line, character in span)
    if start > end:
        start, end = end, start
    return text[:start] + new + text[end:]
