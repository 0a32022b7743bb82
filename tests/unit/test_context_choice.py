"""What is chosen of what was found: near names, similar windows, recent edits, and what stays chosen."""

from itertools import pairwise

import pytest

from midfill.model import Snippet
from midfill.server.context.candidate import Candidate, Selection, Source, best_of, settle
from midfill.server.context.edits import MAX_LINES, MOST, Hunk, edited, shown_edits
from midfill.server.context.near import near_names
from midfill.server.context.similar import similar, window_lines, windows, words
from midfill.server.text import new_snapshot
from tests.cursor import parse

URI = "file:///w/a.py"


def piece(name: str, score: float, text: str = "", source: Source = Source.DEFINITIONS) -> Candidate:
    return Candidate(source, name, name.partition(":")[0], text or name, score, "why")


def names(pieces) -> list[str]:
    return [piece.key for piece in pieces]


def test_the_best_that_fit_are_taken_and_the_best_stands_last():
    found = [piece("a", 1, "x" * 10), piece("b", 3, "x" * 10), piece("c", 2, "x" * 90)]
    assert names(best_of(found, 100)) == ["c", "b"]
    assert names(best_of(found, 99)) == ["a", "b"]
    assert names(best_of(reversed(found), 99)) == ["a", "b"]


@pytest.mark.parametrize(("score", "stays"), [(1.0, True), (1.15, True), (1.25, False)])
def test_a_choice_stays_until_it_is_clearly_beaten(score, stays):
    old = (piece("a", 5.0),)  # what it was worth when it was chosen does not count
    now = settle(old, [piece("a", 1.0), piece("b", score)], 1)
    assert names(now) == (["a"] if stays else ["b"])


def test_a_choice_goes_as_soon_as_it_is_not_true_any_more():
    old = (piece("a", 9.0, "old text"), piece("b", 9.0))
    assert names(settle(old, [piece("b", 0.1)], 100)) == ["b"]
    changed = settle(old, [piece("a", 1.0, "new text"), piece("b", 1.0)], 100)
    assert {found.text for found in changed} == {"new text", "b"}
    assert settle(old, [], 100) == ()


def test_pieces_of_one_file_are_one_snippet_in_its_order_and_sources_stand_in_theirs():
    chosen = (
        piece("e.py:1", 1, "edit", Source.EDITS),
        *(piece("a.py:7", 1), piece("b.py:1", 2), piece("a.py:2", 3)),
    )
    found = Selection(chosen)
    assert found.snippets == (
        Snippet("b.py", "b.py:1"), Snippet("a.py", "a.py:2\na.py:7"), Snippet("e.py", "edit"),
    )  # fmt: skip
    assert found.reasons[1:] == ("a.py (definitions): why; why", "e.py (edits): why")
    assert names(found.only({Source.EDITS}).chosen) == ["e.py:1"]
    assert found.only(set(Source)) is found


def near(picture: str) -> dict[str, float]:
    text, offset = parse(picture)
    return dict(near_names(text.split("\n"), text[:offset].count("\n")))


def test_names_count_by_how_near_they_are_used():
    found = near("far\n" + "\n" * 20 + "near = here(║)\n")
    assert found["here"] == 1
    assert 0 < found["far"] < 0.5
    assert "beyond" not in near("beyond\n" + "\n" * 200 + "x║\n")


def test_a_line_that_encloses_the_cursor_counts_however_far_it_is():
    body = "".join(f"        x{i} = {i}\n" for i in range(300))
    found = near(f"class Mine(Base):\n    def method(self, arg: Kind):\n{body}        ║\n")
    assert found["Base"] == found["Kind"] > 0.5
    assert "other" not in near("def other():\n    pass\n" + "y = 1\n" * 300 + "x = ║\n")


CART = "\n".join(f"total_price = cart_items[{i}].unit_price * quantity" for i in range(30))
TREE = "\n".join(f"node_{i}.left_child.rotate(direction)" for i in range(30))


def test_the_window_that_reads_most_alike_is_found():
    files = {"tree.py": windows(TREE, 12), "cart.py": windows(TREE + CART, 12)}
    found = similar("price = cart_items.unit_price * quantity\n", "", files, 10_000)
    assert [one.path for one in found] == ["cart.py"]
    assert "unit_price" in found[0].text


def test_what_equals_the_text_around_the_cursor_is_no_help():
    files = {"copy.py": windows(CART, 12)}
    assert similar(CART, CART, files, 10_000) == []
    assert similar(CART, "something else", files, 10_000) != []


def test_one_window_a_file_and_no_more_than_fits():
    files = {f"{i}.py": windows(CART * 3, 12) for i in range(9)}
    found = similar(CART, "", files, 120)
    assert len({one.path for one in found}) == len(found) == 4
    assert all(len(one.text) <= 120 and not one.text.endswith("pri") for one in found)


def test_windows_are_as_long_as_there_is_room_and_few_however_long_a_file_is():
    assert [window_lines(chars) for chars in (0, 720, 100_000)] == [12, 20, 60]
    assert len(windows("some = thing\n" * 100_000, 12)) <= 220
    assert "cart" in words("cartItems = CART_ITEMS")


def edits(*texts: str, hunks: tuple[Hunk, ...] = ()) -> tuple[Hunk, ...]:
    """What is noted while a document goes through `texts`."""
    versions = [new_snapshot(URI, i, "python", text) for i, text in enumerate(texts)]
    for before, after in pairwise(versions):
        hunks = edited(hunks, before, after)
    return hunks


LINES = [f"line {i}" for i in range(100)]


def test_an_edit_is_the_lines_that_changed():
    after = [*LINES[:50], "new", *LINES[50:]]
    assert edits("\n".join(LINES), "\n".join(after)) == (Hunk(URI, 50, 51),)
    assert edits("same", "same") == ()
    assert edits("aaa", "aaaa", "aaaaa") == (Hunk(URI, 0, 0),)


def test_edits_close_to_each_other_are_one_and_others_move_with_the_text():
    text = "\n".join
    first = [*LINES[:50], "new", *LINES[50:]]
    second = [*first[:60], "too", *first[60:]]
    third = ["import x", *second]
    found = edits(text(LINES), text(first), text(second), text(third))
    assert [(hunk.first, hunk.last) for hunk in found] == [(51, 62), (0, 1)]


def test_when_there_are_many_half_of_them_go_at_once():
    hunks = tuple(Hunk(f"file:///w/{i}.py", 1, 1) for i in range(MOST))
    found = edits("a", "b", hunks=hunks)
    assert [hunk.uri[-4] for hunk in found] == ["4", "5", "6", "7", "a"]


def test_edits_that_the_prompt_shows_anyway_are_left_out_and_later_ones_are_worth_more():
    documents = {URI: ("a.py", LINES), "file:///w/b.py": ("b.py", LINES)}
    hunks = (Hunk(URI, 10, 10), Hunk(URI, 90, 95), Hunk("file:///w/b.py", 10, 40), Hunk("gone", 1, 1))
    found = shown_edits(hunks, documents, URI, range(5, 20), 10_000)
    assert [(one.path, one.score) for one in found] == [("a.py", 2.0), ("b.py", 3.0)]
    assert found[0].text == "\n".join(LINES[88:98])
    assert found[1].text.count("\n") == MAX_LINES - 1
    assert shown_edits(hunks, documents, URI, range(0), 20) == []
