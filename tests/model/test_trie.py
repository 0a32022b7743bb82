"""What may come next when an answer must begin with given bytes: by hand, and on genuine vocabularies."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.model.healing import MAX_CHARS, MAX_TOKENS, heal
from midfill.model.tokens import CodeTokenizer
from midfill.model.trie import StartsWith, TokenTrie, starts_with
from tests.model.tiny import make_tokenizer
from tests.model.vocabularies import by_hand, code_tokenizer

GENUINE = ["qwen2.5-coder", "starcoder2", "deepseek-coder", "codellama-reconstructed", "codestral"]
PIECES = [
    b"a",
    b"e",
    b"n",
    b"u",
    b" ",
    b" en",
    b"en",
    b"enu",
    b"umerate",
    b" enumerate",
    b"enumerate(",
    b"m",
]
PIECES += ["é".encode()[:1], "é".encode()[1:], "né".encode(), b"n" + "é".encode()[:1]]
TEXTS = [
    "    for i in enu",
    "x = fo",
    'print("日本 é',
    "\n\n\t\treturn",
    "self._",
    "a  ",
    "😀",
    "def f(",
    "x",
]


def allowed(constraint: StartsWith | None, tokenizer: CodeTokenizer) -> set[bytes]:
    assert constraint is not None
    ids = constraint.allowed()
    assert len(set(ids)) == len(ids)
    return {tokenizer.token_bytes(i) for i in ids}


def test_tokens_inside_the_wanted_bytes_and_beyond_them_may_come() -> None:
    tokenizer = by_hand(PIECES)
    first = starts_with(TokenTrie(tokenizer), b" enu")
    assert allowed(first, tokenizer) == {b" ", b" en", b" enumerate"}
    assert first is not None
    assert first.after(PIECES.index(b" enumerate")) is None
    second = first.after(PIECES.index(b" en"))
    assert allowed(second, tokenizer) == {b"u", b"umerate"}
    third = first.after(PIECES.index(b" "))
    assert allowed(third, tokenizer) == {b"e", b"en", b"enu", b"enumerate("}
    assert second is not None
    assert second.after(PIECES.index(b"u")) is None


def test_a_token_that_leads_nowhere_is_not_allowed() -> None:
    tokenizer = by_hand([b"a", b"ab", b"bc", b"b"])  # behind `ab` nothing spells `c`
    assert allowed(starts_with(TokenTrie(tokenizer), b"abc"), tokenizer) == {b"a"}


def test_what_the_vocabulary_cannot_spell_is_no_constraint() -> None:
    trie = TokenTrie(by_hand(PIECES))
    assert starts_with(trie, b"x") is None
    assert starts_with(trie, b"ax") is None
    assert starts_with(trie, b"") is None


def test_half_characters_may_be_spelled_by_halves_or_whole() -> None:
    tokenizer = by_hand(PIECES)
    first = starts_with(TokenTrie(tokenizer), "né".encode())
    assert allowed(first, tokenizer) == {b"n", b"n\xc3", "né".encode()}
    assert first is not None
    assert allowed(first.after(PIECES.index(b"n\xc3")), tokenizer) == {b"\xa9"}


def test_markers_and_ends_never_come() -> None:
    tokenizer = by_hand([*PIECES, b"<", b"<|fim"])
    marker = tokenizer.marker_id("<|fim_middle|>")
    assert marker is not None
    trie = TokenTrie(tokenizer, without={PIECES.index(b" enumerate"), 10**6})
    assert allowed(starts_with(trie, b"<"), tokenizer) == {b"<", b"<|fim"}
    assert allowed(starts_with(trie, b" enu"), tokenizer) == {b" ", b" en"}


def test_two_ids_of_the_same_bytes_are_both_allowed() -> None:
    tokenizer = code_tokenizer("codellama-reconstructed")
    constraint = starts_with(TokenTrie(tokenizer), b"ab")
    assert constraint is not None
    ids = {tokenizer.marker_id("a"), tokenizer.marker_id("<0x61>")}
    assert ids <= set(constraint.allowed())


@pytest.mark.parametrize("name", GENUINE)
def test_the_table_allows_what_looking_at_every_token_allows(name: str) -> None:
    tokenizer = code_tokenizer(name)
    trie = TokenTrie(tokenizer)
    spelled = tokenizer.all_token_bytes()
    assert spelled == [tokenizer.token_bytes(i) for i in range(tokenizer.size)]
    for text in TEXTS:
        wanted = text.encode()
        constraint = starts_with(trie, wanted)
        assert constraint is not None
        fitting = {i for i, b in enumerate(spelled) if b and (b.startswith(wanted) or wanted.startswith(b))}
        assert set(constraint.allowed()) == fitting
        assert tokenizer.reserved.isdisjoint(fitting)


@pytest.mark.parametrize("name", GENUINE)
def test_whatever_is_chosen_among_the_allowed_the_answer_begins_with_the_wanted_bytes(name: str) -> None:
    tokenizer, choose = code_tokenizer(name), random.Random(1)
    trie = TokenTrie(tokenizer)
    for text in TEXTS * 5:
        assert walk(starts_with(trie, text.encode()), tokenizer, choose).startswith(text.encode())


TINY = CodeTokenizer(make_tokenizer())
TINY_TRIE = TokenTrie(TINY)


@given(st.binary(min_size=1, max_size=24), st.randoms(use_true_random=False))
def test_any_bytes_are_spelled_by_any_choice(wanted: bytes, choose: random.Random) -> None:
    assert walk(starts_with(TINY_TRIE, wanted), TINY, choose).startswith(wanted)


def walk(constraint: StartsWith | None, tokenizer: CodeTokenizer, choose: random.Random) -> bytes:
    """What comes out if any allowed token may be next."""
    assert constraint is not None
    written = b""
    while constraint:
        token = choose.choice(constraint.allowed())
        written += tokenizer.token_bytes(token)
        constraint = constraint.after(token)
    return written


# What goes back.


@pytest.mark.parametrize(
    ("pieces", "back"),
    [
        ([b"\n", b"   ", b" for", b" en", b"u"], b" enu"),  # to where the word begins
        ([b"a", b"b", b"c", b"d", b"e"], b"cde"),  # or three tokens
        ([b"self", b"."], b"."),
        ([b"f", b"(", b"x"], b"x"),
        ([b":\n", b"    "], b"    "),
        ([b"x", b" " * 17], b""),  # too long
        ([b" x" * 8, b"y"], b"y"),  # all of it would be too long
        ([b" ", b"\xe6", b"\x97", b"\xa5"], "日".encode()),  # never half a character …
        ([b"\xf0\x9f", b"\x98", b"\x80", b"e", b"f"], b"ef"),
        ([b"\xf0", b"\x9f", b"\x98", b"\x80"], b""),  # … and nothing if that takes too many
        ([b" x"], b" x"),  # SentencePiece's implied space comes along
        ([], b""),
    ],
)
def test_what_goes_back_to_text(pieces: list[bytes], back: bytes) -> None:
    kept, wanted = heal(range(len(pieces)), pieces.__getitem__)
    assert wanted == back
    assert b"".join(pieces[kept:]) == back


@pytest.mark.parametrize("name", GENUINE)
def test_what_stays_and_what_goes_back_are_the_text(name: str) -> None:
    tokenizer = code_tokenizer(name)
    for text in TEXTS:
        ids = tokenizer.encode(text)
        kept, wanted = heal(ids, tokenizer.token_bytes)
        whole = b"".join(map(tokenizer.token_bytes, ids))
        assert b"".join(map(tokenizer.token_bytes, ids[:kept])) + wanted == whole
        assert len(ids) - kept <= MAX_TOKENS
        assert len(wanted.decode()) <= MAX_CHARS
