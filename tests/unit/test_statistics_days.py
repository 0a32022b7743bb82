"""Counts on disk: added to from several sides, bounded, and never worth an error."""

import json
import threading
from pathlib import Path

import pytest

from midfill.server.statistics import days as module
from midfill.server.statistics.days import FOLDER_ENV, KEPT_DAYS, MOST_KEYS, Days, default_folder

DAY = "2026-11-21"


@pytest.fixture
def days(tmp_path: Path) -> Days:
    return Days(tmp_path / "made when needed")


def test_what_is_added_adds_up_by_day(days: Days):
    assert days.read() == {}
    days.add(DAY, {"shown/model/python": 2, "accepted/model/python": 1})
    days.add("2026-11-22", {"shown/model/go": 1})
    days.add(DAY, {"shown/model/python": 1, "accepted/model/python": -1})
    assert days.read() == {DAY: {"shown/model/python": 3}, "2026-11-22": {"shown/model/go": 1}}
    assert list(days.read(1)) == ["2026-11-22"]


def test_servers_that_write_at_once_lose_nothing(days: Days):
    def write() -> None:
        other = Days(days.folder)
        for _ in range(20):
            other.add(DAY, {"shown": 1})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert days.read()[DAY]["shown"] == 80
    assert [path.name for path in days.folder.iterdir() if path.suffix == ".new"] == []


def test_a_write_that_breaks_off_leaves_the_file_as_it_was(days: Days, monkeypatch: pytest.MonkeyPatch):
    days.add(DAY, {"shown": 1})

    def broken(source: object, target: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(module.os, "replace", broken)
    with pytest.raises(OSError, match="full"):
        days.add(DAY, {"shown": 1})
    assert days.read()[DAY] == {"shown": 1}


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "counts": [1]}']
)
def test_a_damaged_file_is_started_anew(days: Days, damage: str):
    days.add(DAY, {"shown": 1})
    (days.folder / f"{DAY}.json").write_text(damage)
    assert days.read() == {DAY: {}}
    days.add(DAY, {"shown": 2})
    assert days.read() == {DAY: {"shown": 2}}


def test_a_later_versions_file_is_left_as_it_is(days: Days):
    days.add(DAY, {"shown": 1})
    path = days.folder / f"{DAY}.json"
    later = json.dumps({"version": 2, "counts": {"shown": 7}, "other": 1})
    path.write_text(later)
    days.add(DAY, {"shown": 1})
    assert path.read_text() == later
    assert days.read() == {DAY: {}}


def test_files_are_few_and_small(days: Days):
    days.add(DAY, {f"silences/{n}": 1 for n in range(MOST_KEYS + 100)})
    days.add(DAY, {"silences/0": 1, "one more": 1})
    counts = days.read()[DAY]
    assert len(counts) == MOST_KEYS
    assert counts["silences/0"] == 2
    assert (days.folder / f"{DAY}.json").stat().st_size < 100_000


def test_old_days_go_and_other_files_stay(days: Days):
    days.add(DAY, {"shown": 1})
    names = [f"20{year}-01-{day:02}" for year in range(10, 25) for day in range(1, 31)]
    for name in names:
        (days.folder / f"{name}.json").write_text("{}")
    (days.folder / "notes.json").write_text("mine")
    days.add(DAY, {"shown": 1})
    assert sorted(days.read()) == sorted([*names, DAY])[-KEPT_DAYS:]
    assert (days.folder / "notes.json").exists()


def test_where_they_lie_can_be_said_and_be_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.setenv(FOLDER_ENV, "")
    assert default_folder() is None
    monkeypatch.delenv(FOLDER_ENV)
    found = default_folder()
    assert found is not None
    assert (found.parent.name, found.name) == ("midfill", "statistics")
