"""A replay of typing: what is suggested, when, at what cost, and how other engines' policies would do.

Three typists type real files, on a virtual clock against a scripted model (the summary), and by the clock
against the default model (`real_*`). `--minutes 0` leaves the latter out; `--passages N` sets how much is
typed; `--only NAME` replays one policy and writes no result.

Keys count, a line end with its indentation as one. `no model`: of all keys, those answered with a
suggestion without asking the model anew; `shown`: those answered with one at all; `agree`: of the
suggestions, those that were finally typed so, to their end, and `1st line`: to their first line's.
`silent`: answered with nothing; `null`: overtaken by the next key, and the editor shows what it had, which
can be accepted but is no answer. `p50`, `p95`: ms from a key to its suggestion. `decodes`: for 100 keys.
`wasted`: of the tokens decoded, those that nobody was shown. `saved`: keys that copying takes, less those
that were pressed. `open`: never answered. `--debounce` replays ours with fixed waits instead.
"""

import argparse
import asyncio
from collections.abc import Mapping
from itertools import chain

from benchmarks.replay.comparison import compared
from benchmarks.replay.measures import Tally, curve, tally
from benchmarks.replay.passages import FEW_LINES, languages, passages
from benchmarks.replay.runs import (
    ENGINES,
    OURS,
    NoModel,
    Sessions,
    default_model,
    scripted,
    waiting,
    with_model,
)
from benchmarks.replay.session import Session
from benchmarks.report import Row, report

PASSAGES = 28
"""Each package four times."""
REAL_PASSAGES = 28
"""More than there is time for."""
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""Of all keys: where the curve of precision is told."""
DEBOUNCES_MS = (0, 25, 75, 150, 350)
"""pipeline.md, S4."""
REAL = "real_"
SUMMED = (
    "no_model_share_copy", "no_model_share_errors", "silent_share", "shown_precision", "coverage",
    "stale", "unanswered", "p50_ms", "waste_share", "chars_saved",
)  # fmt: skip
THEIRS = ("p50_ms", "p95_ms", "waste_share", "chars_saved")
"""What of the summary is said of the other policies."""

Summary = dict[str, float | str | None]


def main() -> None:
    asked = arguments()
    chosen = passages(asked.passages)
    print(f"{len(chosen)} passages ({languages(chosen)})")
    rows: list[Row] = []
    if asked.debounce:
        for ms in DEBOUNCES_MS:
            rows += table(f"{ms} ms", scripted(chosen, waiting(ms)))
        report("typing", rows, {}, write=False)
        return
    silences: list[Row] = []
    summary: Summary = {}
    each: dict[str, Summary] = {}
    for name in [asked.only] if asked.only else ENGINES:
        played = scripted(chosen, ENGINES[name])
        rows += table(name, played)
        silences += reasons(name, played)
        each[name] = found = summarised(played)
        summary |= found if name == OURS else {f"{name}_{key}": found[key] for key in THEIRS}
    tables = {"why nothing": silences}
    if not asked.only:
        ours = each.pop(OURS)
        tables["ours beside the others"] = compared(ours, each)
    if asked.minutes > 0 and not asked.only:
        try:
            played = asyncio.run(
                with_model(passages(REAL_PASSAGES, FEW_LINES), asked.minutes, default_model(asked.threads))
            )
        except NoModel as error:
            summary |= missing(str(error))
        else:
            rows += table(REAL + OURS, played)
            silences += reasons(REAL + OURS, played)
            tables["the default model's surest suggestions"] = curve(together(played), SHARES)
            summary |= {REAL + key: value for key, value in summarised(played).items()}
    elif not asked.only:
        summary |= missing("asked for with --minutes 0")
    report("typing", rows, summary, more=tables, write=not asked.only)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=9.0, help="for the default model; 0: none")
    parser.add_argument("--passages", type=int, default=PASSAGES)
    parser.add_argument("--threads", type=int, default=0, help="the default model's; 0: as served")
    parser.add_argument("--only", choices=ENGINES)
    parser.add_argument("--debounce", action="store_true")
    return parser.parse_args()


def table(name: str, played: Sessions) -> list[Row]:
    """A row for each typist."""
    return [
        {"policy": name, "typist": typist, **_rounded(tally(sessions).row())}
        for typist, sessions in played.items()
    ]


def reasons(name: str, played: Sessions) -> list[Row]:
    """Why keys were answered with nothing, all typists together, and why suggestions were stale. What a
    silence costs: how often the scripted model knew the rest of the line.
    """
    total = tally(together(played))
    known = None if name.startswith(REAL) else total.lost
    found = [("silent", *one) for one in total.silences.most_common()]
    found += [("stale", *one) for one in total.stale.most_common()]
    return [
        {
            "policy": name,
            "what": what,
            "reason": reason,
            "of keys": round(count / total.keys, 4),
            "line known": round(known[reason] / total.keys, 4) if known and what == "silent" else None,
        }
        for what, reason, count in found
    ]


def summarised(played: Sessions) -> Summary:
    """The keys that the issue names, and some: of all typists, where no one is named."""
    by_typist: Mapping[str, Tally] = {name: tally(sessions) for name, sessions in played.items()}
    return {
        "no_model_share_copy": by_typist["copies"].no_model_share,
        "no_model_share_errors": by_typist["errs"].no_model_share,
        "chars_saved": by_typist["accepts"].saved,
        "chars_saved_share": by_typist["accepts"].saved_share,
        **tally(together(played)).summary(),
    }


def together(played: Sessions) -> list[Session]:
    return list(chain.from_iterable(played.values()))


def missing(reason: str) -> Summary:
    return {f"{REAL}{key}{end}": reason if end else None for key in SUMMED for end in ("", "_reason")}


def _rounded(row: Row) -> Row:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


if __name__ == "__main__":
    main()
