"""Brackets and quotes in a piece of code, read mark by mark without knowing its language. Pure."""

import re
from collections.abc import Sequence
from itertools import takewhile

PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}
LINE_QUOTES = ("'", '"')
"""Strings in these end on their line."""
QUOTES = (*LINE_QUOTES, "`", '"""', "'''", "```")
MARK = re.compile(r"""\\.|"{3}|'{3}|`{3}|[-=]>|.""", re.DOTALL)
"""One step of reading: an escaped character, a triple quote and an arrow each count as one."""


def retyped(text: str, closers: str) -> int:
    """How many code points at the start of `closers`, which stand behind the cursor, can go because
    `text`, written before them, brings them itself."""
    behind = MARK.findall(closers)
    done, still_open = _follow(text, behind)
    for count in range(min(done, len(still_open)), 0, -1):
        reopened = reversed(still_open[-count:])
        if all(map(_closes, behind[done - count : done], reopened)):
            done -= count  # `a) + (b` before `)`: the last bracket needs the editor's
            break
    return sum(map(len, behind[:done]))


def closes_itself(text: str) -> bool:
    """Whether no bracket that `text` opens is still open at its end."""
    return not any(mark in PAIRS.values() for mark in _follow(text, ())[1])


def _follow(text: str, behind: Sequence[str]) -> tuple[int, list[str]]:
    """How many marks of `behind` the text types, in order and on their own level, and the brackets and
    quotes of its own that are open at its end."""
    done, last = 0, -2
    own: list[str] = []
    marks = MARK.findall(text)
    for place, mark in enumerate(marks):
        due = behind[done] if done < len(behind) else ""
        if own and own[-1] in QUOTES:
            if mark == own[-1]:
                own.pop()
        elif mark == due and (place == last + 1 or (not own and not mark.isspace())):
            done, last = done + 1, place
        elif due in QUOTES and not own:
            continue  # still inside the string that `due` ends
        elif _opens(mark, behind, marks[place + 1 :]):
            own.append(mark)
        elif own and _closes(mark, own[-1]):
            own.pop()
    return done, own


def _opens(mark: str, behind: Sequence[str], ahead: Sequence[str]) -> bool:
    """A lone `'` or `"` opens nothing: it is an apostrophe, or one of Rust's lifetimes. `<` may be a
    comparison, unless an angle bracket stands behind the cursor."""
    if mark in LINE_QUOTES:
        return mark in behind or mark in takewhile(lambda other: other != "\n", ahead)
    if mark == "<":
        return ">" in behind
    return mark in QUOTES or mark in PAIRS.values()


def _closes(mark: str, opener: str) -> bool:
    return mark == opener if opener in QUOTES else PAIRS.get(mark) == opener
