"""The table of FIM dialects: what each row must satisfy, and which row a model takes."""

import pytest

from midfill.model.dialects import (
    AUTO,
    CODELLAMA_PSM,
    CODELLAMA_SPM,
    DIALECTS,
    QWEN,
    SETTINGS,
    TEXT_MARKERS,
    Decision,
    FimDialect,
    Hole,
    Order,
    detect_dialect,
    overhead_tokens,
    render,
    wanted_dialect,
)
from midfill.model.dialects.choice import BY_NAME, NO_MARKERS
from midfill.model.errors import BadConfig

ROWS = {dialect.name: dialect for dialect in DIALECTS}
QWEN_MARKERS = {*QWEN.markers, *QWEN.ends}
CODELLAMA_MARKERS = {*CODELLAMA_SPM.markers, *CODELLAMA_SPM.ends}
EVERYTHING = {marker for row in DIALECTS for marker in (*row.markers, *row.ends, *row.signs)}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_row_has_both_holes_once_and_no_marker_twice(dialect: FimDialect) -> None:
    assert sorted(part for part in dialect.layout if isinstance(part, Hole)) == [Hole.PREFIX, Hole.SUFFIX]
    twice = {"<mask_1>"} if dialect.name == "codegen2.5" else set()  # the hole's own mark, then the cue
    assert {marker for marker in dialect.markers if dialect.markers.count(marker) > 1} == twice
    assert not set(dialect.markers) & set(dialect.ends)
    assert set(dialect.signs) <= {*dialect.markers, *dialect.ends}
    assert overhead_tokens(dialect) == len(dialect.layout) - 2 + dialect.bos


def test_names_of_dialects_are_unique() -> None:
    assert len(ROWS) == len(DIALECTS)


def test_order_follows_the_layout() -> None:
    assert (QWEN.order, CODELLAMA_PSM.order, CODELLAMA_SPM.order) == (Order.PSM, Order.PSM, Order.SPM)
    suffix_first = {name for name, row in ROWS.items() if row.order is Order.SPM}
    asked_for = {"starcoder-spm", "starcoder2-spm"}
    assert suffix_first == {
        "codellama",
        "codestral",
        "mellum",
        "qwen2.5-coder-spm",
        "seed-coder",
        *asked_for,
    }


def test_what_needs_code_of_its_own_says_so() -> None:
    assert {n for n, row in ROWS.items() if row.needs_remote_code} == {"codegen2.5", "refact", "santacoder"}


def decided(name: str, added: set[str], pieces: set[str] | None = None) -> Decision:
    has_piece = (added if pieces is None else pieces).__contains__
    decision = detect_dialect(["something", name], added.__contains__, has_piece)
    assert bool(decision.reason) == (decision.dialect is None)  # no model is left without a word
    return decision


def detected(name: str, added: set[str], pieces: set[str] | None = None) -> str | None:
    dialect = decided(name, added, pieces).dialect
    return dialect.name if dialect else None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen2.5-Coder-0.5B-Instruct", "qwen2.5-coder-spm"),
        ("Qwen2.5 Coder 0.5B Instruct AWQ", "qwen2.5-coder-spm"),
        ("Qwen2.5-Coder-1.5B-Instruct", "qwen2.5-coder"),
        ("qwen3-coder-30b", "qwen2.5-coder"),
        ("Qwen2.5-7B-Instruct", None),
        ("Qwen2-7B", None),
        ("Qwen3-8B", None),
        ("CodeLlama-7b-hf", "codellama"),
        ("code_llama_13b_instruct", "codellama"),
        ("CodeLlama-70b-hf", "codellama"),
        ("CodeLlama-70b-Instruct-hf", None),
        ("CodeLlama-7b-Python-hf", None),
        ("CodeLlama-34b-Instruct-hf", None),
        ("Phind-CodeLlama-34B-v2", None),
        ("WizardCoder-Python-13B-V1.0", None),
        ("Magicoder-S-CL-7B", None),
        ("Magicoder-S-DS-6.7B", "codegemma"),  # unknown by name: the vocabulary (here: all) decides
        ("starcoder", "starcoder"),
        ("starcoderbase-1b", "starcoder"),
        ("tiny_starcoder_py", "starcoder"),
        ("starcoder2-3b", "starcoder2"),
        ("santacoder", "santacoder"),
        ("gpt_bigcode-santacoder", "santacoder"),
        ("deepseek-coder-1.3b-base", "deepseek-coder"),
        ("deepseek-coder-7b-base-v1.5", None),
        ("DeepSeek-Coder-V2-Lite-Base", "deepseek-coder"),
        ("DeepSeek-Coder-V2-Instruct", None),
        ("DeepSeek-R1-Distill-Qwen-7B", None),
        ("codegemma-2b", "codegemma"),
        ("codegemma-1.1-7b-it-GGUF", None),
        ("mistralai/Codestral-22B-v0.1", "codestral"),
        ("Mamba-Codestral-7B-v0.1", None),
        ("Mistral-7B-v0.3", None),
        ("Mixtral-8x22B", None),
        ("granite-3b-code-base", "granite"),
        ("granite-3.3-2b-base", "granite"),
        ("granite-4.0-micro", "granite-4"),
        ("stable-code-3b", "stable-code"),
        ("Mellum-4b-base", "mellum"),
        ("Seed-Coder-8B-Base", "seed-coder"),
        ("OpenCoder-1.5B-Base", None),
        ("Refact-1_6B-fim", "refact"),
        ("my-refactoring-model", "codegemma"),
        ("codegen25-7b-multi", "codegen2.5"),
        ("codegeex4-all-9b", None),
        ("GLM-4.5-Air", None),
    ],
)
def test_a_known_name_decides(name: str, expected: str | None) -> None:
    assert detected(name, EVERYTHING) == expected


def test_every_row_but_other_orders_is_some_models_by_name() -> None:
    named = {row.name for _, row in BY_NAME if isinstance(row, FimDialect)}
    assert named == set(ROWS) - {"codellama-psm", "starcoder-spm", "starcoder2-spm"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CodeLlama-7b-Python-hf", "-Python"),
        ("Phind-CodeLlama-34B-v2", "34B"),
        ("CodeLlama-70b-Instruct-hf", "70B Instruct"),
        ("WizardCoder-Python-13B-V1.0", "WizardCoder"),
        ("OpenCoder-8B-Base", "OpenCoder"),
        ("Qwen2.5-7B", "Coder"),
        ("GLM-4.5-Air", "GLM"),
    ],
)
def test_a_model_that_was_not_trained_to_fill_is_named_in_the_reason(name: str, said: str) -> None:
    assert said in decided(name, EVERYTHING).reason


@pytest.mark.parametrize(
    ("vocabulary", "expected"),
    [
        (QWEN_MARKERS, "qwen2.5-coder"),
        ({*QWEN.markers, "<|file_separator|>"}, "codegemma"),
        ({*QWEN.markers, "<|end_of_text|>"}, "granite-4"),
        (CODELLAMA_MARKERS, "codellama"),
        ({*ROWS["starcoder2"].markers, "<file_sep>", "<repo_name>"}, "starcoder2"),
        ({*ROWS["starcoder"].markers}, "starcoder"),
        ({*ROWS["santacoder"].markers}, "santacoder"),
        ({*ROWS["deepseek-coder"].markers}, "deepseek-coder"),
        ({*ROWS["seed-coder"].markers}, "seed-coder"),
        ({"[PREFIX]", "[MIDDLE]", "[SUFFIX]"}, None),
        ({"<mask_1>", "<sep>", "<|endoftext|>"}, None),
        ({"<|fim_prefix|>"}, None),
        (set(), None),
    ],
)
def test_an_unknown_model_is_taken_at_its_vocabularys_word(
    vocabulary: set[str], expected: str | None
) -> None:
    assert detected("my-own-model", vocabulary) == expected
    decision = decided("my-own-model", vocabulary)
    assert decision.on_trust == (expected is not None)
    assert expected or decision.reason == NO_MARKERS


def test_a_name_without_its_markers_fills_nothing() -> None:
    assert detected("CodeLlama-70b-hf", set()) is None
    assert detected("starcoder2-3b", QWEN_MARKERS) is None
    assert decided("starcoder2-3b", QWEN_MARKERS).reason == "its vocabulary has no <fim_prefix>"
    assert not decided("starcoder2-3b", EVERYTHING).on_trust


def test_the_setting_takes_any_row_whose_markers_are_there() -> None:
    assert (AUTO, "none", *ROWS) == SETTINGS
    for name, row in ROWS.items():
        assert wanted_dialect(name, {*row.markers}.__contains__) == Decision(row)
    assert wanted_dialect("none", EVERYTHING.__contains__).dialect is None
    assert "fimDialect" in wanted_dialect("none", EVERYTHING.__contains__).reason


def test_a_dialect_that_cannot_be_had_is_refused_with_the_reason() -> None:
    with pytest.raises(BadConfig, match="unknown FIM dialect 'nonsense': known are auto, none, codegemma"):
        wanted_dialect("nonsense", EVERYTHING.__contains__)
    with pytest.raises(BadConfig, match="no <fim_prefix>, <fim_suffix>, <fim_middle>; use auto or none"):
        wanted_dialect("starcoder2", QWEN_MARKERS.__contains__)


def test_markers_that_are_ordinary_pieces_count_for_a_known_name_only() -> None:
    assert detected("codellama-7b", set(), CODELLAMA_MARKERS) == "codellama"
    assert detected("my-own-model", set(), CODELLAMA_MARKERS) is None


def test_rendering_puts_the_parts_where_the_layout_says() -> None:
    ids = {marker: 100 + i for i, marker in enumerate(CODELLAMA_SPM.markers)}
    assert render(CODELLAMA_SPM, ids, [1, 2], [3], bos_id=9) == [9, 100, 101, 3, 102, 1, 2]
    assert render(CODELLAMA_PSM, ids, [1, 2], [], bos_id=9) == [9, 100, 1, 2, 101, 102]
    assert render(ROWS["codestral"], {"[SUFFIX]": 5, "[PREFIX]": 6}, [1, 2], [3], bos_id=9) == [
        *(9, 5, 3, 6, 1, 2)
    ]


def test_only_plain_markers_are_looked_for_in_text() -> None:
    assert {"<|fim_middle|>", "<|im_start|>", "<fim_middle>", "<｜fim▁end｜>"} <= set(TEXT_MARKERS)
    assert not {"</s>", "<filename>", "<sep>", "[SUFFIX]", "▁<MID>", "</code>"} & set(TEXT_MARKERS)
    assert all(marker[0] == "<" and (marker[1] in "|｜" or "fim" in marker) for marker in TEXT_MARKERS)
