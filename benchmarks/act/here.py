"""The unit-test action without server and editor: with any number of candidates."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.act.problems import FILE, Problem, line_of
from benchmarks.alone import load_alone
from midfill.model import ChatRequest, Chunk
from midfill.server.actions.unit_tests import NoTests, Place, Running, applied, write_tests
from midfill.server.sandbox import Sandbox

Answer = Callable[[ChatRequest], str]
Write = Callable[[Problem, str], tuple[str, float]]
"""(the test file, seconds) for a problem's function, in the given text of its module."""


def here(answer: Answer, sandbox: Sandbox, candidates: int) -> Write:
    """The action without server and editor."""

    async def ask(request: ChatRequest) -> str:
        return await asyncio.to_thread(answer, request)

    def write(problem: Problem, text: str) -> tuple[str, float]:
        place, running = Place(text, Path("/nowhere") / FILE), Running(sandbox)
        writing = write_tests(place, line_of(text, problem), ask, running, candidates=candidates)
        try:
            return applied("", asyncio.run(writing).with_failing), 0.0
        except NoTests:
            return "", 0.0

    return write


def remembered(model: "Model") -> Answer:
    """One question is asked once, whatever table it is for."""
    answers: dict[ChatRequest, str] = {}

    def answer(request: ChatRequest) -> str:
        if request not in answers:
            answers[request] = model.answer(request)
        return answers[request]

    return answer


class Model:
    """Loaded at the first question: rows that were kept need none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._backend: Any = None

    def answer(self, request: ChatRequest) -> str:
        self._backend = self._backend or load_alone(self._name).backend
        return "".join(event.text for event in self._backend.stream(request) if isinstance(event, Chunk))
