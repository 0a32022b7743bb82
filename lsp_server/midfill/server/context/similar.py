"""Stretches of other files that read like the text before the cursor. Pure.

Windows of lines, compared by the sets of their words (Jaccard), one a file, as Copilot does.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from midfill.server.context.candidate import Candidate, Source

WINDOW_LINES = 60
"""Copilot's and llama.vim's size."""
LEAST_LINES = 12
CHARS_PER_LINE = 36
"""Of code (measured on this repository: 35.6)."""
STEPS = 3
"""Windows begin every third of their length."""
MOST = 4
"""Copilot's number."""
LEAST_SCORE = 0.12
"""Below it two files have little more than their language in common (a guess)."""
MOST_EQUAL = 0.5
"""llama.vim: what equals more of the lines around the cursor makes the model repeat them."""
WORD = re.compile(r"[A-Za-z_]\w+")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KEYWORDS = """
self this return def class import from if else elif for while in not and or is as with try except function
const let var new public private static final void int str None null true false True False func type struct
fn pub impl use mut
"""
STOP_WORDS = frozenset(_KEYWORDS.split())
MAX_WINDOWS = 200
"""Of one file, spread over it: comparing them takes 2 ms."""


@dataclass(frozen=True, slots=True)
class Window:
    """Lines of one file."""

    first: int
    text: str
    words: frozenset[str]


def window_lines(room_chars: int) -> int:
    """How long a window may be that has so much room."""
    return max(LEAST_LINES, min(WINDOW_LINES, room_chars // CHARS_PER_LINE))


def windows(text: str, lines: int) -> tuple[Window, ...]:
    """The stretches of a file that could be shown, in order."""
    split = text.split("\n")
    last = max(1, len(split) - lines + lines // STEPS)
    found = []
    for first in range(0, last, max(1, lines // STEPS, last // MAX_WINDOWS)):
        part = "\n".join(split[first : first + lines]).strip("\n")
        if part.strip():
            found.append(Window(first, part, words(part)))
    return tuple(found)


def words(text: str) -> frozenset[str]:
    """The words of a code text, names apart in their parts too."""
    whole = {word for word in WORD.findall(text) if word not in STOP_WORDS}
    parts = {part.lower() for word in whole for part in PART.findall(word) if len(part) > 1}
    return frozenset(whole | parts)


def similar(
    before: str, around: str, files: Mapping[str, Sequence[Window]], room_chars: int
) -> list[Candidate]:
    """The best window of each file, the best MOST of them.

    `before`: as many lines before the cursor as a window has. `around`: all that a prompt shows of the
    cursor's file. `files`: path as a model is told it → windows.
    """
    wanted = words(before)
    shown = {line.strip() for line in around.split("\n") if line.strip()}
    found = []
    for path, of_file in sorted(files.items()):
        best = max(of_file, key=lambda window: _jaccard(wanted, window.words), default=None)
        if best is None or _equal_share(best.text, shown) > MOST_EQUAL:
            continue
        score = _jaccard(wanted, best.words)
        if score >= LEAST_SCORE:
            text, why = _fitting(best.text, room_chars), f"lines {best.first + 1}… read alike ({score:.2f})"
            found.append(Candidate(Source.SIMILAR, f"{path}:{best.first}", path, text, score, why))
    return sorted(found, key=lambda piece: (-piece.score, piece.path))[:MOST]


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


def _equal_share(text: str, shown: Iterable[str]) -> float:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    known = set(shown)
    return sum(line in known for line in lines) / max(1, len(lines))


def _fitting(text: str, room_chars: int) -> str:
    """Its first lines, as many as fit."""
    if len(text) <= room_chars:
        return text
    return text[: max(0, text.rfind("\n", 0, room_chars))]
