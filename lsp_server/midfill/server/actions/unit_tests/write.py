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
from midfill.server.actions.unit_tests.case import Case, Result, Source, Verdict
from midfill.server.actions.unit_tests.convention import Convention, convention_for
from midfill.server.actions.unit_tests.evaluate import Evaluation, Subject, evaluate
from midfill.server.actions.unit_tests.examples import examples_of
from midfill.server.actions.unit_tests.function import Function, function_at
from midfill.server.actions.unit_tests.importing import module_of
from midfill.server.actions.unit_tests.offer import NOTHING, TestOffer, chosen, not_run, sentence
from midfill.server.actions.unit_tests.parsing import parse_answer, renamed
from midfill.server.actions.unit_tests.place import NoTests, Place, Running
from midfill.server.actions.unit_tests.rendering import Insertion, insertions, names_in, new_file
from midfill.server.actions.unit_tests.showing import context_of
from midfill.server.actions.unit_tests.survey import Survey
from midfill.server.sandbox import SandboxRefused

CANDIDATES = 3
MAX_REPAIRS = 2
"""Tests that are asked for once more; each costs a question."""

Ask = Callable[[ChatRequest], Awaitable[str]]
"""The model's whole answer. Raises what it wants; it ends the action."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Written:
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]


async def write_tests(
    place: Place,
    line: int,
    ask: Ask,
    running: Running | Callable[[], Awaitable[Running]],
    say: Say = lambda _: None,
    *,
    candidates: int = CANDIDATES,
    open_text: Callable[[Path], str | None] = lambda _: None,
    use_examples: bool = True,
) -> TestOffer:
    """Tests for the function at `line` (1-based). `open_text` gives the text of a test file that is open in
    the editor; `running` may be a function, called when nothing else is in the way. Cancelling the task
    that runs this ends it; a sandbox that runs ends within its clock.

    Raises NoTests, and whatever `ask` raises.
    """
    place = replace(place, text=place.text.replace("\r\n", "\n"))  # for Python they are the same
    try:
        function = function_at(place.text, line)
    except SyntaxError as error:
        raise NoTests(f"the file has a syntax error in line {error.lineno or line}") from error
    if function is None:
        raise NoTests("there is no function here that a test could import")
    root = place.root
    survey, relative = Survey(root), place.relative
    files = await asyncio.to_thread(lambda: survey.files | {relative})
    module = module_of(relative, files, survey.read)
    if module is None:
        raise NoTests(f"a test cannot import {place.path.name}: its name is no module's")
    convention = convention_for("python", relative, files, survey.read)
    assert convention is not None, "of Python it is known"
    test_path = root / convention.path

    def existing() -> str:
        opened = open_text(test_path)
        return opened if opened is not None else survey.read(convention.path) if convention.exists else ""

    existing()  # whoever opens it may say no before the model is asked
    running = await running() if callable(running) else running
    written = await _write(place.text, function, ask, say, candidates, use_examples)
    subject = Subject(place.text, function, module, place.seen_by(module), place.path.name)
    done, reason = await _evaluated(subject, written.cases, running, say)
    if done is not None:
        done, written = await _repaired(subject, written, done, ask, running, say)
    # Read again: somebody may have typed into the test file for as long as the model wrote.
    return _offer(subject, convention, test_path, existing(), written, done, reason, candidates)


async def _write(
    text: str,
    function: Function,
    ask: Ask,
    say: Say,
    candidates: int,
    use_examples: bool,
) -> _Written:
    cases = list(examples_of(function)) if use_examples else []
    left_out: list[str] = []
    context = context_of(text, function)
    for number, request in enumerate(asking.requests(function, context, candidates), 1):
        say(f"writing tests, {number} of {candidates}")
        parsed = parse_answer(await ask(request), function)
        cases += parsed.cases
        left_out += parsed.left_out
    return _Written(tuple(_distinct(cases)), tuple(left_out))


async def _evaluated(
    subject: Subject, cases: Sequence[Case], running: Running, say: Say
) -> tuple[Evaluation | None, str]:
    """What came of running them, or why they were not run."""
    if running.sandbox is None or not cases:
        return None, running.reason
    say(f"running {len(cases)} tests")
    cancelled = False
    try:
        return await asyncio.to_thread(evaluate, subject, cases, running.sandbox, lambda: cancelled), ""
    except (SandboxRefused, LookupError) as refused:
        return None, str(refused)
    except asyncio.CancelledError:
        cancelled = True
        raise


async def _repaired(
    subject: Subject,
    written: _Written,
    done: Evaluation,
    ask: Ask,
    running: Running,
    say: Say,
) -> tuple[Evaluation, _Written]:
    """One more turn for tests that raise something: what they raised goes back to the model.

    Not for assertions that do not hold: told what the code returns, a model writes just that.
    """
    wrong = [result for result in done.results if result.verdict is Verdict.ERROR and result.failure]
    context = context_of(subject.text, subject.function)
    mended: list[Case] = []
    for result in [each for each in wrong if each.case.source is Source.MODEL][:MAX_REPAIRS]:
        say("correcting a test")
        answer = await ask(asking.repair(subject.function, context, result))
        mended += parse_answer(answer, subject.function, Source.REPAIR).cases[:1]
    known = _distinct([*written.cases, *mended])[len(written.cases) :]
    if not known:
        return done, written
    cases = (*written.cases, *known)
    again, _ = await _evaluated(subject, cases, running, say)
    if again is None:
        return done, written
    return again, _Written(cases, written.left_out)


def _offer(
    subject: Subject,
    convention: Convention,
    test_path: Path,
    existing: str,
    written: _Written,
    done: Evaluation | None,
    reason: str,
    candidates: int,
) -> TestOffer:
    if done is None:
        done = Evaluation()
        offered = tuple(Result(case) for case in written.cases)
        failing: tuple[Result, ...] = ()
        said = not_run(len(offered), reason) if offered else NOTHING
    else:
        offered = chosen(done.results)
        failing = tuple(result for result in done.results if result.verdict is not Verdict.PASS)
    coverage, killed = done.covered_by(offered), done.killed_by(offered)
    if done.results:
        said = sentence(done.results, offered, len(written.left_out), coverage, killed, done.mutants)
    plain = _edit(existing, offered, (), subject, convention)
    return TestOffer(
        path=str(test_path),
        creates=not convention.exists,
        sentence=said,
        insertions=plain,
        with_failing=_edit(existing, offered, failing, subject, convention),
        passing=offered,
        failing=failing,
        left_out=written.left_out,
        ran=bool(done.results),
        coverage=coverage,
        mutants=done.mutants,
        mutants_killed=killed,
        candidates=candidates,
        seconds=done.seconds,
    )


def _edit(
    existing: str,
    offered: Sequence[Result],
    failing: Sequence[Result],
    subject: Subject,
    convention: Convention,
) -> tuple[Insertion, ...]:
    if not offered and not failing:
        return ()
    both = (*offered, *failing)
    cases = renamed([result.case for result in both], names_in(existing))
    fresh = [replace(result, case=case) for result, case in zip(both, cases, strict=True)]
    offered, failing = fresh[: len(offered)], fresh[len(offered) :]
    wanted = (offered, failing, subject.function, subject.module.name, convention.framework)
    if not existing.strip():
        return (Insertion(0, new_file(*wanted)),)
    try:
        return insertions(existing, *wanted)
    except SyntaxError as error:
        raise NoTests(f"{convention.path} has a syntax error: nothing is added to it") from error


def _distinct(cases: Sequence[Case]) -> list[Case]:
    """Without those that say the same as one before."""
    return list({ast.dump(ast.parse(case.body)): case for case in reversed(cases)}.values())[::-1]
