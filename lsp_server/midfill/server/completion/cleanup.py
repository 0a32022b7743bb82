"""From what the model wrote to what is inserted: the rules of `rules/`, and what they leave.

None may touch the file outside the suggestion: what `covered` replaces is typed again by the suggestion
itself (invariant 6).
"""

from dataclasses import dataclass

from midfill.server.completion.cursor import CursorContext, normalize
from midfill.server.completion.marks import retyped
from midfill.server.completion.rules import ALWAYS, RULES


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Insert `text` at `offset`, over the `replace` code points that follow it on the same line."""

    offset: int
    text: str
    replace: int = 0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left, and the names of the rules that changed it, in order; the last one dropped it if
    nothing is left."""

    suggestion: Suggestion | None
    fired: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The rule that dropped it; empty when there is a suggestion."""
        if self.suggestion is not None:
            return ""
        return self.fired[-1] if self.fired else "nothing_written"


def clean_up(raw: str, context: CursorContext) -> tuple[Suggestion | None, str]:
    """The suggestion for `raw`, what the model wrote, or None and the name of the rule that dropped it."""
    cleaned = explain(raw, context)
    return cleaned.suggestion, cleaned.reason


def explain(raw: str, context: CursorContext) -> Cleaned:
    """The same, with every rule that fired."""
    text = normalize(raw)
    fired: list[str] = []
    for rule in RULES:
        if rule.__name__ in context.rules_off and rule not in ALWAYS:
            continue
        left = rule(text, context)
        if left != text:
            fired.append(rule.__name__)
        text = left
        if not text:
            return Cleaned(None, tuple(fired))
    return Cleaned(Suggestion(context.offset, text, covered(text, context)), tuple(fired))


def covered(text: str, context: CursorContext) -> int:
    """How many code points behind the cursor the suggestion types again.

    `add(║)` answered with `a, b):` covers 1: the bracket that the editor closed. A closer counts only
    where the text closes more than it opens: `a) + (b` needs the editor's bracket as well.
    """
    return retyped(text, context.line_after.rstrip()) if context.closers_follow else 0


def trimmed(suggestion: Suggestion, typed: str, typed_length: int, behind: str) -> Suggestion | None:
    """What is left of a suggestion when `typed` was typed meanwhile; None if it says otherwise.

    `typed_length` is the length of the same text as it stands in the document, `behind` what the
    suggestion replaces: a closer that was typed by hand is not typed again by the rest.
    """
    if not suggestion.text.startswith(typed):
        return None
    rest = suggestion.text[len(typed) :]
    return Suggestion(suggestion.offset + typed_length, rest, retyped(rest, behind))
