"""Token healing: which tokens at a prompt's end go back to text, for the model to write them anew.

A text that ends inside a word ends in tokens that no whole text has there, and what a model expects behind
them is not what belongs there: behind ` en`, `u` it does not write `merate(` (pipeline.md §7). Pure; how
an answer is made to begin with given bytes is in `trie.py`.
"""

from collections.abc import Callable, Sequence

from midfill.model.dialects import Heals

MAX_TOKENS = 3
"""One is not always enough (karpathy/llama2.c #248, ggml-org/llama.cpp #5765); each costs a decode step."""
MAX_CHARS = 16


def heal(ids: Sequence[int], token_bytes: Callable[[int], bytes]) -> tuple[int, bytes]:
    """(how many of `ids` stay, the bytes of the others: UTF-8, whole characters).

    What goes back begins where a word, a sign or white space begins, if `MAX_TOKENS` and `MAX_CHARS` allow.
    A SentencePiece prefix that goes back whole has its implied space in front.
    """
    kept, wanted = len(ids), b""
    taken = b""
    for count in range(1, min(MAX_TOKENS, len(ids)) + 1):
        taken = token_bytes(ids[-count]) + taken
        if not taken or _characters(taken) > MAX_CHARS:
            break
        if _is_inner(taken[0]):
            continue
        kept, wanted = len(ids) - count, taken
        before = token_bytes(ids[kept - 1]) if kept else b""
        if not (_is_of_word(taken[0]) and before and _is_of_word(before[-1])):
            break
    return kept, wanted


def heals_behind(heals: Heals, prefix: str) -> bool:
    """Whether a prompt with this prefix is healed. At a line's start never: exact lines went down from 54
    to 49 of 88 with it (an early run of `make bench-layouts`, SPM)."""
    match heals:
        case Heals.NEVER:
            return False
        case Heals.IN_WORDS:
            return bool(prefix) and _is_of_word(prefix.encode("utf-8", errors="replace")[-1])
        case Heals.IN_LINES:
            return not prefix.endswith("\n")


def _characters(text: bytes) -> int:
    return sum(not _is_inner(byte) for byte in text)


def _is_inner(byte: int) -> bool:
    """Whether a byte is not the first of its character."""
    return byte & 0xC0 == 0x80


def _is_of_word(byte: int) -> bool:
    """Letters beyond ASCII count all as letters: their signs are rare in code."""
    return byte >= 0x80 or chr(byte).isalnum() or byte == ord("_")
