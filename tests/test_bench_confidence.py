"""The fit of the confidence threshold: what it promises holds on any points, and the asking still runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.confidence import MOST_LOST, Point, ask, auc, by_cursor, curve, fit, summary
from benchmarks.holes import Case
from midfill.server.settings import Settings


def point(sure: float, exact: bool, line: int = 0) -> Point:
    return Point(line, "in line", sure, exact, ended=True)


points = st.lists(st.builds(point, st.floats(0, 1), st.booleans(), st.integers(0, 9)), min_size=1)


@given(points)
def test_the_fit_costs_no_more_exact_ones_than_it_may(found: list[Point]):
    exact = [p for p in found if p.exact]
    lost = [p for p in exact if p.sure < fit(found)]
    assert len(lost) <= MOST_LOST * len(exact)


def test_the_fit_is_the_highest_that_may_be():
    found = [point(n / 10, True) for n in range(10)] + [point(0.95, False)]
    assert fit(found) == 0.1
    assert fit([point(0.5, False)]) == 0.0


@pytest.mark.parametrize(
    ("good", "bad", "area"),
    [((0.9, 0.8), (0.1, 0.2), 1.0), ((0.1,), (0.9,), 0.0), ((0.5,), (0.5,), 0.5), ((0.5,), (), None)],
)
def test_the_area_is_how_often_the_surer_one_is_right(good, bad, area):
    assert auc([point(sure, True) for sure in good] + [point(sure, False) for sure in bad]) == area


def test_the_curve_and_the_summary_say_what_is_kept():
    found = [point(n / 100, n >= 50, line=n) for n in range(100)]
    rows = {row["shown"]: row for row in curve(found)}
    assert (rows[1.0]["precision"], rows[0.5]["precision"], rows[0.5]["of exact"]) == (0.5, 1.0, 1.0)
    assert [row["points"] for row in by_cursor(found)] == ["in line", "ended: True"]
    kept = summary(found)
    assert kept["least"] == 0.55
    assert kept["exact_lost_share"] == pytest.approx(2 / 25)  # 51, 53: on lines that it was not fitted on
    assert kept["precision_kept"] == 1.0


async def test_the_model_is_asked_at_every_cursor_of_a_line():
    cases = [
        Case("1 indented", "indented", "def f(a):\n    ", "\n", "    return a"),
        Case("1 in line", "in line", "def f(a):\n    return ", "\n", "abc"),
    ]
    settings = Settings(backend="scripted", scripted_text="abc", scripted_step_ms=0)
    found = await ask([(7, cases)], 10.0, settings)
    assert [(p.line, p.cursor, p.exact) for p in found] == [(7, "indented", False), (7, "in line", True)]
    assert all(0 < p.sure < 1 for p in found)
