"""Runs tests inside the sandbox, each in a process of its own. Never imported: its text is the program.

Standard library and our pytest and coverage alone; any Python from 3.10 on. The user's code runs in
children only: one that hangs, exits, forks or fills the disk is ended, and its scratch wiped.
Reads a plan (`plan.py`) and prints a line for each thing that happened, behind the plan's secret word.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

Fields = dict[str, Any]
REPORT_CHARS = 3000
SCRATCH = "/tmp"
LEFT_OUT = (
    "cacheprovider",
    "unraisableexception",
    "threadexception",
    "faulthandler",
    "junitxml",
    "pastebin",
    "doctest",
)
"""Plugins of pytest's that do nothing here; one collects garbage at each end: 90 ms (measured)."""
ENDED, HUNG = "ended", "hung"


def main() -> None:
    if Path("/proc/1/comm").read_text().strip() != "bwrap":  # what follows kills every process it can see
        sys.exit("this runs behind bubblewrap alone")
    plan: Fields = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.path[:0] = [plan["tools"]]
    import_ahead()
    gc.freeze()

    for number in range(len(plan["runs"])):
        run(plan, number)
        clear()


def import_ahead() -> None:
    """What children would import each for themselves: 60 of 180 ms, with coverage 90 more (measured)."""
    import pytest  # noqa: F401
    from _pytest.config import default_plugins

    more = [
        "coverage.jsonreport",
        "coverage.parser",
        "coverage.python",
        "coverage.results",
        "coverage.sqldata",
    ]
    more += ["sqlite3", "glob", "tomllib", "xml.etree.ElementTree", "pygments.lexers.python"]
    for name in [*(f"_pytest.{plugin}" for plugin in default_plugins), *more]:
        with contextlib.suppress(ImportError):  # another version's name: it costs time alone
            importlib.import_module(name)


def run(plan: Fields, number: int) -> None:
    """The tests of one run in order; after one that ends its process, the rest go on in another."""
    left = list(plan["runs"][number]["tests"])
    while left:
        told = child_of(plan, number, left)
        left = left[left.index(told) + 1 :] if told in left else []
        if left:
            clear()


def child_of(plan: Fields, number: int, tests: list[int]) -> int | None:
    """Run `tests` in a child; the one that ended it too early, or None."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.setsid()
            be_tested(plan, plan["runs"][number], tests, writing)
        finally:
            os._exit(0)
    os.close(writing)
    current = tests[0]
    buffer, seconds = b"", plan["test_s"]
    deadline = time.monotonic() + plan["start_s"] + seconds
    try:
        while True:
            left = deadline - time.monotonic()
            ready = select.select([reading], [], [], left)[0] if left > 0 else []
            piece = os.read(reading, 65536) if ready else b""
            if not piece:
                say(plan, {"run": number, "test": current, "outcome": ENDED if ready else HUNG})
                return current
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                told = json.loads(line)
                if told.get("done"):
                    return None
                if "begins" in told:
                    current = told["begins"]
                    deadline = time.monotonic() + seconds
                else:
                    say(plan, {"run": number, **told})
    except ValueError:  # the test wrote into the pipe
        say(plan, {"run": number, "test": current, "outcome": ENDED})
        return current
    finally:
        os.close(reading)


def clear() -> None:
    """End whatever is left of a run, and take away what it wrote."""
    for _ in range(100):  # a fork bomb may be in the middle of a fork
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        time.sleep(0.01)
    for entry in os.scandir(SCRATCH):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)


def say(plan: Fields, told: Fields) -> None:
    sys.stdout.write(plan["word"] + json.dumps(told) + "\n")
    sys.stdout.flush()


def be_tested(plan: Fields, orders: Fields, tests: list[int], pipe: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    place = os.path.join(SCRATCH, "run")
    os.mkdir(place)
    os.chdir(place)
    paths = {os.path.join(place, f"test_{test}.py"): test for test in tests}
    for path, test in paths.items():
        Path(path).write_text(plan["tests"][test], encoding="utf-8")
    source = os.path.join(place, "under_test", os.path.basename(plan["file"]))
    os.mkdir(os.path.dirname(source))
    Path(source).write_text(plan["variants"][orders["variant"]], encoding="utf-8")
    sys.path[1:1] = plan["path"]
    sys.meta_path.insert(0, Overlay(plan["module"], source, plan["package"]))
    tell = Teller(paths, pipe)
    measured = start_coverage(source) if orders["coverage"] else None

    import pytest

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    order = ["-q", "--tb=short", "--noconftest", "--import-mode=importlib", "-c", os.devnull]
    order += [f"-pno:{plugin}" for plugin in LEFT_OUT]
    pytest.main([*order, "--rootdir", place, *paths], plugins=[tell])
    if measured:
        measured.stop()
        tell.send({"test": tests[0], **read_coverage(measured, source, place)})
    tell.send({"done": True})


class Overlay:
    """The module under test is the text that was handed over, not what lies on the disk."""

    def __init__(self, module: str, source: str, package: str | None) -> None:
        self.module, self.source, self.package = module, source, package

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.module:
            return None
        from importlib.util import spec_from_file_location

        within = [self.package] if self.package else None
        return spec_from_file_location(name, self.source, submodule_search_locations=within)


class Teller:
    """Tells of each test as pytest reports it."""

    def __init__(self, paths: dict[str, int], pipe: int) -> None:
        self.paths, self.pipe = paths, pipe
        self.outcomes: dict[str, str] = {}

    def send(self, told: Fields) -> None:
        os.write(self.pipe, json.dumps(told).encode() + b"\n")

    def test_of(self, nodeid: str) -> int:
        name = os.path.basename(nodeid.partition("::")[0])
        return next(test for path, test in self.paths.items() if path.endswith("/" + name))

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self.send({"begins": self.test_of(nodeid)})

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            told = {"test": self.test_of(report.nodeid), "outcome": "error"}
            self.send({**told, "failure": report.longreprtext[-REPORT_CHARS:]})

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        excinfo = call.excinfo
        if excinfo is not None:
            wrong = "fail" if excinfo.errisinstance(AssertionError) else "error"
            self.outcomes.setdefault(item.nodeid, wrong)

    def pytest_runtest_logreport(self, report: Any) -> None:
        node, when = report.nodeid, report.when
        if report.failed:
            failure = report.longreprtext[-REPORT_CHARS:]
            self.send({"test": self.test_of(node), "outcome": self.outcomes[node], "failure": failure})
        elif when == "teardown" and node not in self.outcomes:
            self.send({"test": self.test_of(node), "outcome": "pass"})


def start_coverage(source: str) -> Any:
    import coverage

    measured = coverage.Coverage(data_file=None, branch=True, include=[source], config_file=False)
    measured.start()
    return measured


def read_coverage(measured: Any, source: str, place: str) -> Fields:
    import coverage

    path = os.path.join(place, "coverage.json")
    try:
        measured.json_report(outfile=path)
    except coverage.CoverageException:  # the module was never imported
        return {}
    (found,) = json.loads(Path(path).read_text(encoding="utf-8"))["files"].values()
    return {
        "lines": found["executed_lines"],
        "missing_lines": found["missing_lines"],
        "branches": found["executed_branches"],
        "missing_branches": found["missing_branches"],
    }


if __name__ == "__main__":
    main()
