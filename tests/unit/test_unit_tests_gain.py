"""What coverage new tests gain over those that are there, which are run for it in the same sandbox."""

import asyncio
from typing import cast

import pytest

from midfill.model import ChatRequest
from midfill.server.actions.unit_tests import Place, Running, write_tests
from midfill.server.actions.unit_tests.case import Verdict
from midfill.server.actions.unit_tests.evaluate import FILE_S, Subject, run_file
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import Module
from midfill.server.sandbox import Job, Limit, Outcome, Sandbox
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

SIGN = "def sign(n):\n    if n < 0:\n        return -1\n    return 1\n"
NEGATIVE = "from signs import sign\n\n\ndef test_negative():\n    assert sign(-2) == -1\n"


async def answer(_: ChatRequest) -> str:
    return "assert sign(3) == 1"


@pytest.mark.parametrize(
    ("existing", "said"),
    [
        (
            NEGATIVE,
            "They raise the coverage of the function's lines from 67% to 100%, of its branches from 50%",
        ),
        (f"{NEGATIVE}    assert sign(0) == 0\n", "They cover 67% of the function's lines"),
        (
            NEGATIVE.replace("e()", "e(fixture_of_conftest)"),
            "They cover 67% of the function's lines",
        ),
        (f"{NEGATIVE}    while True: pass\n", "They cover 67% of the function's lines"),
    ],
    ids=["it passes", "it fails", "it lacks something", "it hangs"],
)
def test_it_is_said_where_the_tests_that_are_there_pass(sandbox, tmp_path, existing, said):
    (tmp_path / "test_signs.py").write_text(existing)
    place = Place(SIGN, tmp_path / "signs.py", tmp_path)
    offer = asyncio.run(write_tests(place, 1, answer, Running(sandbox)))
    assert said in offer.sentence
    assert offer.sentence.endswith("planted faults.")
    assert (offer.coverage.lines, offer.coverage.branches) == (2 / 3, 1 / 2)
    assert (offer.covered_before is None) == ("They cover" in said)


def test_what_is_there_may_be_started_again_but_takes_no_longer_for_it():
    given: list[float] = []

    class Slow:
        def run(self, job: Job) -> Outcome:
            given.append(job.limits.wall_s)
            return Outcome(137, "", "", Limit.WALL, seconds=6)

    function = function_at(SIGN, 1)
    assert function is not None
    subject = Subject(SIGN, function, Module("signs", "."), None, "signs.py")
    assert run_file(subject, NEGATIVE, cast(Sandbox, Slow())).verdict is Verdict.UNRUN
    assert given == [FILE_S, FILE_S - 6]
