"""Which policy is better at what, and that a worse figure of ours needs a reason."""

from benchmarks.replay.comparison import UNEXPLAINED, compared

OURS = {"p50_ms": 0.0, "waste_share": 0.5, "chars_saved": 4000}


def line(policy: str, measure: str, **theirs: float) -> dict[str, object]:
    lines = compared(OURS, {policy: {**OURS, **theirs}})
    return next(row for row in lines if row["measure"] == measure)


def test_less_waste_and_more_saved_are_better() -> None:
    assert line("cody", "waste_share", waste_share=0.8)["better"] == "ours"
    assert line("cody", "chars_saved", chars_saved=3000)["better"] == "ours"
    assert line("cody", "chars_saved", chars_saved=5000)["better"] == "theirs"


def test_where_ours_is_not_better_the_table_says_why() -> None:
    worse = line("continue", "waste_share", waste_share=0.4)
    assert worse["better"] == "theirs"
    assert "after a rest" in str(worse["why"])
    assert line("cody", "chars_saved", chars_saved=5000)["why"] == UNEXPLAINED
    assert line("cody", "p50_ms")["better"] == "equal"
