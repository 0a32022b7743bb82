"""Has the model that completes fill a docstring's holes: what the function does, then part by part."""

from collections.abc import Callable, Sequence

from midfill.server.actions.action import Infill, Refused
from midfill.server.actions.docstrings.infilling import (
    PART_TOKENS,
    TOKENS,
    Around,
    Hole,
    described,
    is_described,
    is_whole_part,
    part,
)
from midfill.server.actions.natural import may_be_in
from midfill.server.actions.safety import Unsafe


class Filler:
    """One docstring's. `spoken` is the natural language of the file's comments."""

    def __init__(self, infill: Infill, around: Around, spoken: str) -> None:
        self._infill, self._around, self._spoken = infill, around, spoken
        self._said: set[str] = set()
        self._has_model = True

    async def description(self) -> list[str]:
        """What the function does, in sentences; none where that has to be asked."""
        for hole in self._around.description():
            said = described(await self._filled(hole, TOKENS, is_described), self._around.body)
            if said and all(may_be_in(self._spoken, one) for one in said):
                return said
        return []

    async def part(self, lines: Sequence[str]) -> str:
        """The sentence where `lines`, a docstring without indentation, have MARK; empty where none came, or
        one that stands in another part already."""
        answer = await self._filled(self._around.part(lines), PART_TOKENS, is_whole_part)
        said = part(answer, self._around.body)
        if said is None or said in self._said or not may_be_in(self._spoken, said):
            return ""
        self._said.add(said)
        return said

    async def _filled(self, hole: Hole, most_tokens: int, enough: Callable[[str], bool]) -> str:
        """Nothing more once the model that completes has made room for the one that chats."""
        if not self._has_model:
            return ""
        try:
            return await self._infill(hole.prefix, hole.suffix, most_tokens, enough)
        except Unsafe:
            raise
        except Refused:
            self._has_model = False
            return ""
