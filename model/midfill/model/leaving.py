"""Where a block's own lines end because control has left it: `return x` and, below it, another function's.

Follows complete lines; knows neither strings nor where the block ends otherwise.
"""

from midfill.model.lines import columns, continues_block, is_closer, leaves


class Leaving:
    """Only the block's own level counts: what is dead in a branch says little of the answer."""

    def __init__(self) -> None:
        self._level = -1  # column of the block's first line
        self._left = False

    def remember(self, line: str) -> None:
        """`line` is written, whole and not blank; the block's header is none of its lines."""
        column = columns(line)
        if self._level < 0:
            self._level = column
        if column == self._level:
            self._left = leaves(line)

    def is_below(self, line: str) -> bool:
        """Whether `line`, the next one, is never reached."""
        if is_closer(line) or continues_block(line):
            return False
        return self._left and columns(line) == self._level
