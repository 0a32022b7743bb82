"""One piece of another file that could go into a prompt, and the settled choice among such pieces. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from midfill.model import Snippet

BEATEN = 1.2
"""A choice stays until another is worth so many times as much (pipeline.md, S5: 20 %): a new one costs the
KV cache of the whole prompt."""


class Source(StrEnum):
    """Where a piece comes from, in the order in which they stand in a prompt: what changes least first."""

    DEFINITIONS = "definitions"
    SIMILAR = "similar"
    EDITS = "edits"


ORDER = tuple(Source)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` of the file `path` (as a model is told it); `key` names the piece within its source."""

    source: Source
    key: str
    path: str
    text: str
    score: float
    """How telling it is here; comparable within one source only."""
    why: str
    """For a human, without source text other than names."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes into the prompts of one document, chosen when the cursor was in `line`."""

    chosen: tuple[Candidate, ...] = ()
    repository: str = ""
    line: int = -1

    @property
    def snippets(self) -> tuple[Snippet, ...]:
        """What is handed over."""
        return tuple(
            Snippet(pieces[0].path, "\n".join(piece.text for piece in pieces)) for pieces in self._files()
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """For each of `snippets`: where it is from, and why it is there."""
        return tuple(
            f"{pieces[0].path} ({pieces[0].source}): " + "; ".join(piece.why for piece in pieces)
            for pieces in self._files()
        )

    def _files(self) -> list[list[Candidate]]:
        """The pieces by source, those of one file together in its own order, the most telling file last."""
        files: dict[tuple[Source, str], list[Candidate]] = {}
        for piece in sorted(self.chosen, key=lambda piece: ORDER.index(piece.source)):
            of_file = files.pop((piece.source, piece.path), [])
            files[piece.source, piece.path] = [*of_file, piece]
        return [sorted(pieces, key=lambda piece: piece.key) for pieces in files.values()]

    def of(self, source: Source) -> tuple[Candidate, ...]:
        return tuple(piece for piece in self.chosen if piece.source is source)

    def only(self, sources: Collection[Source]) -> "Selection":
        """Without what comes from other sources."""
        kept = tuple(piece for piece in self.chosen if piece.source in sources)
        return self if len(kept) == len(self.chosen) else replace(self, chosen=kept)


NOTHING = Selection()


def settle(old: Sequence[Candidate], found: Sequence[Candidate], room_chars: int) -> tuple[Candidate, ...]:
    """The choice of one source: `old` unless what is best of `found` now beats it clearly.

    `found`: everything of this source that could be shown, as it is now. An old choice of which a piece is
    not there any more, or reads otherwise now, does not stay.
    """
    best = best_of(found, room_chars)
    now = {(piece.key, piece.text): piece.score for piece in found}
    if not old or any((piece.key, piece.text) not in now for piece in old):
        return best
    worth = sum(now[piece.key, piece.text] for piece in old)
    return tuple(old) if sum(piece.score for piece in best) <= worth * BEATEN else best


def best_of(found: Iterable[Candidate], room_chars: int) -> tuple[Candidate, ...]:
    """The best that fit, worst first: the last stands nearest to the cursor's file."""
    taken: list[Candidate] = []
    for piece in sorted(found, key=lambda piece: (-piece.score, piece.path, piece.key)):
        if len(piece.text) <= room_chars:
            taken.append(piece)
            room_chars -= len(piece.text)
    return tuple(reversed(taken))
