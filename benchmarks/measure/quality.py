"""The quality of a way to serve the model against float32, on all rows of HumanEval-SingleLineInfilling.

As a command it measures what the cache lacks of one engine; interrupted, it goes on where it was:
`python -m benchmarks.measure.quality ENGINE`.
"""

import argparse
import json
import os
from collections.abc import Sequence

from benchmarks.measure.kept import Line
from benchmarks.measure.part import Part
from benchmarks.measure.scoring import SETTINGS, Scorer
from benchmarks.significance import mcnemar, won_and_lost


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=SETTINGS)
    parser.add_argument("--rows", type=int, default=0, help="about so many, in whole problems (0: all)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", type=int, default=0, help="decode so many rows in full and compare")
    asked = parser.parse_args()
    scorer = Scorer(asked.engine, asked.threads)
    scorer.renew()
    lines = scorer.lines(asked.rows)
    about = {
        "engine": asked.engine,
        "rows": len(lines),
        "nll": _nll(lines),
        "em": sum(line["hit"] for line in lines) / len(lines),
        "decoded": sum(line["decoded"] for line in lines),
    }
    if asked.check:
        about["disagreements"] = scorer.disagreements(asked.check)
    print(json.dumps(about))


def quality(served: Sequence[Line], reference: Sequence[Line]) -> Part:
    """Both on the same rows, in the same order."""
    part = Part()
    keys = ("nll_delta", "em_delta_points", "em_mcnemar_p")
    if not served:
        part.lack("no evaluation data here", *keys)
        return part
    if any(a["prompt"] != b["prompt"] for a, b in zip(served, reference, strict=True)):
        raise RuntimeError("the two were asked differently: remove what is kept and measure both again")
    our_hits, their_hits = [line["hit"] for line in served], [line["hit"] for line in reference]
    won, lost = won_and_lost(our_hits, their_hits)
    ours, theirs = _nll(served), _nll(reference)
    rows = f"{len(served)} single lines"
    part.line("quality", f"NLL per gold token, {rows}", "", ours=ours, generate=theirs, ratio=ours - theirs)
    share = 100 / len(served)
    part.line(
        "quality", f"exact match, {rows}: {won} won, {lost} lost", "%",
        ours=share * sum(our_hits), generate=share * sum(their_hits),
        ratio=share * (won - lost),
    )  # fmt: skip
    part.figures |= dict(zip(keys, (ours - theirs, share * (won - lost), mcnemar(won, lost)), strict=True))
    part.figures["quality_rows"] = len(served)
    return part


def _nll(lines: Sequence[Line]) -> float:
    return float(sum(line["nll"] for line in lines) / sum(line["tokens"] for line in lines))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
