"""A model in a loop: the same lines, or the same words, again and again. Pure.

Periods by the failure function of Knuth, Morris and Pratt (SIAM J. Comput. 6, 1977), as in Copilot's
completions-core, whose limits are met here by how much of the end repeats.
"""

import re
from collections.abc import Sequence

from midfill.server.completion.cursor import CursorContext
from midfill.server.completion.rules.near_lines import is_telling

LINE_ROUNDS = 3
"""Rounds of the same lines that are a loop: the second is still written by people."""
WORD_ROUNDS = 4
"""Rounds of the same words; `0, 0, 0, 0` is a row of a table, so one word alone needs more."""
SINGLE_WORD_ROUNDS = 10
MIN_CHARS = 24
"""A loop is at least this long, all rounds together."""
WORD = re.compile(r"\w+|[^\w\s]|\s+")


def without_a_loop(text: str, context: CursorContext) -> str:
    """Lines that repeat to the end are kept once; a line whose words repeat to its end is dropped."""
    lines = text.rstrip().split("\n")
    period = _period([line.strip() for line in lines], LINE_ROUNDS)
    if period and is_telling("".join(lines[-period:])):
        kept = len(lines)
        while kept > period and lines[kept - 1].strip() == lines[kept - 1 - period].strip():
            kept -= 1
        return "\n".join(lines[:kept])
    return "\n".join(lines[:-1]) if _babbles(lines[-1]) else text


def _babbles(line: str) -> bool:
    words = [word for word in WORD.findall(line) if not word.isspace()]
    period = _period(words, WORD_ROUNDS)
    rounds = len(words) if period == 1 else 0
    long = len(line.strip()) >= MIN_CHARS and is_telling("".join(words))
    return bool(period) and long and (period > 1 or _run(words) >= min(rounds, SINGLE_WORD_ROUNDS) > 3)


def _run(words: Sequence[str]) -> int:
    """How often the last of `words` stands there in a row."""
    return next((n for n, word in enumerate(reversed(words)) if word != words[-1]), len(words))


def _period(items: Sequence[str], rounds: int) -> int:
    """The shortest period by which the end of `items` repeats at least `rounds` times; 0 if none."""
    back = list(reversed(items))
    fail = [0] * len(back)
    for at in range(1, len(back)):
        length = fail[at - 1]
        while length and back[at] != back[length]:
            length = fail[length - 1]
        fail[at] = length + (back[at] == back[length])
        period = at + 1 - fail[at]
        if fail[at] and (at + 1) // period >= rounds:
            return period
    return 0
