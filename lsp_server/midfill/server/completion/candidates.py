"""Several suggestions for one place, to choose from: asked for by hand only. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from midfill.model import FimRequest
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.reuse import ContextAt, Shown, Written, read
from midfill.server.text import DocumentSnapshot

TEMPERATURES = (0.4, 0.8)
"""For the second and the third; whoever wants more gets them at the last."""
MORE_S = 1.0
"""Nobody waits longer than this for others once the first is there."""


def drawn(request: FimRequest, count: int) -> Iterator[FimRequest]:
    """`count` variants of `request` that are likely to be answered differently."""
    for n in range(count):
        temperature = TEMPERATURES[min(n, len(TEMPERATURES) - 1)]
        yield replace(request, temperature=max(request.temperature, temperature))


def choice(
    shown: Shown,
    drawn: Iterable[Written],
    origin: int,
    now: DocumentSnapshot,
    offset: int,
    context_at: ContextAt,
) -> tuple[Suggestion, ...]:
    """What is left of `shown` at `offset` in `now`, then what was drawn at `origin`: the likeliest a
    token first, those that ran out of room last, and no text twice."""
    found = [shown.typed_through(now, offset)]
    for text in sorted(drawn, key=lambda text: (text.ended, _mean(text.logprobs)), reverse=True):
        found.append(read(text, now, origin, offset, context_at)[0])
    distinct: dict[str, Suggestion] = {}
    for suggestion in found:
        if suggestion is not None:
            distinct.setdefault(suggestion.text, suggestion)
    return tuple(distinct.values())


def _mean(logprobs: Sequence[float]) -> float:
    return sum(logprobs) / len(logprobs) if logprobs else float("-inf")
