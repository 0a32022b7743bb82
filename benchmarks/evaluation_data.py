"""The evaluation data beside the checkout, where there is any, HumanEval above all: its files and rows.

Knows no task: what is asked about a row is made elsewhere.
"""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "shared" / "data"
PROBLEMS = DATA / "HumanEval.jsonl.gz"
LINES = DATA / "HumanEval-SingleLineInfilling.jsonl.gz"
SPANS = DATA / "HumanEval-RandomSpanInfillingLight.jsonl.gz"


def read_rows(path: Path) -> list[dict[str, Any]]:
    """A file with a JSON object in each line, gzipped if its name says so. Raises OSError."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def problem_of(row: Mapping[str, Any]) -> str:
    """Rows of one problem are not independent (evaluation.md §5), and share most of their text:
    `SingleLineInfilling/HumanEval/7/L3` → `7`, `HumanEval/7` → `7`."""
    parts: list[str] = row["task_id"].split("/")
    return parts[parts.index("HumanEval") + 1]
