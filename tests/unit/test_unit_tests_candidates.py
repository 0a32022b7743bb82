"""Several candidates: asked at once, so that the model may answer them in the same passes."""

import asyncio
import re
from pathlib import Path

import pytest

from midfill.model import ChatRequest
from midfill.server.actions.unit_tests import NoTests, Place, Running, applied, write_tests

CODE = "def double(number):\n    return number * 2\n"
NOT_RUN = Running(None, "no consent was given")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(CODE, tmp_path / "twice.py", tmp_path)


def test_all_candidates_are_asked_at_once_and_answered_in_their_order(place):
    running, ended = [], []

    async def ask(request: ChatRequest) -> str:
        running.append(request)
        number = len(running)
        await asyncio.sleep(0.02 * (4 - number))
        assert len(running) == 3
        ended.append(number)
        return f"assert double({number}) == {2 * number}"

    said: list[str] = []
    offer = asyncio.run(write_tests(place, 1, ask, NOT_RUN, said.append))
    assert ended == [3, 2, 1]
    after = applied(offer.before, offer.insertions)
    assert re.findall(r"double\((\d)\) ==", after)[-3:] == ["1", "2", "3"]
    assert said == ["writing tests", "writing tests, 1 of 3 done", "writing tests, 2 of 3 done"]


def test_one_candidate_that_cannot_be_answered_ends_the_others(place):
    cancelled = []

    async def ask(request: ChatRequest) -> str:
        if "edge cases" in request.messages[-1].content:
            raise NoTests("the model was stopped meanwhile")
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(request)
            raise
        return ""

    async def write() -> None:
        with pytest.raises(NoTests, match="stopped meanwhile"):
            await write_tests(place, 1, ask, NOT_RUN)
        await asyncio.sleep(0)
        assert len(cancelled) == 2

    asyncio.run(write())
