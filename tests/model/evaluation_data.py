"""The project's evaluation data, which lies beside the checkout where there is any; else tests skip."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from benchmarks.evaluation_data import read_rows

SHARED = Path(__file__).parents[2] / ".." / "shared"


def shared(*parts: str) -> Path:
    """A file of the evaluation data; skips the test where the checkout has none beside it."""
    path = SHARED.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"no evaluation data beside this checkout: {'/'.join(parts)}")
    return path


def shared_tokenizer(name: str) -> Tokenizer:
    path = shared("tokenizers", f"{name}.tokenizer.json.gz")
    return Tokenizer.from_str(gzip.open(path, "rt", encoding="utf-8").read())


def shared_rows(name: str) -> list[Any]:
    return read_rows(shared("data", f"{name}.jsonl.gz"))


def fim_reference() -> list[tuple[str, str, dict[str, list[int]]]]:
    """(prefix, suffix, prompt ids by format) of every row of fim-reference."""
    files: dict[str, dict[str, Any]] = {}
    rows = []
    for row in shared_rows("fim-reference"):
        prefix, suffix = row.get("prefix"), row.get("suffix")
        if name := (row["file"] or "").removesuffix(".jsonl.gz"):
            if name not in files:
                files[name] = {task["task_id"]: task for task in shared_rows(name)}
            task = files[name][row["task_id"]]
            prefix, suffix = task["prompt"], task["suffix"]
        rows.append((prefix, suffix, row["ids"]))
    return rows
