"""A tokenizer without a vocabulary: code in pieces about as long as a model's tokens. Deterministic.

Stands in for `CodeTokenizer` where prompts are made for the scripted model, so that no weights are needed.
"""

import re

WORD_CHARS, SIGN_CHARS = 7, 4
"""The longest pieces. A token is then 4.3 characters of what is replayed; Qwen2.5's are 4.4 (measured)."""
PIECE = re.compile(
    rf"(?:[^\w\n]|_)?[^\W\d_]{{1,{WORD_CHARS}}}|\d| ?(?:[^\s\w]|_){{1,{SIGN_CHARS}}}\n*"
    r"|\s*\n+|[ \t]+(?!\S)|\s+"
)
"""As Qwen parts text before it looks into its vocabulary: words with what stands before them, signs with
the line ends behind them, indentation less the space that goes with the word."""


class PieceTokenizer:
    """Numbers pieces in the order in which they are met. What `Prompts` needs of a tokenizer, no more."""

    leading_space = False

    def __init__(self) -> None:
        self._spelled: list[bytes] = []
        self._ids: dict[str, int] = {}
        for char in map(chr, range(1, 128)):  # any ASCII text can be spelled
            self._id(char)

    def encode(self, text: str) -> list[int]:
        return [self._id(piece) for piece in split(text)]

    encode_continuation = encode

    def starts(self, text: str) -> list[int]:
        """The offset at which each piece begins."""
        return [match.start() for match in PIECE.finditer(text)]

    def marker_id(self, marker: str) -> int:
        return self._id(marker, b"")

    def reserve(self, markers: object) -> None:
        """Text never becomes a marker here: no piece is so long."""

    def token_bytes(self, token_id: int) -> bytes:
        return self._spelled[token_id]

    def all_token_bytes(self) -> list[bytes]:
        return list(self._spelled)

    def _id(self, piece: str, spelled: bytes | None = None) -> int:
        found = self._ids.get(piece)
        if found is None:
            found = self._ids[piece] = len(self._spelled)
            self._spelled.append(piece.encode() if spelled is None else spelled)
        return found


def split(text: str) -> list[str]:
    """The pieces; joined they are `text`."""
    return PIECE.findall(text)
