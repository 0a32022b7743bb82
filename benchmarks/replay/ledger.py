"""Every decode of a replay: for which key, from which text, what it wrote. A host that writes them down.

Stands between a policy and its model, whichever that is, and changes nothing. What was written is also what
a suggestion may be made of: the ledger says whether a text was ever written where it is shown.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from benchmarks.replay.script import Script
from midfill.model import CancelToken, Chunk, Event, FimRequest, Lane
from midfill.model.lanes import Deliver

KEY: ContextVar[int] = ContextVar("KEY", default=-1)
"""The number of the key that is being answered: tasks inherit it, so a decode knows its key."""


@dataclass(slots=True, eq=False)
class Decode:
    key: int
    lane: Lane
    at: float
    typed: str
    """What of the passage stood before the cursor."""
    text: str = ""
    ends: list[int] = field(default_factory=list)
    """How long `text` was after each token."""
    logprobs: list[float] = field(default_factory=list)
    done: float = math.inf
    """When it ended."""

    def take(self, chunk: Chunk) -> None:
        self.text += chunk.text
        self.ends += [len(self.text)] * len(chunk.logprobs)
        self.logprobs += chunk.logprobs

    @property
    def whole(self) -> str:
        """The passage as this decode has it."""
        return self.typed + self.text

    def confidence(self, start: int, end: int) -> float:
        """Mean log-probability of the tokens of `whole[start:end]`, in natural logs; 0 of none."""
        logprobs = [
            logprob
            for logprob, stop in zip(self.logprobs, self.ends, strict=True)
            if start - len(self.typed) < stop <= end - len(self.typed)
        ]
        return sum(logprobs) / len(logprobs) if logprobs else 0.0

    def served(self, shown: str) -> int:
        """How many of its characters stand in `shown`, a passage up to a suggestion's end."""
        if not shown.startswith(self.typed):
            return 0
        rest = shown[len(self.typed) :]
        longest = min(len(rest), len(self.text))
        return next((n for n in range(longest) if rest[n] != self.text[n]), longest)


class Ledger:
    """A `ModelHost` to whoever asks."""

    def __init__(self, host: Any, script: Script) -> None:
        self.decodes: list[Decode] = []
        self.script = script
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def submit(self, request: Any, token: CancelToken, deliver: Deliver, lane: Lane) -> None:
        if isinstance(request, FimRequest) and not request.prefill_only:
            now = asyncio.get_running_loop().time()
            decode = Decode(KEY.get(), lane, now, self.script.typed(request.prefix))
            self.decodes.append(decode)
            deliver = _copying(decode, asyncio.get_running_loop().time, deliver)
        self._host.submit(request, token, deliver, lane)

    def asked_for(self, key: int, until: float) -> bool:
        """Whether the model was asked anew for this key, before it was answered."""
        return any(d.key == key and d.lane is Lane.FIM and d.at <= until for d in self.decodes)

    def wrote(self, passage: str) -> bool:
        """Whether some decode wrote `passage` up to where it ends: blanks aside, which clean-up moves."""
        return any(d.whole.startswith(passage) for d in self.decodes) or any(
            _solid(d.whole).startswith(_solid(passage)) for d in self.decodes
        )

    def sources(self, shown: Iterable[tuple[int, float, str]]) -> list[Decode | None]:
        """Which decode each suggestion (key, when, passage) came from.

        Its key's own; else the one that the suggestion before it came from; else the last that wrote it. So
        what two decodes wrote alike was written once in vain. None: see `wrote`.
        """
        found: list[Decode | None] = []
        last: Decode | None = None
        for key, at, passage in shown:
            asked = [d for d in self.decodes if d.at <= at]
            able = [d for d in asked if d.whole.startswith(passage)] or [
                d for d in asked if d.served(passage)
            ]
            own = [d for d in able if d.key == key and d.lane is Lane.FIM]
            last = own[-1] if own else last if last in able else able[-1] if able else None
            found.append(last)
        return found

    def tokens(self, shown: Sequence[tuple[int, float, str]]) -> tuple[int, int]:
        """(tokens decoded, those of them that somebody was shown)."""
        reached: dict[Decode, int] = {}
        for source, (_, _, passage) in zip(self.sources(shown), shown, strict=True):
            if source is not None:
                reached[source] = max(reached.get(source, 0), source.served(passage))
        served = sum(end <= reach for decode, reach in reached.items() for end in decode.ends)
        return sum(len(decode.ends) for decode in self.decodes), served


def _copying(decode: Decode, clock: Callable[[], float], deliver: Deliver) -> Deliver:
    def both(event: Event) -> None:
        if isinstance(event, Chunk):
            decode.take(event)
        else:
            decode.done = clock()
        deliver(event)

    return both


def _solid(text: str) -> str:
    return "".join(text.split())
