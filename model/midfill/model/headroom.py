"""How long a prompt may be after memory ran out: half at once, then slowly more again. Knows no device."""

from dataclasses import dataclass

LEAST_TOKENS = 64
"""A prompt is never cut below this: if even that fails, less would not help."""
RECOVERY_ANSWERS = 8
"""So many answers in a row before the prompt may grow again (a guess: other programs' memory comes back in
minutes, a request comes every few seconds)."""
GROWTH = 1.25
"""Of the limit, each time."""


@dataclass(slots=True)
class Headroom:
    """One model's limit on the user's text in a prompt, in tokens. None: only the context limits it."""

    limit: int | None = None
    _answers: int = 0

    def allow(self, room: int) -> int:
        """`room` tokens, or what memory had room for lately."""
        return room if self.limit is None else min(room, self.limit)

    def ran_out(self, prompt_tokens: int) -> None:
        """A request with a prompt of so many tokens ended for want of memory."""
        self.limit, self._answers = max(LEAST_TOKENS, prompt_tokens // 2), 0

    def went_well(self, context_tokens: int) -> None:
        """A request was answered. The limit goes once it is as large as the context."""
        if self.limit is None:
            return
        self._answers += 1
        if self._answers == RECOVERY_ANSWERS:
            grown = int(self.limit * GROWTH)
            self.limit, self._answers = grown if grown < context_tokens else None, 0
