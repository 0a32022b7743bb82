"""Rows measured before, in a file, so that a long benchmark may be broken off. Knows not what they hold."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Line = dict[str, Any]
"""A row's figures: its task_id, and whatever the benchmark keeps."""


class Kept:
    """Rows measured before, a line of JSON each, by task. Lines that were cut off are not read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, Line] = {}
        if path.is_file():
            for text in path.read_text(encoding="utf-8").splitlines():
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                self._lines[line["task_id"]] = line

    def get(self, task_id: str) -> Line | None:
        return self._lines.get(task_id)

    def forget(self, task_ids: Iterable[str]) -> None:
        """For this process: they will be measured and added again."""
        for task_id in task_ids:
            self._lines.pop(task_id, None)

    def clear(self) -> None:
        self._lines.clear()
        self._path.unlink(missing_ok=True)

    def add(self, line: Line) -> None:
        self._lines[line["task_id"]] = line
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
