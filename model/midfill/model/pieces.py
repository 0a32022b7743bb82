"""What one vocabulary piece is: which bytes it stands for, whether it is a marker. Owns no tokenizer.

Two alphabets are known: byte-level BPE's (GPT-2, Qwen, StarCoder, DeepSeek) and SentencePiece's with bytes
to fall back on (Llama, Mistral, Gemma).
"""

import re

BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
MARKER_LIKE = re.compile(r"<\S+>|\[\S+\]")
HTML_TAG = re.compile(
    r"</?(table|caption|t(head|body|foot|r|h|d)|h[1-6]|blockquote|strong|em|b|i|u|s|sub|sup|code)>"
)
"""Gemma's vocabulary has these as added pieces, `<b>` and `</b>`, that are text all the same."""


def looks_like_marker(piece: str) -> bool:
    """Whether an added token reads like a marker, though its vocabulary does not call it special."""
    if BYTE_PIECE.fullmatch(piece) or HTML_TAG.fullmatch(piece):
        return False
    return bool(MARKER_LIKE.fullmatch(piece))


def _byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level BPE (openai/gpt-2 encoder.py)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}


BYTE_ALPHABET = _byte_alphabet()


def byte_level_bytes(piece: str) -> bytes:
    """The bytes of a byte-level piece; one with a sign that is not of the alphabet stands as it reads."""
    try:
        return bytes(map(BYTE_ALPHABET.__getitem__, piece))  # thrice as fast as a comprehension
    except KeyError:
        return piece.encode("utf-8")


def sentencepiece_bytes(piece: str) -> bytes:
    """The bytes of a SentencePiece piece: `▁` is a space, `<0xE2>` one byte."""
    byte = BYTE_PIECE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else piece.replace("▁", " ").encode("utf-8")
