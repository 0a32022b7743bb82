"""The table of FIM dialects: what each row must satisfy, and which row a model takes."""

import pytest

from midfill.model.dialects import (
    CODELLAMA_PSM,
    CODELLAMA_SPM,
    DIALECTS,
    QWEN,
    TEXT_MARKERS,
    FimDialect,
    Hole,
    Order,
    detect_dialect,
    overhead_tokens,
    render,
)

QWEN_MARKERS = {*QWEN.markers, *QWEN.ends}
CODELLAMA_MARKERS = {*CODELLAMA_SPM.markers, *CODELLAMA_SPM.ends}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_row_has_both_holes_once_and_no_marker_twice(dialect: FimDialect) -> None:
    assert sorted(part for part in dialect.layout if isinstance(part, Hole)) == [Hole.PREFIX, Hole.SUFFIX]
    assert len(set(dialect.markers)) == len(dialect.markers) == len(dialect.layout) - 2
    assert not set(dialect.markers) & set(dialect.ends)
    assert overhead_tokens(dialect) == len(dialect.markers) + dialect.bos


def test_names_of_dialects_are_unique() -> None:
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)


def test_order_follows_the_layout() -> None:
    assert (QWEN.order, CODELLAMA_PSM.order, CODELLAMA_SPM.order) == (Order.PSM, Order.PSM, Order.SPM)


@pytest.mark.parametrize(
    ("name", "vocabulary", "expected"),
    [
        ("Qwen2.5-Coder-0.5B-Instruct", QWEN_MARKERS, QWEN),
        ("Qwen2.5 Coder 0.5B Instruct AWQ", QWEN_MARKERS, QWEN),
        ("qwen3-coder-30b", QWEN_MARKERS, QWEN),
        ("Qwen2.5-7B-Instruct", QWEN_MARKERS, None),
        ("CodeLlama-7b-hf", CODELLAMA_MARKERS, CODELLAMA_SPM),
        ("code_llama_13b_instruct", CODELLAMA_MARKERS, CODELLAMA_SPM),
        ("CodeLlama-7b-Python-hf", CODELLAMA_MARKERS, None),
        ("CodeLlama-34b-Instruct-hf", CODELLAMA_MARKERS, None),
        ("CodeLlama-70b-hf", set(), None),
        ("my-own-model", QWEN_MARKERS, QWEN),
        ("my-own-model", CODELLAMA_MARKERS, CODELLAMA_SPM),
        ("my-own-model", {"<|fim_prefix|>"}, None),
    ],
)
def test_the_name_decides_and_the_vocabulary_must_agree(
    name: str, vocabulary: set[str], expected: FimDialect | None
) -> None:
    assert detect_dialect(["something", name], vocabulary.__contains__) is expected


def test_rendering_puts_the_parts_where_the_layout_says() -> None:
    ids = {marker: 100 + i for i, marker in enumerate(CODELLAMA_SPM.markers)}
    assert render(CODELLAMA_SPM, ids, [1, 2], [3], bos_id=9) == [9, 100, 101, 3, 102, 1, 2]
    assert render(CODELLAMA_PSM, ids, [1, 2], [], bos_id=9) == [9, 100, 1, 2, 101, 102]


def test_only_plain_markers_are_looked_for_in_text() -> None:
    assert "<|fim_middle|>" in TEXT_MARKERS
    assert "<|im_start|>" in TEXT_MARKERS
    assert all(marker.startswith("<|") for marker in TEXT_MARKERS)
