"""What `make bench-worker` makes of its measurements: ratios, verdicts, and nulls that say why."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import worker
from benchmarks.measure import context, keystrokes, quality, scoring, speed, starts
from benchmarks.measure.engines import Timing
from benchmarks.measure.kept import Kept, Line
from benchmarks.measure.part import GENERATE, OFFICIAL, OURS, REQUANTISED, Part, faster
from benchmarks.significance import mcnemar

STOP = 9
SPELLING = {0: b"a", 1: b"b", 2: b"ab", 3: b"\n", 4: b"b\n", 5: b"\n\n", 6: b"\n a", STOP: b"<end>"}
WHY = "there is no cmake here to build it with"


def timing(decode_ms: float, prefill_ms: float = 1000.0, fresh: int = 100, steps: int = 10) -> Timing:
    return Timing(prefill_ms, fresh, decode_ms, steps)


@given(
    gold=st.lists(st.sampled_from([0, 1, 2]), max_size=4),
    end=st.sampled_from([3, 4]),
    seed=st.integers(0, 10_000),
    right=st.floats(0, 1),
)
def test_a_verdict_is_what_decoding_in_full_finds(
    gold: list[int], end: int, seed: int, right: float
) -> None:
    gold = [*gold, end]

    def model(behind: list[int]) -> int:
        """Deterministic; follows gold with the chance `right`, and is at a loss elsewhere."""
        dice = random.Random(f"{seed} {behind}")
        if behind == gold[: len(behind)] and len(behind) < len(gold) and dice.random() < right:
            return gold[len(behind)]
        return dice.choice(list(SPELLING))

    written, text = [], b""
    while b"\n" not in text and len(written) < scoring.LONGEST_LINE and (token := model(written)) != STOP:
        written.append(token)
        text += SPELLING[token]
    line = b"".join(SPELLING[token] for token in gold).rstrip(b"\n")
    likeliest = [model(gold[:n]) for n in range(len(gold))]

    found = scoring.verdict(gold, likeliest, frozenset({STOP}), SPELLING.__getitem__)
    assert found in (text.partition(b"\n")[0] == line, None)


@pytest.mark.parametrize(
    ("likeliest", "expected"),
    [
        ([0, 1, 3], True),
        ([0, 1, STOP], True),
        ([0, 4, 0], True),
        ([0, 1, 5], True),
        ([0, STOP, 3], False),
        ([1, 1, 3], False),
        ([2, 1, 3], None),
    ],
    ids=["gold", "ends early", "other token", "more behind", "too short", "wrong", "other tokens: decode"],
)
def test_a_row_is_decoded_only_where_its_choices_leave_gold_and_the_text_does_not(
    likeliest: list[int], expected: bool | None
) -> None:
    assert scoring.verdict([0, 1, 3], likeliest, frozenset({STOP}), SPELLING.__getitem__) is expected


def test_rows_measured_are_kept_and_a_line_that_was_cut_off_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "quality" / "rows.jsonl"
    kept = Kept(path)
    kept.add({"task_id": "a", "nll": 1.0})
    kept.add({"task_id": "b", "nll": 2.0})
    path.write_text(path.read_text("utf-8")[:-5], encoding="utf-8")
    again = Kept(path)
    assert (again.get("a"), again.get("b")) == ({"task_id": "a", "nll": 1.0}, None)


@pytest.mark.parametrize("now", [1.0, 1.5], ids=["as before", "other kernels"])
def test_rows_measured_by_other_kernels_are_measured_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, now: float
) -> None:
    rows = [{"task_id": f"SingleLineInfilling/HumanEval/{n}/L0"} for n in range(3)]

    def measured(_: Any, row: scoring.Row) -> Line:
        asked.append(row["task_id"])
        return {"task_id": row["task_id"], "nll": now}

    path, asked = tmp_path / "rows.jsonl", []
    for row in rows:
        Kept(path).add({**row, "nll": 1.0})
    monkeypatch.setattr(scoring, "cache_file", lambda *_: path)
    monkeypatch.setattr(scoring, "read_problems", lambda count=0: [[row] for row in rows])
    scorer = scoring.Scorer(scoring.SERVED, 1)
    monkeypatch.setattr(scorer, "_measured", lambda cache, row: measured(cache, row))
    monkeypatch.setattr(scorer, "_cache", lambda: None)
    scorer.renew()
    assert [line["nll"] for line in scorer.lines()] == [now] * 3
    assert len(asked) == (1 if now == 1.0 else 3)


def test_pairs_are_of_one_round_and_their_better_file_counts() -> None:
    assert faster([10, 20, 60], {"one": [10, 10, 10], "other": [5, 40, 20]}) == (2.0, "other")


def test_speed_says_how_much_faster_we_are_than_the_better_of_their_files() -> None:
    found = {
        OURS: [timing(200)] * 3,
        OFFICIAL: [timing(500, prefill_ms=500)] * 3,
        REQUANTISED: [timing(300, prefill_ms=2000)] * 3,
        GENERATE: [timing(1000)] * 3,
    }
    loaded = {name: [timing(2 * each[0].decode_ms)] for name, each in found.items() if name != GENERATE}
    part = speed.speed(found, loaded)
    speed.floor(part, found, weight_bytes=300_000_000, bytes_per_s=20e9)
    speed.memory(part, {OURS: 600.0, OFFICIAL: 500.0, REQUANTISED: 400.0, GENERATE: 2400.0})
    assert part.figures == pytest.approx(
        {
            "prefill_vs_llamacpp": 0.5,
            "prefill_vs_generate": 1.0,
            "decode_vs_llamacpp": 1.5,
            "decode_vs_generate": 5.0,
            "decode_under_load": 1.5,
            "decode_under_load_vs_idle": 0.5,
            "decode_vs_floor": 0.75,
            "rss_vs_generate": 0.25,
            "rss_vs_llamacpp": 1.5,
        }
    )


def test_without_llamacpp_the_rest_is_there_and_the_gaps_say_why() -> None:
    found = {OURS: [timing(200)], GENERATE: [timing(1000)]}
    part = speed.speed(found, {OURS: [timing(400)]}, WHY)
    speed.memory(part, {OURS: 600.0, GENERATE: 2400.0}, WHY)
    for key in ("prefill_vs_llamacpp", "decode_vs_llamacpp", "decode_under_load", "rss_vs_llamacpp"):
        assert (part.figures[key], part.figures[f"{key}_reason"]) == (None, WHY)
    assert part.figures["decode_vs_generate"] == 5.0


def test_context_compares_the_same_depth() -> None:
    found = {OURS: [(1.0, 20.0), (5.0, 30.0)], REQUANTISED: [(2.0, 25.0), (20.0, 75.0)]}
    figures = context.context(found, (512, 2048)).figures
    assert figures == {
        "prefill_vs_llamacpp_512": 2.0,
        "decode_vs_llamacpp_512": 1.25,
        "prefill_vs_llamacpp_2048": 4.0,
        "decode_vs_llamacpp_2048": 2.5,
        "decode_growth": 1.5,
    }


def test_a_prompt_of_each_depth_costs_the_sum_of_what_led_to_it() -> None:
    class Fake:
        name = OURS

        def run(self, prompt: Any, steps: int, keep: bool = False) -> Timing:
            return Timing(1000.0 * len(prompt), len(prompt), 10.0 * steps, steps)

    assert context.costs(Fake(), range(9), (1, 3)) == [(1.0, 10.0), (4.0, 10.0)]  # type: ignore[arg-type]


def test_reuse_is_told_as_a_share_of_what_an_empty_cache_costs() -> None:
    kept, fresh = [timing(0, 100, fresh=3)] * 3, [timing(0, 400, fresh=1500)] * 3
    part = keystrokes.keystrokes({"text behind": (kept, fresh), "at the end": (fresh, fresh)})
    assert part.figures == {"reuse_ttft_ratio": 0.25, "keystroke_ms": 100, "keystroke_tokens": 3}


def test_quality_is_ours_minus_theirs_row_by_row() -> None:
    same = {"tokens": 4, "prompt": "p"}
    reference = [{"nll": 2.0, "hit": hit} | same for hit in (True, True, False, False)]
    served = [{"nll": 2.2, "hit": hit} | same for hit in (True, False, False, False)]
    figures = quality.quality(served, reference).figures
    assert figures == pytest.approx(
        {"nll_delta": 0.05, "em_delta_points": -25.0, "em_mcnemar_p": 1.0, "quality_rows": 4}
    )
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    with pytest.raises(RuntimeError, match="asked differently"):
        quality.quality(served, [line | {"prompt": "another"} for line in reference])


def test_without_data_quality_is_null_with_a_reason() -> None:
    figures = quality.quality([], []).figures
    assert (figures["nll_delta"], figures["nll_delta_reason"]) == (None, "no evaluation data here")


def test_a_cold_start_that_was_not_measured_is_null_with_a_reason() -> None:
    figures = starts.starts(2.0, None, {}).figures
    assert (figures["cached_start_s"], figures["cold_start_s"]) == (2.0, None)
    assert "--quick" in str(figures["cold_start_s_reason"])


def test_parts_of_another_commit_are_not_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(worker, "cache_root", lambda: tmp_path)
    worker.keep("speed", Part([], {"decode_vs_llamacpp": 1.5}))
    assert worker.kept("speed").figures == {"decode_vs_llamacpp": 1.5}
    path = next(tmp_path.rglob("speed.json"))
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"commit": "another"}), "utf-8")
    assert worker.kept("speed").figures["speed_reason"] == "not measured at this commit: --part speed"
