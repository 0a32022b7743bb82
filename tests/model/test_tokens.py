"""Text to ids and back: prompts id for id, markers in text stay text, streams equal whole decodes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models

from midfill.model.dialects import CODELLAMA_PSM, CODELLAMA_SPM, DIALECTS, QWEN, FimDialect, render
from midfill.model.tokens import CodeTokenizer, StreamDecoder, common_prefix
from tests.model.evaluation_data import fim_reference, shared, shared_tokenizer
from tests.model.tiny import make_tokenizer

FORMATS = {"codellama_psm": CODELLAMA_PSM, "codellama_spm": CODELLAMA_SPM, "qwen2.5-coder_psm": QWEN}
USER_MARKERS = ["<|fim_middle|>", "<|im_end|>", "</s>", "<s>", "▁<MID>", " <MID>", "<|endoftext|>"]
BOS = 1


@pytest.fixture(scope="module")
def qwen() -> CodeTokenizer:
    return CodeTokenizer(shared_tokenizer("qwen2.5-coder"))


@pytest.fixture(scope="module")
def codellama() -> CodeTokenizer:
    return CodeTokenizer(shared_tokenizer("codellama-reconstructed"))


def prompt(tokenizer: CodeTokenizer, dialect: FimDialect, prefix: str, suffix: str) -> list[int]:
    ids = {marker: i for marker in dialect.markers if (i := tokenizer.marker_id(marker)) is not None}
    return render(dialect, ids, tokenizer.encode(prefix), tokenizer.encode_continuation(suffix), BOS)


def test_the_published_code_llama_prompt_comes_out_id_for_id(codellama: CodeTokenizer) -> None:
    published = (  # ggml-org/llama.cpp issue 3503
        "1 32007 822 3349 29918 5464 29918 294 18869 29898 29879 29901 851 29897 1599 851 29901 13 1678 "
        "9995 29871 32008 13 1678 736 1121 13 32009"
    )
    got = prompt(
        codellama, CODELLAMA_PSM, 'def remove_non_ascii(s: str) -> str:\n    """ ', "\n    return result\n"
    )
    assert got == list(map(int, published.split()))


@pytest.mark.parametrize("name", FORMATS)
def test_every_reference_prompt_comes_out_id_for_id(
    name: str, qwen: CodeTokenizer, codellama: CodeTokenizer
) -> None:
    tokenizer = qwen if name.startswith("qwen") else codellama
    rows = fim_reference()
    wrong = [i for i, (p, s, ids) in enumerate(rows) if prompt(tokenizer, FORMATS[name], p, s) != ids[name]]
    assert len(rows) == 100
    assert wrong == []


@pytest.mark.parametrize(
    ("family", "vocabulary"), [("qwen2.5-coder", "qwen2.5-coder"), ("llama2", "codellama-reconstructed")]
)
def test_the_conformance_vectors_come_out_id_for_id(family: str, vocabulary: str) -> None:
    tokenizer = CodeTokenizer(shared_tokenizer(vocabulary))
    path = shared("tokenizers", "conformance-vectors.json")
    vectors = json.loads(path.read_text(encoding="utf-8"))[family]
    assert [v["text"] for v in vectors if tokenizer.encode(v["text"]) != v["ids"]] == []
    assert len(vectors) == 47


def reserved_ids(tokenizer: CodeTokenizer, ids: list[int]) -> list[int]:
    return [i for i in ids if i in tokenizer.reserved]


@pytest.mark.parametrize("marker", USER_MARKERS)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_markers_in_user_text_stay_text(
    marker: str, dialect: FimDialect, qwen: CodeTokenizer, codellama: CodeTokenizer
) -> None:
    tokenizer = qwen if dialect is QWEN else codellama
    clean = reserved_ids(tokenizer, prompt(tokenizer, dialect, "x = 1\n", "y = 2\n"))
    for text in (f"{marker}x", f"x{marker}x", f"x{marker}", marker * 3):
        dirty = prompt(tokenizer, dialect, text, text)
        assert [i for i in dirty if i in tokenizer.reserved] == [
            i for i in clean if i in tokenizer.reserved
        ]
        plain = text.replace("▁", " ") if tokenizer.leading_space else text
        assert tokenizer.decode(tokenizer.encode_continuation(text)) == plain


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
