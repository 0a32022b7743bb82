"""From sessions to figures: counts that can be added up, and the table's row made of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.replay.session import Session
from benchmarks.report import Row, percentile


@dataclass
class Tally:
    """Sessions of one policy, added up."""

    keys: int = 0
    given: int = 0
    """Keys answered with a suggestion."""
    free: int = 0
    """Those of them for which the model was not asked anew."""
    agreed: int = 0
    """Suggestions that are what was finally typed, to their end."""
    agreed_lines: int = 0
    """The same of their first lines."""
    superseded: int = 0
    stale: Counter[str] = field(default_factory=Counter)
    silences: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """Those of them where the scripted model knew the rest of the line."""
    unanswered: int = 0
    decodes: int = 0
    tokens: int = 0
    served: int = 0
    copied: int = 0
    """Keys that copying takes."""
    saved: int = 0
    """These, less the keys that were pressed."""
    waits_ms: list[float] = field(default_factory=list)

    def add(self, session: Session) -> None:
        final = session.passage.truth + session.passage.below
        for number, key in enumerate(session.keys):
            self.keys += 1
            if key.reply is None:
                self.unanswered += 1
            elif key.given:
                self._give(session, number, final)
            elif key.reply.superseded:
                self.superseded += 1
            else:
                self.silences[key.reply.reason] += 1
                self.lost[key.reply.reason] += session.ledger.script.knows_line(key.written)
        self.copied += len(session.passage.keys)
        self.saved += len(session.passage.keys) - len(session.keys)
        self.decodes += len(session.ledger.decodes)
        tokens, served = session.ledger.tokens(session.shown)
        self.tokens, self.served = self.tokens + tokens, self.served + served

    def _give(self, session: Session, number: int, final: str) -> None:
        key = session.keys[number]
        self.given += 1
        self.waits_ms.append(1000 * (key.answered - key.at))
        self.free += not session.ledger.asked_for(number, key.answered)
        self.agreed += final.startswith(key.shown)
        self.agreed_lines += final.startswith(first_line(key.shown, key.reply.text if key.reply else ""))
        self.stale.update([key.stale] if key.stale else [])

    def row(self) -> Row:
        return {
            "keys": self.keys,
            "no model": _share(self.free, self.keys),
            "shown": _share(self.given, self.keys),
            "agree": _share(self.agreed, self.given),
            "1st line": _share(self.agreed_lines, self.given),
            "silent": _share(self.silences.total(), self.keys),
            "null": _share(self.superseded, self.keys),
            "p50": self.wait_ms(0.5),
            "p95": self.wait_ms(0.95),
            "decodes": 100 * _share(self.decodes, self.keys),
            "wasted": self.waste,
            "saved": self.saved,
            "stale": self.stale.total(),
            "open": self.unanswered,
        }

    def summary(self) -> dict[str, float | None]:
        """What is said of all typists together."""
        return {
            "silent_share": _share(self.silences.total(), self.keys),
            "shown_precision": _share(self.agreed, self.given),
            "shown_precision_first_line": _share(self.agreed_lines, self.given),
            "coverage": _share(self.given, self.keys),
            "stale": self.stale.total(),
            "unanswered": self.unanswered,
            "p50_ms": self.wait_ms(0.5),
            "p95_ms": self.wait_ms(0.95),
            "waste_share": self.waste,
        }

    @property
    def no_model_share(self) -> float:
        return _share(self.free, self.keys)

    @property
    def saved_share(self) -> float:
        return _share(self.saved, self.copied)

    @property
    def waste(self) -> float | None:
        return 1 - self.served / self.tokens if self.tokens else None

    def wait_ms(self, share: float) -> float | None:
        """Key to answer, of the suggestions alone."""
        return percentile(self.waits_ms, share) if self.waits_ms else None


def tally(sessions: Iterable[Session]) -> Tally:
    total = Tally()
    for session in sessions:
        total.add(session)
    return total


def curve(sessions: Iterable[Session], shares: Iterable[float]) -> list[Row]:
    """What precision is left when only the surest suggestions are shown, down to each share of all keys.

    Sure is what the model says: the mean log-probability of the suggestion's first line.
    """
    sure: list[tuple[float, bool, bool]] = []
    keys = 0
    for session in sessions:
        final = session.passage.truth + session.passage.below
        keys += len(session.keys)
        for source, key in zip(session.ledger.sources(session.shown), session.given, strict=True):
            text = key.reply.text if key.reply else ""
            line, start = first_line(key.shown, text), len(key.shown) - len(text)
            confidence = source.confidence(start, len(line)) if source else 0.0
            sure.append((confidence, final.startswith(key.shown), final.startswith(line)))
    sure.sort(key=lambda one: -one[0])
    taken = [
        (share, sure[: round(share * keys)]) for share in shares if 0 < round(share * keys) <= len(sure)
    ]
    return [
        {
            "coverage": share,
            "least mean logprob": shown[-1][0],
            "agree": _share(sum(whole for _, whole, _ in shown), len(shown)),
            "1st line": _share(sum(line for _, _, line in shown), len(shown)),
        }
        for share, shown in taken
    ]


def first_line(shown: str, text: str) -> str:
    """`shown`, which ends with the suggestion `text`, up to the end of that one's first line."""
    return shown[: len(shown) - len(text) + len(text.partition("\n")[0])]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
