"""One line of the table: what the model wrote with text from other files, and without. Knows no model."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.crossfile.asked import similarity
from benchmarks.report import Row
from benchmarks.significance import interval, paired


@dataclass(frozen=True, slots=True)
class Hole:
    """What was to be written in one hole, and what was; all without spaces around."""

    group: str
    """Holes of one group are not independent: intervals are over groups."""
    gold: str
    shown: str
    plain: str

    @property
    def gain(self) -> float:
        """In edit similarity."""
        return similarity(self.shown, self.gold) - similarity(self.plain, self.gold)


def compared(source: str, on: str, holes: Sequence[Hole]) -> Row:
    """Exact match and edit similarity with `source` against without."""
    ours = [hole.shown == hole.gold for hole in holes]
    theirs = [hole.plain == hole.gold for hole in holes]
    pair = paired(source, [hole.group for hole in holes], ours, theirs)
    low, high = interval([(hole.group, hole.gain) for hole in holes])
    count = max(1, len(holes))
    return {
        "source": source,
        "on": on,
        "holes": len(holes),
        "other answer": sum(hole.shown != hole.plain for hole in holes),
        "em": sum(ours) / count,
        "em none": sum(theirs) / count,
        **{key: pair[key] for key in ("won", "lost", "p", "low", "high")},
        "es delta": sum(hole.gain for hole in holes) / count,
        "es low": low,
        "es high": high,
    }
