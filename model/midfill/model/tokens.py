"""Text to token ids and back, exactly: markers in the user's text stay text, no character is halved.

Owns a `tokenizers.Tokenizer`. Never transformers' tokenizer classes: they rebuild Code Llama's wrongly
(transformers #47602; inference.md §1.4). Knows no dialect and no prompt.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from tokenizers import Tokenizer

from midfill.model.pieces import byte_level_bytes, looks_like_marker, sentencepiece_bytes

GUARD = "☺"
"""Swallows SentencePiece's implied leading space (facebookresearch/codellama llama/generation.py)."""
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class CodeTokenizer:
    """A model's tokenizer as code needs it: no added tokens, no markers out of text, bytes on the way back.

    `reserved` names further tokens that text must never become: special tokens, and added ones that look
    like markers, are reserved anyway (Qwen's FIM markers are not "special" in its own file).
    """

    def __init__(self, tokenizer: Tokenizer, reserved: Iterable[str] = ()) -> None:
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder()
        self.reserved = frozenset(
            i for i, token in added.items() if token.special or looks_like_marker(token.content)
        )
        self._added = frozenset(token.content for token in added.values())
        self.reserve(reserved)
        self._guard_ids: list[int] = self._raw(GUARD).ids
        self.leading_space = self._raw("a").tokens[:1] != ["a"]
        """Whether a space goes before every text, as SentencePiece does it (Gemma's does not)."""
        by_bytes = self.leading_space or tokenizer.token_to_id("<0x0A>") is not None
        self._piece_bytes = sentencepiece_bytes if by_bytes else byte_level_bytes

    def reserve(self, markers: Iterable[str]) -> None:
        """Keep text from becoming any of `markers`, ordinary pieces or not; unknown ones do not matter."""
        ids = map(self._tokenizer.token_to_id, markers)
        self.reserved |= {i for i in ids if i is not None}

    @property
    def size(self) -> int:
        """One more than the highest id."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def marker_id(self, marker: str) -> int | None:
        """The one id of `marker`, or None where the vocabulary has none."""
        return self._tokenizer.token_to_id(marker)

    def is_marker(self, marker: str) -> bool:
        """Whether `marker` is an added token: an ordinary piece that is spelled alike is none."""
        return marker in self._added

    def encode(self, text: str) -> list[int]:
        """`text` as the beginning of something (SentencePiece: with the implied leading space)."""
        return self._encode(text, continued=False)

    def encode_continuation(self, text: str) -> list[int]:
        """`text` as the rest of something: without the implied leading space."""
        return self._encode(text, continued=True)

    def starts(self, text: str) -> list[int]:
        """The offset in `text`, in characters, at which each token of its plain encoding starts."""
        return [start for start, _ in self._raw(_without_surrogates(text)).offsets]

    def token_bytes(self, token_id: int) -> bytes:
        """What a token adds to the text, in UTF-8 (perhaps half a character); nothing if reserved."""
        if token_id in self.reserved:
            return b""
        piece = self._tokenizer.id_to_token(token_id)
        if piece is None:
            return b""
        # DeepSeek-Coder's added `ü` is the letter; in its byte alphabet the same sign is the byte 0xFC.
        is_plain = piece in self._added and self._piece_bytes is byte_level_bytes
        return piece.encode("utf-8") if is_plain else self._piece_bytes(piece)

    def all_token_bytes(self) -> list[bytes]:
        """`token_bytes` of every id below `size`, many times as fast as one by one."""
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        found, convert = [b""] * (max(vocabulary.values()) + 1), self._piece_bytes
        for piece, token_id in vocabulary.items():
            found[token_id] = convert(piece)
        for token_id in {*self.reserved, *(vocabulary[piece] for piece in self._added)}:
            found[token_id] = self.token_bytes(token_id)
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`, reserved ones skipped, no space eaten; bad UTF-8 becomes U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    def _raw(self, text: str):  # type: ignore[no-untyped-def]  # tokenizers.Encoding has no stub
        return self._tokenizer.encode(text, add_special_tokens=False)

    def _encode(self, text: str, *, continued: bool) -> list[int]:
        todo = [(_without_surrogates(text), continued)]
        ids: list[int] = []
        while todo:
            part, is_rest = todo.pop()
            if not part:
                continue
            skip = len(self._guard_ids) if is_rest and self.leading_space else 0
            encoding = self._raw(GUARD + part if skip else part)
            if self.reserved.isdisjoint(encoding.ids[skip:]):
                ids += encoding.ids[skip:]
            else:
                pieces = self._cut_markers(part, encoding, skip)
                todo += [(piece, is_rest or i > 0) for i, piece in enumerate(pieces)][::-1]
        return ids

    def _cut_markers(self, text: str, encoding, skip: int) -> list[str]:  # type: ignore[no-untyped-def]
        """`text` cut once inside every marker that came out of it, so that each is shorter next time."""
        shift = len(GUARD) if skip else 0
        cuts = {0, len(text)}
        for token_id, (start, end) in zip(encoding.ids[skip:], encoding.offsets[skip:], strict=True):
            if token_id in self.reserved:
                if end - start < 2:  # a marker of one character cannot be cut, nor can it be kept
                    at = start - shift
                    return [text[:at], "\ufffd", text[at + 1 :]]
                cuts.add(start - shift + 1)
        edges = sorted(cuts)
        return [text[a:b] for a, b in pairwise(edges)]


class StreamDecoder:
    """Token ids to text, one at a time: whole characters only, every space kept, constant work a token.

    The first `hidden` bytes never become text: they are there already (see `healing`). Nor does one space
    before everything else, where `space_first` says that it is none of the text.
    """

    def __init__(
        self, token_bytes: Callable[[int], bytes], hidden: int = 0, space_first: bool = False
    ) -> None:
        self._token_bytes = token_bytes
        self._hidden = hidden
        self._space_first = space_first
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, token_id: int) -> str:
        """The text that `token_id` completes; a half character waits, and is dropped if nothing follows."""
        added = self._token_bytes(token_id)
        if self._space_first and added:
            added, self._space_first = added.removeprefix(b" "), False
        shown, self._hidden = added[self._hidden :], max(0, self._hidden - len(added))
        return self._utf8.decode(shown)

    def hides(self, token_id: int) -> bool:
        """Whether nothing of `token_id`, were it fed next, would ever become text."""
        return 0 < len(self._token_bytes(token_id)) <= self._hidden


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens `a` and `b` have in common from the left."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


def _without_surrogates(text: str) -> str:
    return LONE_SURROGATE.sub("\ufffd", text)  # tokenizers raises TypeError on them
