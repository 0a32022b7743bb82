"""Counts on disk: one small file a day, added to by any number of servers. Knows no LSP and no document.

A file holds `{"version": 1, "counts": {"shown/model/python": 3}}` and is written whole, then renamed.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import platformdirs
from filelock import FileLock

FOLDER_ENV = "MIDFILL_STATISTICS_DIR"
"""Where the files lie instead; empty: nothing is kept."""
VERSION = 1
KEPT_DAYS = 400
"""A year, and the month before it to compare with."""
MOST_KEYS = 2000
"""In one file: about 60 kB. There are some 20 sources and outcomes times the languages of one day."""
LOCK_TIMEOUT_S = 1.0

_NAME = re.compile(r"\d{4}-\d\d-\d\d\.json")


def default_folder() -> Path | None:
    """The user's folder for these files; None if there shall be none."""
    override = os.environ.get(FOLDER_ENV)
    if override is None:
        return platformdirs.user_data_path("midfill", appauthor=False) / "statistics"
    return Path(override) if override else None


class Days:
    """The files in `folder`, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, day: str, counts: Mapping[str, int]) -> None:
        """Add `counts` to those of `day`, as in 2026-11-21. Raises OSError (a lock that nobody gives back
        in time included). A file from a later version is left as it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock", timeout=LOCK_TIMEOUT_S):
            path = self.folder / f"{day}.json"
            version, found = _read(path)
            if version > VERSION:
                return
            total = Counter(found)
            for key, count in counts.items():
                if key in total or len(total) < MOST_KEYS:
                    total[key] += count
            self._write(path, {key: count for key, count in sorted(total.items()) if count})
            self._prune()

    def read(self, last: int | None = None) -> dict[str, Counter[str]]:
        """The counts by day, oldest first; of the `last` days that have any, or of all."""
        names = self._names()
        chosen = names[-last:] if last else names
        return {name.removesuffix(".json"): _read(self.folder / name)[1] for name in chosen}

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.folder) if _NAME.fullmatch(name))
        except OSError:
            return []

    def _write(self, path: Path, counts: Mapping[str, int]) -> None:
        scratch = path.with_suffix(f".{os.getpid()}.new")
        text = json.dumps({"version": VERSION, "counts": counts}, indent=0)
        scratch.write_text(text, encoding="utf-8")
        os.replace(scratch, path)

    def _prune(self) -> None:
        for name in self._names()[:-KEPT_DAYS]:
            (self.folder / name).unlink(missing_ok=True)


def _read(path: Path) -> tuple[int, Counter[str]]:
    """(version, counts). Nothing where there is no file, or a damaged one: that is started anew."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version = int(record["version"])
        counts = {str(key): int(count) for key, count in record["counts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return VERSION, Counter()
    return version, Counter(counts) if version <= VERSION else Counter()
