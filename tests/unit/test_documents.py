"""The document store against the naive reference: any edits, any encoding, any spelling of a URI."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from midfill.server.documents import MANY_EDITS, DocumentStore, Edit, UnknownDocument, grew_by
from midfill.server.text import Encoding, new_snapshot
from tests import reference_text as reference
from tests.reference_text import positions, texts

URI = "file:///home/u/a.py"
U16 = Encoding.UTF_16

edits = st.builds(Edit, st.tuples(positions, positions), texts)
full_texts = st.builds(Edit, st.none(), texts)
notifications = st.lists(st.lists(edits | edits | edits | full_texts, max_size=2 * MANY_EDITS), max_size=4)


def opened(text: str, uri: str = URI) -> DocumentStore:
    store = DocumentStore()
    store.open(uri, "python", 1, text)
    return store


def text_of(store: DocumentStore, uri: str = URI) -> str:
    snapshot = store.snapshot(uri)
    assert snapshot is not None
    return snapshot.text


@settings(deadline=None, max_examples=300)
@given(texts, notifications, st.sampled_from(list(Encoding)))
@example("a\rb", [[Edit(((1, 0), (1, 0)), "\n")] * MANY_EDITS], Encoding.UTF_8)
def test_any_changes_leave_the_document_that_the_reference_has(
    text: str, changes: list[list[Edit]], encoding: Encoding
) -> None:
    store = opened(text)
    for version, notification in enumerate(changes, start=2):
        after = store.change(URI, version, notification, encoding)
        for change in notification:
            text = reference.edit(text, change.range, change.text, encoding)
        assert after == new_snapshot(URI, version, "python", text)
        assert list(after.line_starts) == reference.line_starts(text)
        assert after.eol == reference.commonest_eol(text)
        assert store.snapshot(URI) is after


def test_an_edit_below_a_form_feed_lands_on_its_line() -> None:
    # pygls 2.1.1 corrupts line 1 here: str.splitlines() also splits at form feeds
    store = opened("a\n\x0cdef f():\n    pass\n")
    store.change(URI, 2, [Edit(((2, 4), (2, 8)), "return 1")], U16)
    assert text_of(store) == "a\n\x0cdef f():\n    return 1\n"


def test_several_changes_apply_in_order_each_to_what_the_last_one_left() -> None:
    store = opened("abc\n")
    changes = [
        Edit(((0, 0), (0, 0)), "lost"),
        Edit(None, "new\r\ntext"),
        Edit(((1, 4), (1, 4)), "\r\n!"),
        Edit(((2, 0), (2, 1)), ""),
    ]
    assert store.change(URI, 7, changes, U16).text == "new\r\ntext\r\n"
    assert store.change(URI, 8, [], U16).version == 8


def test_a_formatters_many_edits_from_the_end_to_the_start_apply_like_one_by_one() -> None:
    text = "".join(f"x{n}=  {n}\r\n" for n in range(100))
    changes = [Edit(((n, len(f"x{n}=")), (n, len(f"x{n}=  "))), " ") for n in reversed(range(100))]
    one_by_one = opened(text)
    for change in changes:
        one_by_one.change(URI, 2, [change], U16)
    at_once = opened(text).change(URI, 2, changes, U16)
    assert at_once == one_by_one.snapshot(URI)
    assert at_once.text == "".join(f"x{n}= {n}\r\n" for n in range(100))


def test_a_range_that_ends_before_it_starts_is_turned_round() -> None:
    store = opened("abc\ndef\n")
    assert store.change(URI, 2, [Edit(((1, 1), (0, 2)), "-")], U16).text == "ab-ef\n"


def test_a_snapshot_taken_before_a_change_stays_what_it_was() -> None:
    store = opened("x")
    before = store.snapshot(URI)
    store.change(URI, 2, [Edit(((0, 1), (0, 1)), "YZ")], U16)
    assert before == new_snapshot(URI, 1, "python", "x")
    assert text_of(store) == "xYZ"


def test_a_change_of_an_unopened_document_is_reported_and_changes_nothing() -> None:
    store = opened("x")
    with pytest.raises(UnknownDocument, match="other"):
        store.change("file:///other.py", 2, [Edit(None, "y")], U16)
    with pytest.raises(UnknownDocument):
        store.close("file:///other.py")
    assert store.uris() == (URI,)
    assert text_of(store) == "x"


def test_a_closed_document_is_gone() -> None:
    store = opened("x")
    store.close(URI)
    assert store.snapshot(URI) is None
    assert store.uris() == ()
    with pytest.raises(UnknownDocument):
        store.change(URI, 2, [], U16)


@pytest.mark.parametrize(
    ("opened_as", "spoken_of_as"),
    [
        ("file:///c%3A/My%20Code/a.py", "file:///C:/My Code/a.py"),
        ("file:///C:/a.py", "file:///c%3a/a.py"),
        ("file:///home/%C3%A9/a.py", "file:///home/é/a.py"),
        ("FILE://localhost/a+b.py", "file:///a%2Bb.py"),
        ("file://Server/share/a.py", "file://server/share/a.py"),
    ],
)
def test_another_spelling_finds_the_document_and_the_clients_own_is_kept(
    opened_as: str, spoken_of_as: str
) -> None:
    store = opened("x", opened_as)
    snapshot = store.change(spoken_of_as, 2, [Edit(((0, 1), (0, 1)), "y")], U16)
    assert (snapshot.uri, snapshot.text) == (opened_as, "xy")
    assert store.snapshot(opened_as) is store.snapshot(spoken_of_as) is snapshot
    assert store.uris() == (opened_as,)
    store.close(spoken_of_as)
    assert store.uris() == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file:///A.py", "file:///a.py"),
        ("file:///a%2541.py", "file:///a%41.py"),
        ("file:///a%3Fb", "file:///a?b"),
        ("untitled:a%20b", "untitled:a b"),
        ("file:///a%FF.py", "file:///a%FE.py"),
    ],
)
def test_different_files_never_share_a_document(one: str, other: str) -> None:
    store = opened("one", one)
    store.open(other, "python", 1, "other")
    assert (text_of(store, one), text_of(store, other)) == ("one", "other")


def test_opening_again_under_another_spelling_starts_over() -> None:
    store = opened("old", "file:///c%3A/a.py")
    store.open("file:///C:/a.py", "python", 5, "new")
    assert store.uris() == ("file:///C:/a.py",)
    assert text_of(store, "file:///c%3A/a.py") == "new"


@pytest.mark.parametrize(
    ("before", "after", "offset", "inserted"),
    [
        ("ab", "ab", 1, ""),
        ("ab", "axyb", 1, "xy"),
        ("aab", "aaab", 1, "a"),
        ("ab", "abx", 2, "x"),
        ("ab", "xab", 1, None),  # inserted elsewhere
        ("ab", "xb", 1, None),  # replaced
        ("ab", "axc", 1, None),
        ("ab", "a", 1, None),  # deleted
        ("ab", "abx", 3, None),  # no such offset
        ("ab", "abx", -1, None),
    ],
)
def test_invariant_2_only_text_typed_at_the_cursor_extends_a_document(
    before: str, after: str, offset: int, inserted: str | None
) -> None:
    old, new = (new_snapshot(URI, 1, "python", text) for text in (before, after))
    assert grew_by(old, new, offset) == inserted


@settings(deadline=None)
@given(texts, texts, st.integers(0, 40), texts)
def test_growth_is_found_exactly_where_splicing_it_in_gives_the_text(
    text: str, typed: str, offset: int, other: str
) -> None:
    offset = min(offset, len(text))
    before = new_snapshot(URI, 1, "python", text)
    grown = new_snapshot(URI, 2, "python", text[:offset] + typed + text[offset:])
    assert grew_by(before, grown, offset) == typed
    found = grew_by(before, new_snapshot(URI, 2, "python", other), offset)
    assert found is None or text[:offset] + found + text[offset:] == other


def test_a_document_has_lsps_identifier_whatever_the_editor_calls_its_language() -> None:
    assert DocumentStore().open(URI, "sh", 1, "").language == "shellscript"
