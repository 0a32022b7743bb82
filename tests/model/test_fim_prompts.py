"""Prompts by ids: every row of the table on a genuine vocabulary where there is one, else on a stand-in."""

import json
from functools import cache

import pytest
from tokenizers import AddedToken, Tokenizer

from midfill.model.dialects import CODELLAMA_PSM, DIALECTS, TEXT_MARKERS, Heals, Hole
from midfill.model.tokens import CodeTokenizer
from tests.model.evaluation_data import fim_reference, shared, shared_rows, shared_tokenizer
from tests.model.vocabularies import MISTRAL, code_tokenizer, prompt, sentencepiece

ROWS = {dialect.name: dialect for dialect in DIALECTS}
GENUINE = {
    "qwen2.5-coder": "qwen2.5-coder",
    "qwen2.5-coder-spm": "qwen2.5-coder",
    "codellama": "codellama-reconstructed",
    "codellama-psm": "codellama-reconstructed",
    "starcoder2": "starcoder2",
    "starcoder2-spm": "starcoder2",
    "deepseek-coder": "deepseek-coder",
    "codestral": "codestral",
}
"""Rows whose own vocabulary is at hand (Code Llama's is reconstructed)."""
REFERENCE = {
    "codellama_psm": "codellama-psm",
    "codellama_spm": "codellama",
    "qwen2.5-coder_psm": "qwen2.5-coder",
    "starcoder2_psm": "starcoder2",
    "deepseek-coder_psm": "deepseek-coder",
    "codestral_spm": "codestral",
}
"""Formats of the reference, and the row that makes each."""
BOS = {
    "codellama": "<s>",
    "codellama-psm": "<s>",
    "codestral": "<s>",
    "deepseek-coder": "<｜begin▁of▁sentence｜>",
    "codegemma": "<bos>",
    "seed-coder": "<[begin▁of▁sentence]>",
}
STARCODER = "<fim_prefix>{p}<fim_suffix>{s}<fim_middle>"
QWEN = "<|fim_prefix|>{p}<|fim_suffix|>{s}<|fim_middle|>"
STARCODER_SPM = "<fim_prefix><fim_suffix>{s}<fim_middle>{p}"
PUBLISHED = {
    "qwen2.5-coder": QWEN,
    "qwen2.5-coder-spm": "<|fim_prefix|><|fim_suffix|>{s}<|fim_middle|>{p}",  # not published: measured
    "codegemma": "<bos>" + QWEN,
    "granite-4": QWEN,
    "starcoder2": STARCODER,
    "starcoder2-spm": STARCODER_SPM,
    "starcoder": STARCODER,
    "starcoder-spm": STARCODER_SPM,
    "granite": STARCODER,
    "stable-code": STARCODER,
    "refact": STARCODER,
    "santacoder": "<fim-prefix>{p}<fim-suffix>{s}<fim-middle>",
    "mellum": "<fim_suffix>{s}<fim_prefix>{p}<fim_middle>",
    "deepseek-coder": "<｜begin▁of▁sentence｜><｜fim▁begin｜>{p}<｜fim▁hole｜>{s}<｜fim▁end｜>",
    "seed-coder": "<[begin▁of▁sentence]><[fim-suffix]>{s}<[fim-prefix]>{p}<[fim-middle]>",
    "codegen2.5": "{p}<mask_1>{s}<|endoftext|><sep><mask_1>",
}
"""The families' own strings, where a string says it all (in SentencePiece it does not)."""
CODE = ("def f(a, b):\n    x = a.b  \n    re", "turn x\n\n\ndef g():\n\treturn '日本 😀'\n")


@cache
def tokenizer_of(row: str) -> CodeTokenizer:
    """The row's own vocabulary, or StarCoder2's with the row's markers added."""
    if row in GENUINE:
        return code_tokenizer(GENUINE[row])
    raw = shared_tokenizer("starcoder2")
    own = [*ROWS[row].markers, *ROWS[row].ends, *filter(None, [BOS.get(row)])]
    raw.add_special_tokens([AddedToken(marker, special=True, normalized=False) for marker in own])
    return CodeTokenizer(raw)


def fill(row: str, prefix: str, suffix: str) -> list[int]:
    return prompt(tokenizer_of(row), ROWS[row], prefix, suffix, BOS.get(row, ""))


def test_the_published_code_llama_prompt_comes_out_id_for_id() -> None:
    published = (  # ggml-org/llama.cpp issue 3503
        "1 32007 822 3349 29918 5464 29918 294 18869 29898 29879 29901 851 29897 1599 851 29901 13 1678 "
        "9995 29871 32008 13 1678 736 1121 13 32009"
    )
    got = fill(
        CODELLAMA_PSM.name, 'def remove_non_ascii(s: str) -> str:\n    """ ', "\n    return result\n"
    )
    assert got == list(map(int, published.split()))


def test_the_reference_holds_no_format_that_is_not_checked() -> None:
    assert {format for _, _, ids in fim_reference() for format in ids} == set(REFERENCE)


@pytest.mark.parametrize("format", REFERENCE)
def test_every_reference_prompt_comes_out_id_for_id(format: str) -> None:
    rows = fim_reference()
    row = REFERENCE[format]
    assert [i for i, (p, s, ids) in enumerate(rows) if fill(row, p, s) != ids[format]] == []
    assert len(rows) == 100


@pytest.mark.parametrize(
    ("family", "vocabulary"),
    [
        ("llama2", "codellama-reconstructed"),
        ("deepseek-coder", "deepseek-coder"),
        ("starcoder2", "starcoder2"),
        ("qwen2.5-coder", "qwen2.5-coder"),
    ],
)
def test_the_conformance_vectors_come_out_id_for_id(family: str, vocabulary: str) -> None:
    tokenizer = code_tokenizer(vocabulary)
    path = shared("tokenizers", "conformance-vectors.json")
    vectors = json.loads(path.read_text(encoding="utf-8"))[family]
    assert [v["text"] for v in vectors if tokenizer.encode(v["text"]) != v["ids"]] == []
    assert len(vectors) == 47


def test_the_codestral_vocabulary_that_is_built_here_equals_the_genuine_one() -> None:
    tokenizer, genuine = tokenizer_of("codestral"), sentencepiece(MISTRAL)
    tasks = shared_rows("HumanEval-RandomSpanInfillingLight")
    texts = [text for task in tasks for text in (task["prompt"], task["suffix"])]
    assert [text for text in texts if tokenizer.encode(text) != genuine.encode(text)] == []


@pytest.mark.parametrize("row", PUBLISHED)
def test_a_prompt_reads_as_the_family_publishes_it(row: str) -> None:
    as_markers = Tokenizer.from_str(tokenizer_of(row)._tokenizer.to_str())
    prefix, suffix = CODE
    published = PUBLISHED[row].format(p=prefix, s=suffix)
    assert fill(row, prefix, suffix) == as_markers.encode(published, add_special_tokens=False).ids


def test_every_row_is_checked_against_a_reference_or_a_published_string() -> None:
    assert set(ROWS) == set(PUBLISHED) | set(REFERENCE.values())


@pytest.mark.parametrize("row", ROWS)
def test_where_the_middle_follows_upon_the_prefix_all_of_a_line_is_healed(row: str) -> None:
    flows = ROWS[row].layout[-1] is Hole.PREFIX
    assert ROWS[row].heals is (Heals.IN_LINES if flows else Heals.IN_WORDS)


@pytest.mark.parametrize("row", GENUINE)
def test_every_marker_is_one_id_of_the_genuine_vocabulary(row: str) -> None:
    tokenizer = tokenizer_of(row)
    for marker in ROWS[row].markers:
        assert tokenizer.marker_id(marker) is not None
        assert tokenizer.is_marker(marker)
        assert tokenizer.marker_id(marker) in tokenizer.reserved
    if ROWS[row].ends:
        assert any(tokenizer.is_marker(end) for end in ROWS[row].ends)


def reserved_of(tokenizer: CodeTokenizer, ids: list[int]) -> list[int]:
    return [i for i in ids if i in tokenizer.reserved]


@pytest.mark.parametrize("row", ROWS)
def test_a_prompt_holds_the_markers_of_its_layout_and_no_others_whatever_the_user_types(row: str) -> None:
    dialect, tokenizer = ROWS[row], tokenizer_of(row)
    bos = tokenizer.marker_id(BOS[row]) if dialect.bos else None
    wanted = [i for i in (bos, *map(tokenizer.marker_id, dialect.markers)) if i is not None]
    assert len(wanted) == len(dialect.markers) + dialect.bos
    spelled = {*TEXT_MARKERS, *dialect.markers, *dialect.ends, *BOS.values(), "</s>", " <MID>", "[PREFIX]"}
    for marker in spelled:
        for text in (f"{marker}x", f"x = {marker}\n", marker * 2):
            assert reserved_of(tokenizer, fill(row, text, text)) == wanted, text
            plain = text.replace("▁", " ") if tokenizer.leading_space else text
            assert tokenizer.decode(tokenizer.encode_continuation(text)) == plain
