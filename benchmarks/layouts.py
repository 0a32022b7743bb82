"""Prompt layouts × token healing on the default model: how often a fill is exact, what a key typed costs.

Greedy, on HumanEval random spans and single lines, with the kernels that are served; nothing is executed.
A row stops as soon as its text leaves the gold one. `--resume FILE` keeps what is done, row by row, and
`--seconds N` stops after so long, to be called again.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.alone import load_alone
from benchmarks.holes import CURSORS, FILES, Case, make_cases, score
from benchmarks.measure.kept import Kept
from benchmarks.report import Row, report
from benchmarks.significance import mcnemar, won_and_lost
from midfill.model.store.catalogue import DEFAULT_MODEL

LINES, OWN_LINES = 90, 60
"""Single lines of HumanEval and of this project, each with two or three cursors."""
SUFFIX_TOKENS = 128
"""As many as a CPU is given."""
NEW_TOKENS = 112
"""Random spans are 97 tokens at most."""
LAYOUTS = ("PSM", "line-last", "SPM")
HEALINGS = ("plain", "healed")
PLAIN = "PSM plain"
TYPED_LINES = 40


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", type=Path, default=Path(os.devnull))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--model", default=DEFAULT_MODEL)
    asked = parser.parse_args()
    if not all(path.is_file() for path in FILES):
        missing: dict[str, float | str | None] = {"rows": None, "rows_reason": "no evaluation data here"}
        report("layouts", [{"rows": 0}], missing)
        return
    cases = list(make_cases(LINES, OWN_LINES))
    kept = Kept(asked.resume)
    bench = Bench(asked.model, asked.threads)
    until = time.monotonic() + asked.seconds
    for at, case in enumerate(cases):
        if kept.get(case.key) is not None:
            continue
        if time.monotonic() > until:
            print(f"{at} of {len(cases)} done; call again with --resume {asked.resume}")
            return
        told = {"task_id": case.key, "cursor": case.cursor, "behind": case.behind}
        kept.add(told | bench.run(case))
        if at % 20 == 0:
            print(f"{at} of {len(cases)}", flush=True)
    results = [kept.get(case.key) or {} for case in cases]
    rows = [row for cursor in CURSORS for row in table(cursor, results)]
    keys = typed(bench.make_prompt, cases)
    report("layouts", rows + keys, summary(rows, keys))


class Bench:
    """The default model, and prompts of it in every layout."""

    def __init__(self, model: str, threads: int) -> None:
        from midfill.model.dialects import Hole
        from midfill.model.trie import TokenTrie

        alone = load_alone(model, device="cpu", threads=threads)
        print(alone.info.dtype, flush=True)
        self.loaded, self.loop = alone.loaded, alone.loop
        self.tokenizer = self.loaded.tokenizer
        self.trie = TokenTrie(self.tokenizer, self.loaded.stop_ids)
        dialect = self.loaded.dialect
        before, after, middle = dialect.markers
        psm = (before, Hole.PREFIX, after, Hole.SUFFIX, middle)
        layouts = {
            "PSM": psm,
            "line-last": psm,
            "SPM": (before, after, Hole.SUFFIX, middle, Hole.PREFIX),
        }
        self.dialects = {name: replace(dialect, layout=layout) for name, layout in layouts.items()}
        # Prompts of the first two begin alike.
        by_prefix, by_suffix = alone.new_cache(), alone.new_cache()
        self.caches = {"PSM": by_prefix, "line-last": by_prefix, "SPM": by_suffix}

    def make_prompt(self, layout: str, healing: str, prefix: str, suffix: str) -> tuple[list[int], bytes]:
        """The prompt, and the bytes that its answer must begin with."""
        from midfill.model.dialects import render
        from midfill.model.healing import heal

        cut = prefix.rfind("\n") + 1 if layout == "line-last" else len(prefix)
        above, line = self.tokenizer.encode(prefix[:cut]), self.tokenizer.encode_continuation(prefix[cut:])
        wanted = b""
        if healing == "healed":
            healed = line or above
            kept, wanted = heal(healed, self.tokenizer.token_bytes)
            del healed[kept:]
        dialect = self.dialects[layout]
        ids = {marker: self.tokenizer.marker_id(marker) for marker in dialect.markers}
        below = self.tokenizer.encode_continuation(suffix)[:SUFFIX_TOKENS]
        prompt = render(dialect, ids, above, below, self.loaded.bos_id)
        return prompt + line, wanted

    def run(self, case: Case) -> dict[str, Any]:
        """What each layout and healing scores: see `score`."""
        seen: dict[tuple[tuple[int, ...], bytes], list[bool]] = {}
        scores = {}
        for layout in LAYOUTS:
            for healing in HEALINGS:
                prompt, wanted = self.make_prompt(layout, healing, case.prefix, case.suffix)
                known = (tuple(prompt), wanted)
                if known not in seen:
                    seen[known] = score(case, self.answer(layout, prompt, wanted))
                scores[f"{layout} {healing}"] = seen[known]
        return scores

    def answer(self, layout: str, prompt: list[int], wanted: bytes) -> Iterator[str]:
        """The text so far, longer each time."""
        from midfill.model.api import Chunk
        from midfill.model.backends.hf.job import Job
        from midfill.model.trie import starts_with

        job = Job(
            prompt,
            NEW_TOKENS,
            self.loaded.stop_ids,
            constraint=starts_with(self.trie, wanted),
            hidden_bytes=len(wanted),
        )
        text = ""
        for event in self.loop.stream(self.caches[layout], job):
            text += event.text if isinstance(event, Chunk) else "\0"
            yield text


def table(cursor: str, results: Sequence[dict[str, Any]]) -> list[Row]:
    """One row a layout and healing; `in words`: healed where the cursor is behind a letter, else not."""
    mine = [result for result in results if result["cursor"] == cursor]
    rows = []
    for layout in LAYOUTS:
        for healing in (*HEALINGS, "in words"):
            name = f"{layout} {healing}"
            chosen = [
                result[
                    f"{layout} {'healed' if result['behind'] == 'word' else 'plain'}"
                    if healing == "in words"
                    else name
                ]
                for result in mine
            ]
            won, lost = won_and_lost([hit[0] for hit in chosen], [result[PLAIN][0] for result in mine])
            exact, first, starts, ends = (statistics.fmean(hit[i] for hit in chosen) for i in range(4))
            rows.append(
                {
                    "cursor": cursor,
                    "layout": name,
                    "rows": len(mine),
                    "exact": exact,
                    "first line": first,
                    "starts right": starts,
                    "exact and ends": ends,
                    "won/lost to PSM plain": f"{won}/{lost}",
                    "p": mcnemar(won, lost),
                }
            )
    return rows


def typed(
    make_prompt: Callable[[str, str, str, str], tuple[list[int], bytes]], cases: Sequence[Case]
) -> list[Row]:
    """Prompt tokens that are not in the cache when one more character of the line has been typed."""
    from midfill.model.tokens import common_prefix

    lines = [case for case in cases if case.cursor == CURSORS[4]][:TYPED_LINES]
    rows = []
    for layout in LAYOUTS:
        for healing in HEALINGS:
            fresh = []
            for case in lines:
                held, _ = make_prompt(layout, healing, case.prefix, case.suffix)
                for at in range(1, len(case.gold) + 1):
                    prompt, _ = make_prompt(layout, healing, case.prefix + case.gold[:at], case.suffix)
                    fresh.append(max(1, len(prompt) - common_prefix(held, prompt)))
                    held = prompt
            keys = {"rows": len(fresh), "tokens a key, median": statistics.median(fresh)}
            mean = statistics.fmean(fresh)
            rows.append({"cursor": "typing", "layout": f"{layout} {healing}", **keys, "mean": mean})
    return rows


def summary(rows: Sequence[Row], keys: Sequence[Row]) -> dict[str, float | str | None]:
    """Flat: `exact_line_start_psm_plain`, its difference from plain PSM in points, tokens a key."""
    out: dict[str, float | str | None] = {}
    base = {row["cursor"]: row["exact"] for row in rows if row["layout"] == PLAIN}
    for row in rows:
        key = f"{row['cursor']}_{row['layout']}".replace(" ", "_").replace("-", "_").lower()
        out[f"exact_{key}"] = row["exact"]
        if row["layout"] != PLAIN:
            out[f"exact_delta_points_{key}"] = 100 * (row["exact"] - base[row["cursor"]])
            out[f"exact_p_{key}"] = row["p"]
    for row in keys:
        key = row["layout"].replace(" ", "_").replace("-", "_").lower()
        out[f"tokens_a_key_{key}"] = row["mean"]
    return out


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
