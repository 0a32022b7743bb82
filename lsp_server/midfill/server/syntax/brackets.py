"""Brackets on both sides of a cursor, in any language. Pure: text in, a number out."""

import re
from functools import cache

PAIRS = {")": "(", "]": "[", "}": "{"}
TRIPLE = r"\"\"\".*?\"\"\"|'''.*?'''"
DOUBLE, BACK = r"\"(?:\\.|[^\"\\\n])*\"", r"`(?:\\.|[^`\\])*`"
SINGLE = r"'(?:\\.|[^'\\\n])*'"
BLOCK, SLASHES, HASH = r"/\*.*?\*/", r"(?<=\s)//[^\n]*", r"(?<=\s)#[^\n]*"
HASHES = frozenset(
    {"python", "ruby", "perl", "r", "shellscript", "powershell", "makefile", "cmake", "dockerfile"}
    | {"yaml", "toml", "julia", "elixir", "coffeescript", "nim"}
)
"""Where a comment begins with `#`, and `//` divides."""
SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte"})
"""Where `#name` is private, and text between tags has apostrophes: no string begins behind a letter."""
BRACKETS = re.compile(r"[()\[\]{}]")


@cache
def _no_code(language: str) -> re.Pattern[str]:
    """Strings and comments of `language`, or of any that is not told apart here."""
    if language in HASHES:
        parts = [TRIPLE, DOUBLE, SINGLE, BACK, HASH]
    elif language in SCRIPTS:
        parts = [DOUBLE, rf"(?<!\w){SINGLE}", BACK, BLOCK, SLASHES]
    else:
        parts = [TRIPLE, DOUBLE, SINGLE, BACK, BLOCK, HASH, SLASHES]
    return re.compile("|".join(parts), re.DOTALL)


def unclosed(before: str, after: str, language: str = "") -> int:
    """How many brackets that are open at the cursor nothing behind it closes.

    Round and square ones wherever they were opened, curly ones only on the cursor's own line: a function
    at the end of a file may lack its brace for long while its lines are written.
    """
    above, _, line = before.rpartition("\n")
    code = _no_code(language)
    ours = [mark for mark in _left_over(above, code)[1] if mark != "{"]
    closing, opening = _left_over(line, code)
    for mark in closing:
        if ours and ours[-1] == PAIRS[mark]:
            ours.pop()
    ours += opening
    count = 0
    for mark in _left_over(after, code)[0]:
        while ours and ours[-1] != PAIRS[mark]:
            ours.pop()
            count += 1
        if not ours:
            break
        ours.pop()
    return count + len(ours)


def first_stray(text: str, expected: int, language: str = "") -> int | None:
    """Where in `text` the first round or square bracket is closed that it did not open, after `expected`
    ones that are open before it; None if there is none, or if it opens as many again (`a) + (b`)."""
    code = _no_code(language).sub(lambda found: " " * len(found[0]), text)
    open_now, first = expected, None
    for found in re.finditer(r"[()\[\]]", code):
        open_now += 1 if found[0] in "([" else -1
        if open_now < 0 and first is None:
            first = found.start()
    return first if open_now < 0 else None


def _left_over(text: str, no_code: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """(closers that nothing in `text` opened, openers that nothing in it closed), in order."""
    closing: list[str] = []
    opening: list[str] = []
    for mark in BRACKETS.findall(no_code.sub(" ", text)):
        if mark not in PAIRS:
            opening.append(mark)
        elif opening and opening[-1] == PAIRS[mark]:
            opening.pop()
        elif not opening:
            closing.append(mark)
    return closing, opening
