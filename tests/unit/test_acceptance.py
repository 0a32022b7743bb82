"""How many guesses are worth a pass: the arithmetic, and that it follows what comes true."""

import pytest

from midfill.model.acceptance import MEMORY, PRIORS, Acceptance, best_length
from midfill.model.lookup import Source

INT4 = (20.0, 21.0, 25.5, 30.0, 37.0, 44.0, 51.5, 59.0)
"""Milliseconds for 1–8 rows (DESIGN §7, those between 1, 2, 4 and 8 interpolated)."""


@pytest.mark.parametrize(
    ("chances", "costs", "rows", "wanted"),
    [
        ([], INT4, 1, 0),
        ([1.0] * 7, INT4, 1, 5),  # 6 tokens in 44 ms beat 8 in 59
        ([0.9] * 7, INT4, 1, 3),
        ([0.04] * 7, INT4, 1, 0),  # 1.04 tokens for 1.05 times the time
        ([0.06] * 7, INT4, 1, 1),
        ([0.9, 0.0, 1.0, 1.0], INT4, 1, 1),  # what hangs on a wrong guess is lost
        ([0.06, 1.0, 1.0, 1.0], INT4, 1, 1),
        ([0.5] * 7, (10.0,) * 8, 1, 7),  # a pass costs what it costs
        ([0.9] * 7, (10.0, 20.0, 30.0), 1, 0),  # rows cost as much as passes
        ([1.0] * 9, (10.0,) * 8, 1, 7),
        ([1.0] * 7, INT4, 6, 2),  # no more rows than are known
        ([1.0] * 7, INT4, 8, 0),
    ],
)
def test_as_many_guesses_as_give_the_most_tokens_for_the_time(
    chances: list[float], costs: tuple[float, ...], rows: int, wanted: int
) -> None:
    assert best_length(chances, costs, rows) == wanted


@pytest.mark.parametrize(
    ("streams", "wanted"),
    [
        (1, 2),  # 3 tokens in 22 ms
        (2, 1),  # 3 in 22 beat 4 in 30
        (3, 0),  # 3 in 22 beat 4 in 30
    ],
)
def test_a_guess_pays_less_where_others_wait_for_it(streams: int, wanted: int) -> None:
    costs = (20.0, 21.0, 22.0, 30.0, 40.0, 50.0)
    assert best_length([1.0, 1.0], costs, streams, streams) == wanted


@pytest.mark.parametrize(("right", "low", "high"), [(True, 0.95, 1.0), (False, 0.0, 0.05)])
def test_chances_come_to_what_comes_true(right: bool, low: float, high: float) -> None:
    acceptance = Acceptance()
    for _ in range(3 * MEMORY):
        acceptance.saw(Source.ABOVE, 10, right)
    assert low <= acceptance.chance(Source.ABOVE, 10) <= high


def test_what_changed_is_learned_again_within_a_few_guesses() -> None:
    acceptance = Acceptance()
    for right in (True, False):
        for _ in range(10 * MEMORY):
            acceptance.saw(Source.BELOW, 20, right)
    assert acceptance.chance(Source.BELOW, 20) < 0.05


def test_each_source_and_length_is_learned_by_itself() -> None:
    acceptance = Acceptance()
    for _ in range(MEMORY):
        acceptance.saw(Source.ABOVE, 40, False)
    for source, agreeing in ((Source.BELOW, 40), (Source.ABOVE, 5), (Source.SUGGESTION, 40)):
        assert acceptance.chance(source, agreeing) == pytest.approx(PRIORS[source][agreeing.bit_length()])
