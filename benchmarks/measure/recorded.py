"""What models wrote into recorded holes, and holes cut from HumanEval with a wrong tail behind the truth.

Knows the data's form, no rule. Files: see README.md beside the data.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.evaluation_data import DATA, PROBLEMS, read_rows
from midfill.model.dialects import TEXT_MARKERS

RECORDED = DATA / "recorded-completions.jsonl.gz"
SEED = 4
HOLES = 100
TAILS = ("next function", "script", "body", "loop", "fence", "suffix")
"""What is written behind a function's true body: `next function` another function; `script` calls at
column 0; `body` another body's lines at the same indentation; `loop` the last line again and again;
`fence` a Markdown fence and prose; `suffix` what stands below the hole already."""
THOUGHT = "<think>\nThe line calls a function.\n</think>\n"
OTHERS = ("<|im_sep|>", "<|user|>", "\n```\n", "\n```python\n", THOUGHT)
LEAK = re.compile(
    "|".join([*map(re.escape, TEXT_MARKERS), r"<\|\w+\|>", r"^\s*```", "</?think>"]), re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Case:
    """One hole and what was written into it. `gold` is what stood there."""

    key: str
    model: str
    template: str
    language: str
    prefix: str
    suffix: str
    gold: str
    output: str

    @property
    def group(self) -> tuple[str, str]:
        return self.model, self.language


def read_recorded(path: Path) -> list[Case]:
    """Every completion of a file in the form of recorded-completions.jsonl.gz, in the file's order."""
    return [
        Case(
            key=row["task_id"],
            model=model,
            template=template,
            language=row["language"],
            prefix=row["prefix"],
            suffix=row["suffix"],
            gold=row["groundtruth"],
            output=written["output"],
        )
        for row in read_rows(path)
        for model, templates in row["outputs"].items()
        for template, written in templates.items()
    ]


@dataclass(frozen=True, slots=True)
class Hole:
    """A function's body of several lines: `truth` stood there, `tail` is wrongly written behind it."""

    key: str
    kind: str
    prefix: str
    suffix: str
    truth: str
    tail: str


def make_holes(count: int = HOLES) -> Iterator[Hole]:
    """`count` bodies of at least two lines, the kinds of tail in turn. The cursor stands behind the
    body's indentation in every second hole, at the line's start in the others; a function follows."""
    rows = [row for row in read_rows(PROBLEMS) if row["canonical_solution"].rstrip("\n").count("\n")]
    choose = random.Random(SEED)
    for at, row in enumerate(choose.sample(rows, count)):
        other = choose.choice([r for r in rows if r is not row])
        kind = TAILS[at % len(TAILS)]
        truth = row["canonical_solution"].strip("\n")
        below = "\n\n\n" + choose.choice(rows)["prompt"].strip() + "\n    pass\n"
        tail = _tail(kind, row["entry_point"], truth, other, below)
        cut = (len(truth) - len(truth.lstrip())) * (at // len(TAILS) % 2)
        prefix = row["prompt"] + truth[:cut]
        yield Hole(row["task_id"], kind, prefix, below, truth[cut:], tail)


def _tail(kind: str, name: str, truth: str, other: dict[str, str], below: str) -> str:
    body = other["canonical_solution"].rstrip("\n")
    if kind == "next function":
        return "\n\n\n" + other["prompt"].strip("\n") + "\n" + body
    if kind == "script":
        return f'\n\nprint({name}(1, 2))\nif __name__ == "__main__":\n    main()'
    if kind == "body":
        return "\n" + body.lstrip("\n")
    if kind == "loop":
        return ("\n" + truth.rpartition("\n")[2]) * 6
    if kind == "fence":
        return "\n```\n\nThis function does what was asked:\n\n1. It reads the input."
    return below.rstrip("\n")


def chunked(text: str, choose: random.Random | None = None) -> list[str]:
    """`text` in pieces that are like tokens; or in random pieces of 1 to 12 characters."""
    if choose is None:
        return re.findall(r"\s?\w+|\n|[ \t]+|[^\w\s]{1,2}", text)
    pieces, at = [], 0
    while at < len(text):
        end = at + choose.randint(1, 12)
        pieces.append(text[at:end])
        at = end
    return pieces


def inject(text: str, choose: random.Random) -> str:
    """`text` with a marker, a fence or a thought in one of its first 60 characters."""
    at = choose.randint(0, min(60, len(text)))
    foreign = choose.choice([*TEXT_MARKERS, *OTHERS])
    if foreign == THOUGHT:
        return foreign + text
    return text[:at] + foreign + text[at:]


def leaks(text: str) -> int:
    """1 if something of the model's protocol is in `text`, else 0."""
    return int(bool(LEAK.search(text)))
