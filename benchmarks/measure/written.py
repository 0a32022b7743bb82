"""What of a recorded answer would be shown: through stop rules and clean-up, as in the server.

Knows no data and no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from midfill.model.stops import StopScanner
from midfill.server.completion.cleanup import explain
from midfill.server.completion.cursor import Trigger, read_cursor
from midfill.server.completion.request import build_request
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot

SIDE_CHARS = 2048 * 8
"""Text to each side that the server hands over on a CPU."""


@dataclass(frozen=True, slots=True)
class Written:
    """`shown` is empty when all was dropped; `fired` names every rule that decided something."""

    shown: str
    fired: tuple[str, ...]
    seconds: float
    """On the event loop: reading the cursor, deciding the scope, cleaning up."""


def write(
    prefix: str, suffix: str, language: str, chunks: Sequence[str], off: frozenset[str] = frozenset()
) -> Written:
    """Stream `chunks` into the hole between `prefix` and `suffix`, without the rules named in `off`."""
    snapshot = new_snapshot("file:///recorded", 1, language, prefix + suffix)
    began = perf_counter()
    context = read_cursor(snapshot, len(prefix), Trigger.INVOKED, SIDE_CHARS, off)
    request = build_request(context, Settings())
    asked = perf_counter() - began
    scanner, text = StopScanner(request.stop), ""
    for chunk in chunks:
        added, stopped = scanner.feed(chunk)
        text += added
        if stopped:
            break
    text += scanner.finish()
    began = perf_counter()
    cleaned = explain(text, context)
    seconds = asked + perf_counter() - began
    shown = cleaned.suggestion.text if cleaned.suggestion else ""
    return Written(shown, (*scanner.fired, *cleaned.fired), seconds)
