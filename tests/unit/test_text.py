"""Lines, positions and edits, against the naive reference and against the specification's own cases."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from midfill.server.text import (
    DocumentSnapshot,
    Encoding,
    apply_edit,
    column_at,
    count_units,
    edited_snapshot,
    line_at,
    line_text,
    new_snapshot,
    offset_at,
    position_at,
)
from tests import reference_text as reference
from tests.cursor import parse, show
from tests.reference_text import counts, positions, texts

encodings = st.sampled_from(list(Encoding))
thorough = settings(deadline=None, max_examples=300)


def snapshot_of(text: str) -> DocumentSnapshot:
    return new_snapshot("file:///a.py", 1, "python", text)


@thorough
@given(texts)
def test_lines_are_those_of_the_reference(text: str) -> None:
    snapshot = snapshot_of(text)
    assert list(snapshot.line_starts) == reference.line_starts(text)
    lines = [line_text(snapshot, line) for line in range(len(snapshot.line_starts))]
    assert lines == [body for body, _ in reference.split(text)]
    assert snapshot.eol == reference.commonest_eol(text)


@thorough
@given(texts, positions, encodings)
def test_any_position_is_clamped_as_the_reference_clamps_it(
    text: str, position: tuple[int, int], encoding: Encoding
) -> None:
    assert offset_at(snapshot_of(text), *position, encoding) == reference.offset_at(
        text, *position, encoding
    )


@thorough
@given(texts, encodings)
def test_every_offset_comes_back_from_its_position(text: str, encoding: Encoding) -> None:
    snapshot = snapshot_of(text)
    for offset in range(len(text) + 1):
        position = position_at(snapshot, offset, encoding)
        assert position == reference.position_at(text, offset, encoding)
        between = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
        assert offset_at(snapshot, *position, encoding) == offset - between
        assert line_at(snapshot, offset) == position[0]


@thorough
@given(texts, encodings, st.integers(-1, 80))
def test_columns_are_those_of_the_reference_in_long_lines(
    text: str, encoding: Encoding, units: int
) -> None:
    line = text.replace("\r", "x").replace("\n", "y")
    assert column_at(line, units, encoding) == reference.offset_at(line, 0, units, encoding)
    assert count_units(line, encoding) == reference.units(line, encoding)


@thorough
@given(texts, counts, counts, texts)
@example("a\rb", 2, 2, "\n")  # joins a \r\n at its start
@example("a\nb", 1, 1, "\r")  # joins one at its end
@example("a\r\nb", 2, 2, "x")  # splits one
@example("a\rx\nb", 2, 3, "")  # closes the gap between two
@example("\n", 0, 0, "\r")
def test_an_edit_leaves_the_line_starts_of_a_fresh_scan(text: str, one: int, other: int, new: str) -> None:
    start, end = sorted(min(max(offset, 0), len(text)) for offset in (one, other))
    snapshot = snapshot_of(text)
    edited, starts = apply_edit(text, snapshot.line_starts, start, end, new)
    assert edited == text[:start] + new + text[end:]
    assert list(starts) == reference.line_starts(edited)
    assert edited_snapshot(snapshot, start, end, new) == snapshot_of(edited)


@pytest.mark.parametrize("other", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_only_the_three_line_ends_of_lsp_end_a_line(other: str) -> None:
    snapshot = snapshot_of(f"a{other}b\nc\r\nd\re")
    assert [line_text(snapshot, line) for line in range(4)] == [f"a{other}b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("encoding", "character"), [(Encoding.UTF_8, 8), (Encoding.UTF_16, 5), (Encoding.UTF_32, 4)]
)
def test_an_emoji_counts_as_each_encoding_has_it(encoding: Encoding, character: int) -> None:
    text, offset = parse("# one\ré😀\ta║b\r\n")
    assert offset_at(snapshot_of(text), 1, character, encoding) == offset
    assert position_at(snapshot_of(text), offset, encoding) == (1, character)


def test_a_unit_inside_a_character_means_its_start() -> None:
    snapshot = snapshot_of("a😀b")
    assert [offset_at(snapshot, 0, n, Encoding.UTF_16) for n in range(5)] == [0, 1, 1, 2, 3]
    assert [offset_at(snapshot, 0, n, Encoding.UTF_8) for n in range(7)] == [0, 1, 1, 1, 1, 2, 3]


def test_a_lone_surrogate_is_one_unit_in_utf_16_and_three_bytes_in_utf_8() -> None:
    snapshot = snapshot_of("\ud800x")
    assert position_at(snapshot, 1, Encoding.UTF_16) == (0, 1)
    assert position_at(snapshot, 1, Encoding.UTF_8) == (0, 3)
    assert snapshot.text == "\ud800x"


def test_a_position_past_the_end_of_a_last_line_without_newline_is_its_end() -> None:
    # pygls 2.1.1 lands one character early here
    assert offset_at(snapshot_of("ab\ncd"), 1, 99, Encoding.UTF_16) == 5
    assert offset_at(snapshot_of("ab\ncd"), 9, 0, Encoding.UTF_16) == 5
    assert offset_at(snapshot_of("ab\r\ncd"), 0, 99, Encoding.UTF_16) == 2


def test_a_megabyte_line_has_positions_in_every_encoding() -> None:
    line = "é😀x" * 350_000
    snapshot = snapshot_of(f"first\r\n{line}")
    for encoding in Encoding:
        position = position_at(snapshot, 7 + 900_000, encoding)
        assert position == (1, reference.units(line[:900_000], encoding))
        assert offset_at(snapshot, *position, encoding) == 7 + 900_000


def test_a_snapshot_keeps_source_text_out_of_its_repr() -> None:
    assert "secret" not in repr(snapshot_of("secret = 1\n"))


def test_pictures_say_where_the_cursor_is_and_what_is_inserted() -> None:
    text, offset = parse("def f(x):\n    ║\n")
    assert (text, offset) == ("def f(x):\n    \n", 14)
    assert show(text, offset, "return x") == "def f(x):\n    ├return x┤\n"
    assert show(text, offset) == "def f(x):\n    ║\n"
    for bad in ("no cursor", "║two║"):
        with pytest.raises(ValueError, match="one ║"):
            parse(bad)
