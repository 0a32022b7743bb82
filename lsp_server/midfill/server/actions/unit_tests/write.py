"""Unit tests for one Python function, from the question to the offer: the action itself, without an editor.

Asks the model through a function it is given, runs nothing without consent and a sandbox, writes no file.
The expected values are the docstring's or the model's, never taken from the code under test.
"""

import ast
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.model import ChatRequest
from midfill.server.actions.unit_tests import asking
from midfill.server.actions.unit_tests.assembling import Written, assembled
from midfill.server.actions.unit_tests.case import Case, Source, Verdict
from midfill.server.actions.unit_tests.convention import Convention, convention_for
from midfill.server.actions.unit_tests.evaluate import Evaluation, Subject, evaluate, run_file
from midfill.server.actions.unit_tests.examples import examples_of
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import module_of
from midfill.server.actions.unit_tests.offer import TestOffer
from midfill.server.actions.unit_tests.parsing import parse_answer
from midfill.server.actions.unit_tests.place import NoTests, Place, Running
from midfill.server.actions.unit_tests.rendering import fits, meaning_in
from midfill.server.actions.unit_tests.showing import context_of
from midfill.server.actions.unit_tests.survey import Survey, text_on_disk
from midfill.server.sandbox import SandboxRefused

CANDIDATES = 3
"""Asked at once: where the model can, they are decoded as one batch."""
MAX_REPAIRS = 2
"""Tests that are asked for once more; each costs a question."""

Ask = Callable[[ChatRequest], Awaitable[str]]
"""The model's whole answer. Raises what it wants; it ends the action."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What tests are written for, and where they go."""

    subject: Subject
    convention: Convention
    path: Path
    open_text: Callable[[Path], str | None]

    def existing(self) -> str:
        """The test file as it is now: in the editor, else on the disk; empty: there is none. Raises NoTests
        where it cannot be read, or means something else by the function's name."""
        text = self.open_text(self.path)
        if text is None:
            text = text_on_disk(self.path) if self.path.exists() else ""
        name = self.subject.function.imported
        if other := meaning_in(text, name, self.subject.module.name):
            raise NoTests(f"`{name}` is {other} in {self.convention.path}, so nothing is added to it")
        return text


async def write_tests(
    place: Place,
    line: int,
    ask: Ask,
    running: Running | Callable[[], Awaitable[Running]],
    say: Say = lambda _: None,
    *,
    candidates: int = CANDIDATES,
    open_text: Callable[[Path], str | None] = lambda _: None,
) -> TestOffer:
    """Tests for the function at `line` (1-based). `open_text` gives the text of a test file that is open in
    the editor; `running` may be a function, called when nothing else is in the way. Cancelling the task
    that runs this ends it; a sandbox that runs ends within its clock.

    Raises NoTests, and whatever `ask` raises.
    """
    place = replace(place, text=place.text.replace("\r\n", "\n"))  # for Python they are the same
    wanted = await asyncio.to_thread(_wanted, place, line, open_text)
    subject = wanted.subject
    wanted.existing()  # whoever opens it may say no before the model is asked
    running = await running() if callable(running) else running
    written = await _write(wanted, ask, say, candidates)
    done, reason = await _evaluated(subject, written.cases, running, say)
    if done is not None:
        done, written = await _repaired(wanted, written, done, ask, running, say)
        done = await _compared(subject, wanted.existing(), done, running, say)
    # Read again: somebody may have typed into the test file for as long as the model wrote.
    existing = wanted.existing()
    return assembled(subject, wanted.convention, wanted.path, existing, written, done, reason)


def _wanted(place: Place, line: int, open_text: Callable[[Path], str | None]) -> _Wanted:
    """Reads the disk. Raises NoTests."""
    try:
        function = function_at(place.text, line)
    except SyntaxError as error:
        raise NoTests(f"the file has a syntax error in line {error.lineno or line}") from error
    if function is None:
        raise NoTests("there is no function here that a test could import")
    survey, relative = Survey(place.root), place.relative
    files = survey.around(relative) | {relative}
    module = module_of(relative, files, survey.read)
    if module is None:
        raise NoTests(f"a test cannot import {place.path.name}: its name is no module's")
    convention = convention_for("python", relative, files, survey.read)
    assert convention is not None, "of Python it is known"
    convention = replace(convention, exists=survey.has(convention.path))
    subject = Subject(place.text, function, module, place.seen_by(module), place.path.name)
    return _Wanted(subject, convention, place.root / convention.path, open_text)


async def _write(wanted: _Wanted, ask: Ask, say: Say, candidates: int) -> Written:
    function, framework = wanted.subject.function, wanted.convention.framework
    cases = [*examples_of(function)]
    left_out: list[str] = []
    context = context_of(wanted.subject.text, function)
    for answer in await _answers(ask, asking.requests(function, context, candidates), say):
        parsed = parse_answer(answer, function)
        cases += parsed.cases
        left_out += parsed.left_out
    fitting = [case for case in cases if fits(case, framework)]
    left_out += [f"{framework} has nothing of the kind"] * (len(cases) - len(fitting))
    return Written(tuple(_distinct(fitting)), tuple(left_out))


async def _answers(ask: Ask, requests: Sequence[ChatRequest], say: Say) -> list[str]:
    """Those to `requests`, all asked at once. What one of them raises ends the others."""
    say("writing tests")
    done = 0

    async def one(request: ChatRequest) -> str:
        nonlocal done
        answer = await ask(request)
        done += 1
        if done < len(requests):
            say(f"writing tests, {done} of {len(requests)} done")
        return answer

    questions = [asyncio.ensure_future(one(request)) for request in requests]
    try:
        return await asyncio.gather(*questions)
    finally:
        for question in questions:
            question.cancel()


async def _evaluated(
    subject: Subject, cases: Sequence[Case], running: Running, say: Say, faulty: tuple[str, ...] = ()
) -> tuple[Evaluation | None, str]:
    """What came of running them, or why they were not run. `faulty`: as for `evaluate`."""
    if running.sandbox is None or not cases:
        return None, running.reason
    say(f"running {len(cases)} tests")
    cancelled = False
    try:
        job = asyncio.to_thread(evaluate, subject, cases, running.sandbox, lambda: cancelled, faulty)
        return await job, ""
    except (SandboxRefused, LookupError) as refused:
        return None, str(refused)
    except asyncio.CancelledError:
        cancelled = True
        raise


async def _repaired(
    wanted: _Wanted,
    written: Written,
    done: Evaluation,
    ask: Ask,
    running: Running,
    say: Say,
) -> tuple[Evaluation, Written]:
    """One more turn for tests that raise something: what they raised goes back to the model.

    Not for assertions that do not hold: told what the code returns, a model writes just that.
    """
    subject = wanted.subject
    wrong = [result for result in done.results if result.verdict is Verdict.ERROR and result.failure]
    context = context_of(subject.text, subject.function)
    mended: list[Case] = []
    for result in [each for each in wrong if each.case.source is Source.MODEL][:MAX_REPAIRS]:
        say("correcting a test")
        answer = await ask(asking.repair(subject.function, context, result))
        mended += parse_answer(answer, subject.function, Source.REPAIR).cases[:1]
    mended = [case for case in mended if fits(case, wanted.convention.framework)]
    known = _distinct([*written.cases, *mended])[len(written.cases) :]
    if not known:
        return done, written
    cases = (*written.cases, *known)
    again, _ = await _evaluated(subject, cases, running, say, done.faulty)
    if again is None:
        return done, written
    return again, Written(cases, written.left_out)


async def _compared(
    subject: Subject, existing: str, done: Evaluation, running: Running, say: Say
) -> Evaluation:
    """`done`, and what the tests that are there reach."""
    if not existing.strip() or running.sandbox is None:
        return done
    say("running the tests that are there")
    try:
        found = await asyncio.to_thread(run_file, subject, existing, running.sandbox)
    except (SandboxRefused, LookupError):
        return done
    return replace(done, existing=found if found.verdict is Verdict.PASS else None)


def _distinct(cases: Sequence[Case]) -> list[Case]:
    """Without those that say the same as one before."""
    return list({ast.dump(ast.parse(case.body)): case for case in reversed(cases)}.values())[::-1]
