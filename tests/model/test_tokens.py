"""Text to ids and back: markers in text stay text, streams equal whole decodes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models

from midfill.model.tokens import CodeTokenizer, StreamDecoder, common_prefix
from tests.model.evaluation_data import shared_tokenizer
from tests.model.tiny import make_gemma_like, make_tokenizer


@pytest.fixture(scope="module")
def qwen() -> CodeTokenizer:
    return CodeTokenizer(shared_tokenizer("qwen2.5-coder"))


@pytest.fixture(scope="module")
def codellama() -> CodeTokenizer:
    return CodeTokenizer(shared_tokenizer("codellama-reconstructed"))


def merging_tokenizer(marker: str) -> Tokenizer:
    """One whose ordinary merges make `marker`, as Code Llama's genuine vocabulary does."""
    steps = [marker[:n] for n in range(2, len(marker) + 1)]
    vocabulary = {piece: i for i, piece in enumerate([*sorted({*marker, "a", "☺"}), *steps])}
    merges = [(step[:-1], step[-1]) for step in steps]
    return Tokenizer(models.BPE(vocab=vocabulary, merges=merges))


def test_a_marker_that_merges_make_is_encoded_in_pieces() -> None:
    raw = merging_tokenizer("<MID>")
    assert raw.encode("a<MID>a").tokens == ["a", "<MID>", "a"]
    tokenizer = CodeTokenizer(raw, reserved=["<MID>"])
    for text in ("<MID>", "a<MID>", "<MID>a", "<MID><MID>", "a<MID>a<MID>a"):
        ids = tokenizer.encode(text)
        assert raw.token_to_id("<MID>") not in ids
        assert tokenizer.decode(ids) == text


def test_an_ordinary_piece_can_be_reserved_later() -> None:
    tokenizer = CodeTokenizer(merging_tokenizer("<MID>"))
    marker = tokenizer.marker_id("<MID>")
    assert tokenizer.encode("<MID>") == [marker]
    tokenizer.reserve(["<MID>", "<unknown>"])
    assert marker not in tokenizer.encode("<MID>")
    assert tokenizer.decode(tokenizer.encode("<MID>")) == "<MID>"
    assert tokenizer.decode([marker]) == ""


def test_added_letters_come_back_as_letters() -> None:
    tokenizer = CodeTokenizer(shared_tokenizer("deepseek-coder"))
    text = "für Köln, Øre, ÿ = ÷"
    assert not tokenizer.reserved.intersection(tokenizer.encode(text))
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_vocabulary_of_gemmas_kind_has_no_leading_space_and_html_in_it() -> None:
    tokenizer = CodeTokenizer(make_gemma_like())
    text = "<b>a b</b>\n  é <bos> <|fim_prefix|>"
    assert not tokenizer.leading_space
    assert tokenizer.encode(text)[0] == tokenizer.marker_id("<b>")
    assert tokenizer.decode(tokenizer.encode(text)) == text
    reserved = {tokenizer.marker_id("<bos>"), tokenizer.marker_id("<|fim_prefix|>")}
    assert reserved <= tokenizer.reserved
    assert not reserved.intersection(tokenizer.encode(text))


def test_a_marker_of_one_character_becomes_the_replacement_character() -> None:
    raw = make_tokenizer()
    raw.add_tokens([AddedToken("Δ", special=False)])
    tokenizer = CodeTokenizer(raw, reserved=["Δ"])
    assert tokenizer.decode(tokenizer.encode("aΔb")) == "a\ufffdb"


def test_lone_surrogates_become_the_replacement_character(
    qwen: CodeTokenizer, codellama: CodeTokenizer
) -> None:
    for tokenizer in (qwen, codellama):
        assert tokenizer.decode(tokenizer.encode_continuation("a\ud800b\udfff")) == "a\ufffdb\ufffd"


def test_a_continuation_has_no_implied_leading_space(codellama: CodeTokenizer) -> None:
    assert codellama.encode_continuation("foo()")[0] == 5431
    assert codellama.encode("foo()")[0] == 7953
    assert codellama.encode("") == codellama.encode_continuation("") == []


def stream(tokenizer: CodeTokenizer, ids: list[int]) -> str:
    decoder = StreamDecoder(tokenizer.token_bytes)
    return "".join(map(decoder.feed, ids))


def test_no_space_is_lost_at_the_start_of_an_answer(codellama: CodeTokenizer) -> None:
    text = "    return x"
    assert stream(codellama, codellama.encode_continuation(text)) == text


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 151_664), max_size=40))
def test_streamed_qwen_tokens_equal_the_whole_decode(qwen: CodeTokenizer, ids: list[int]) -> None:
    plain = [i for i in ids if i not in qwen.reserved]
    whole = qwen._tokenizer.decode(plain, skip_special_tokens=True)
    streamed = stream(qwen, ids)
    assert qwen.decode(ids) == whole
    assert whole.startswith(streamed)
    assert set(whole[len(streamed) :]) <= {"\ufffd"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(259, 32_015), max_size=40), st.text(max_size=20))
def test_streamed_code_llama_tokens_equal_the_whole_decode(
    codellama: CodeTokenizer, ids: list[int], text: str
) -> None:
    ids = [*ids, *codellama.encode_continuation(text)]
    whole = codellama._tokenizer.decode([31171, *ids], skip_special_tokens=True)[1:]
    assert stream(codellama, ids) == codellama.decode(ids) == whole


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_text_comes_back_as_it_was(qwen: CodeTokenizer, text: str) -> None:
    from unicodedata import normalize

    assert stream(qwen, qwen.encode(text)) == normalize("NFC", text)


def test_common_prefix() -> None:
    assert common_prefix([1, 2, 3], [1, 2, 4]) == 2
    assert common_prefix([1, 2], [1, 2, 3]) == 2
    assert common_prefix([], [1]) == 0


@pytest.mark.parametrize(
    ("hidden", "shown"), [(0, "abcéde"), (1, "bcéde"), (2, "céde"), (5, "de"), (6, "e"), (7, ""), (9, "")]
)
def test_hidden_bytes_never_become_text(hidden: int, shown: str) -> None:
    words = [b"ab", b"c\xc3", b"\xa9d", b"e"]
    decoder = StreamDecoder(words.__getitem__, hidden)
    steps = [(decoder.hides(token), decoder.feed(token)) for token in range(4)]
    assert "".join(text for _, text in steps) == shown
    assert [hides for hides, _ in steps] == [hidden >= end for end in (2, 4, 6, 7)]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([b" a", b" b"], "a b"),
        ([b" ", b" a"], " a"),
        ([b"a", b" b"], "a b"),
        ([b"", b" a"], "a"),
        ([b"\n "], "\n "),
    ],
)
def test_one_space_before_an_answer_is_dropped_where_it_is_none_of_the_text(
    words: list[bytes], shown: str
) -> None:
    for space_first, wanted in ((True, shown), (False, b"".join(words).decode())):
        decoder = StreamDecoder(words.__getitem__, space_first=space_first)
        assert "".join(map(decoder.feed, range(len(words)))) == wanted
