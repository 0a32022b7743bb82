"""Three who type a passage: one copies it, one errs and corrects, one accepts what is right. Seeded.

Each says what the next key does, given what stands there and what is shown; when, is the same for all.
"""

import math
import random
from dataclasses import dataclass

from benchmarks.replay.passages import SEED, Passage

GAP_MEDIAN_S = 0.150
"""Between two keys (the issue's figure)."""
GAP_SIGMA = 0.5
"""Of the gap's logarithm: a tenth of the gaps is over 285 ms. A guess."""
PAUSES = {"line": 0.25, "word": 0.03}
"""How often somebody stops to think: before a line, and before a word. A guess."""
PAUSE_MEDIAN_S, PAUSE_SIGMA = 1.2, 0.6
ERROR_SHARE = 0.10
"""Of the keys (the issue's figure)."""
NOTICE_S = 0.250
"""Nobody presses Tab for what appeared a moment ago: a simple reaction to something seen takes so long."""
FIRST_S = 2.0
"""A file is open for so long before the first key."""
WRONG_KEYS = "asdfjkleruio"


@dataclass(frozen=True, slots=True)
class Press:
    """One key: backspaces over `back` characters, then `text`. Accepted text comes with `accepts`."""

    text: str = ""
    back: int = 0
    accepts: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the editor shows behind the cursor, and since when."""

    text: str
    since: float


class Copies:
    """Types the truth, and takes nothing."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def press(self, written: str, seen: Seen | None, now: float) -> Press:
        """The next key, where `written` stands and `seen` is shown."""
        at = 0
        for key in self._passage.keys:
            at += len(key)
            if at > len(written):
                return Press(key[len(key) - (at - len(written)) :])
        raise AssertionError("all of it is written")


class Errs(Copies):
    """A wrong letter instead of every tenth key, then a backspace, then the right key."""

    def __init__(self, passage: Passage) -> None:
        super().__init__(passage)
        self._slips = slips(passage)

    def press(self, written: str, seen: Seen | None, now: float) -> Press:
        if not self._passage.truth.startswith(written):
            return Press(back=1)
        if wrong := self._slips.pop(len(written), ""):
            return Press(wrong)
        return super().press(written, seen, now)


class Accepts(Copies):
    """Takes all of a suggestion that is right to its end, else its first lines as far as they are: editors
    accept line by line too. Never for the sake of one key.
    """

    def press(self, written: str, seen: Seen | None, now: float) -> Press:
        if seen is not None and now - seen.since >= NOTICE_S:
            right = right_part(seen.text, self._passage.truth[len(written) :])
            if len(right) > 1:
                return Press(right, accepts=True)
        return super().press(written, seen, now)


TYPISTS: dict[str, type[Copies]] = {"copies": Copies, "errs": Errs, "accepts": Accepts}


def right_part(shown: str, rest: str) -> str:
    """All of `shown` if `rest`, which is still to be typed, begins with it; else the whole lines of it with
    which `rest` begins, without the last one's end.
    """
    if rest.startswith(shown):
        return shown
    lines = shown.split("\n")
    for count in range(len(lines) - 1, 0, -1):
        part = "\n".join(lines[:count])
        if (rest + "\n").startswith(part + "\n"):
            return part
    return ""


def slips(passage: Passage) -> dict[int, str]:
    """Where `errs` presses which wrong key first."""
    chance = random.Random(f"{SEED} {passage.name} slips")
    found, at = {}, 0
    for key in passage.keys:
        wrong = chance.choice(WRONG_KEYS.replace(key, ""))
        if chance.random() < ERROR_SHARE:
            found[at] = wrong
        at += len(key)
    return found


def gaps(passage: Passage) -> dict[int, float]:
    """Seconds before the key that writes the character at each place; the same for every typist."""
    chance = random.Random(f"{SEED} {passage.name} gaps")
    found, at = {0: FIRST_S}, 0
    for before, key in zip(passage.keys, passage.keys[1:], strict=False):
        at += len(before)
        gap = chance.lognormvariate(math.log(GAP_MEDIAN_S), GAP_SIGMA)
        pause = chance.lognormvariate(math.log(PAUSE_MEDIAN_S), PAUSE_SIGMA)
        place = "line" if before[0] == "\n" else "word" if before == " " and key != " " else ""
        found[at] = gap + (pause if chance.random() < PAUSES.get(place, 0.0) else 0.0)
    return found
