"""Answers that are one of given texts: which tokens may come, on small vocabularies and genuine ones."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.model.choices import OneOf, one_of
from midfill.model.tokens import CodeTokenizer
from midfill.model.trie import TokenTrie
from tests.model.tiny import make_tokenizer
from tests.model.vocabularies import by_hand, code_tokenizer

GENUINE = ["qwen2.5-coder", "starcoder2", "deepseek-coder", "codellama-reconstructed"]
TINY = CodeTokenizer(make_tokenizer())
TINY_TRIE = TokenTrie(TINY)
TINY_END = TINY.marker_id("<|im_end|>")
END = 99
PIECES = [b"G", b"o", b"Go", b"lang", b"l", b"a", b"ng", b"ngx", b"Py", b"Pyt"]


def constrain(choices: Sequence[bytes], pieces: list[bytes] = PIECES) -> OneOf | None:
    return one_of(TokenTrie(by_hand(pieces)), choices, {END})


def allowed(constraint: OneOf | None, pieces: list[bytes] = PIECES) -> set[bytes | str]:
    assert constraint is not None
    ids = constraint.allowed()
    assert len(set(ids)) == len(ids)
    return {"end" if i == END else pieces[i] for i in ids}


def step(constraint: OneOf | None, piece: bytes) -> OneOf:
    assert constraint is not None
    after = constraint.after(PIECES.index(piece))
    assert after is not None
    return after


def test_where_one_choice_is_over_that_another_goes_on_from_the_end_stands_against_going_on() -> None:
    first = constrain([b"Go", b"Golang"])
    assert allowed(first) == {b"G", b"Go"}
    over = step(first, b"Go")
    assert allowed(over) == {"end", b"l", b"lang"}
    assert over.after(END) is None
    assert allowed(step(over, b"lang")) == {"end"}
    assert allowed(step(step(over, b"l"), b"a")) == {b"ng"}  # never past the end of a choice


def test_what_was_written_closes_the_other_choices() -> None:
    first = constrain([b"Go", b"a", b"lang"])
    assert allowed(first) == {b"G", b"Go", b"a", b"l", b"lang"}
    assert allowed(step(first, b"a")) == {"end"}
    assert allowed(step(first, b"G")) == {b"o"}


def test_a_token_that_leads_nowhere_is_not_allowed() -> None:
    pieces = [b"a", b"ab", b"bc", b"b"]  # behind `ab` nothing spells `c`
    assert allowed(constrain([b"abc"], pieces), pieces) == {b"a"}


def test_a_token_that_leads_nowhere_closes_its_choice() -> None:
    pieces = [b"a", b"ab", b"bc", b"b"]
    first = constrain([b"ab", b"abc"], pieces)
    assert first is not None
    behind = first.after(pieces.index(b"ab"))
    assert allowed(behind, pieces) == {"end"}


def test_choices_that_the_vocabulary_cannot_spell_are_none() -> None:
    assert constrain([b"Go", b"Python"]) is None
    assert constrain([b"Pyt"]) is not None


def test_a_choice_that_reads_like_a_marker_is_spelled_as_text() -> None:
    for name in GENUINE:
        tokenizer = code_tokenizer(name)
        for text in ("<|im_end|>", "</s>", "<s>", "<|EOT|>", "<|endoftext|>", "<file_sep>"):
            walked = walk(one_of(TokenTrie(tokenizer), [text.encode()], {END}), tokenizer, random.Random(1))
            assert tokenizer.reserved.isdisjoint(walked)
            assert tokenizer.decode(walked) == text


@pytest.mark.parametrize("name", GENUINE)
def test_whatever_is_chosen_among_the_allowed_the_answer_is_one_of_the_choices(name: str) -> None:
    tokenizer, choose = code_tokenizer(name), random.Random(1)
    trie, choices = TokenTrie(tokenizer), ["Python", "Py", "Go", "日本 😀", " é\n", "Go lang"]
    answers = set()
    for _ in range(200):
        answers.add(
            tokenizer.decode(walk(one_of(trie, [c.encode() for c in choices], {END}), tokenizer, choose))
        )
    assert answers == set(choices)


@given(st.sets(st.text(min_size=1, max_size=9), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_texts_can_be_the_choices(choices: set[str], choose: random.Random) -> None:
    wanted = [choice.encode("utf-8", errors="ignore") or b"x" for choice in choices]
    assert TINY.decode(walk(one_of(TINY_TRIE, wanted, {END * 100}), TINY, choose)).encode() in wanted


def walk(constraint: OneOf | None, tokenizer: CodeTokenizer, choose: random.Random) -> list[int]:
    """What comes out, without the end, if any allowed token may be next."""
    assert constraint is not None
    written: list[int] = []
    while True:
        token = choose.choice(constraint.allowed())
        if (after := constraint.after(token)) is None:
            return written
        constraint = after
        written.append(token)
