"""Tests run behind bubblewrap, as generated ones are: verdicts, mutants, and hostile ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.server.actions.unit_tests.case import Case, Verdict
from midfill.server.actions.unit_tests.evaluate import Evaluation, Subject, evaluate
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import Module
from midfill.server.sandbox import Sandbox
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

SIGN = """
def sign(number):
    if number > 0:
        return 1
    if number < 0:
        return -1
    return 0
"""
GOOD = "assert sign(5) == 1"


def run(
    sandbox: Sandbox,
    *bodies: str,
    text: str = SIGN,
    folder: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    function = function_at(text, 3)
    assert function is not None
    subject = Subject(text, function, Module("numbers_of", "."), folder, "numbers_of.py")
    cases = [Case(f"test_{n}", body, ("sign",)) for n, body in enumerate(bodies)]
    return evaluate(subject, cases, sandbox, stop)


def verdicts(evaluation: Evaluation) -> list[Verdict]:
    return [result.verdict for result in evaluation.results]


def test_verdicts_coverage_and_mutants(sandbox):
    weak = "assert len(str(sign(5))) == 1\nassert sign(-3) != 7"
    found = run(sandbox, GOOD, "assert sign(-2) == -1", "assert sign(0) == 1", "sign('a')", weak)
    assert verdicts(found) == [Verdict.PASS, Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.PASS]
    assert "assert 0 == 1" in found.results[2].failure
    assert "TypeError" in found.results[3].failure
    first, second = found.results[:2]
    assert (first.lines, second.lines) == ({3, 4}, {3, 5, 6})
    assert found.covered_by([first]).lines == 2 / 5
    assert found.covered_by([first]).branches == 1 / 4
    assert found.covered_by([first, second]).lines == 4 / 5
    assert found.mutants == 5
    assert found.killed_by([first, second]) >= 4 > found.killed_by([first]) >= 1


def test_who_stops_it_waits_for_no_mutant(sandbox):
    starts = iter([False])
    found = run(sandbox, GOOD, stop=lambda: next(starts, True))
    assert (found.lines, found.mutants) == ({3, 4, 5, 6, 7}, 0)


def test_a_test_that_no_mutant_fails_cannot_fail(sandbox):
    found = run(sandbox, GOOD, "assert isinstance(sign, object) is True")
    assert [result.can_fail for result in found.results] == [True, False]


def test_the_text_of_the_buffer_is_tested_with_the_modules_beside_it_not_the_disk(sandbox, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "numbers_of.py").write_text("def sign(number):\n    return 'the disk'\n")
    (tmp_path / "beside.py").write_text("ONE = 1\n")
    (tmp_path / "beside.py").chmod(0o644)
    text = SIGN.replace("return 1", "from beside import ONE; return ONE")
    assert verdicts(run(sandbox, GOOD, text=text, folder=tmp_path)) == [Verdict.PASS]
    again = run(sandbox, GOOD, text=text)
    assert verdicts(again) == [Verdict.ERROR]
    assert "No module named 'beside'" in again.results[0].failure


def test_a_test_that_passes_only_sometimes_is_flaky(sandbox):
    by_order = "import numbers_of\nassert getattr(numbers_of, 'seen', 0) == 0\nnumbers_of.seen = 1"
    assert verdicts(run(sandbox, by_order, by_order)).count(Verdict.FLAKY) == 1


HOSTILE = {
    "loops for ever": ("while True: pass", Verdict.TIMEOUT),
    "sleeps": ("import time\ntime.sleep(600)", Verdict.TIMEOUT),
    "ends its process": ("import os\nos._exit(0)", Verdict.ERROR),
    "raises SystemExit": ("raise SystemExit(0)", Verdict.ERROR),
    "forks": ("import os\nwhile True: os.fork()", Verdict.ERROR),
    "fills the disk": (
        "for n in range(99): open(f'/tmp/{n}', 'wb').write(b'x' * 2**20)",
        Verdict.ERROR,
    ),
    "opens the network": (
        "import socket\nsocket.create_connection(('192.0.2.1', 80), 5)",
        Verdict.ERROR,
    ),
    "reads the home folder": (f"import os\nassert os.listdir({str(Path.home())!r}) == []", None),
    "reads passwords": ("open('/etc/passwd').read()", Verdict.ERROR),
    "writes into the code": ("open('/code/plan.json', 'w')", Verdict.ERROR),
    "writes into our tools": ("open('/tools/pytest/__init__.py', 'a')", Verdict.ERROR),
    "kills all it sees": ("import os\nos.kill(-1, 9)", Verdict.ERROR),
    "kills what runs it": ("import os\nos.kill(os.getppid(), 9)", Verdict.ERROR),
    "takes all memory": ("x = bytearray(2**40)", Verdict.ERROR),
    "writes into the runner's pipe": (
        "import os\nfor n in range(3, 20):\n"
        "    try: os.write(n, b'{\"done\": 1}x\\n')\n    except OSError: pass",
        Verdict.ERROR,
    ),
    "closes all files": ("import os\nos.closerange(0, 60)\nassert sign(1) == 1", Verdict.ERROR),
}


@pytest.mark.parametrize(("body", "verdict"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_test_is_stopped_and_spoils_no_other(sandbox, body, verdict):
    found = run(sandbox, GOOD, body, "assert sign(-5) == -1")
    first, hostile, last = verdicts(found)
    assert (first, last) == (Verdict.PASS, Verdict.PASS)
    assert hostile is not Verdict.PASS
    if verdict is not None:
        assert hostile is verdict, found.results[1].failure


def test_what_a_test_leaves_running_is_ended_before_the_next(sandbox):
    leave = (
        "import os, time\nfor n in range(99):\n    if os.fork() == 0:\n"
        "        os.setsid()\n        time.sleep(600)"
    )
    alone = "import os\nassert sum(name.isdigit() for name in os.listdir('/proc')) < 5"
    assert verdicts(run(sandbox, leave, alone)) == [Verdict.ERROR, Verdict.PASS]


def test_the_home_folder_is_not_there(sandbox):
    # Of it, only what leads to the interpreter can be seen at all.
    secret = f"import os\nassert os.path.exists({str(Path.home() / '.bashrc')!r}) is False"
    assert verdicts(run(sandbox, secret)) == [Verdict.PASS]


def test_a_mutant_that_never_ends_is_noticed_by_the_test_that_runs_into_it(sandbox):
    text = "\ndef sign(number):\n    n = 0\n    while n < number:\n        n += 1\n    return n\n"
    found = run(sandbox, "assert sign(3) == 3", text=text)
    assert found.killed_by(found.results) == found.mutants
