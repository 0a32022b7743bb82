"""What was written and what came of running it become an offer: which tests, as what edit, said how."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.server.actions.unit_tests.case import Case, Result, Verdict
from midfill.server.actions.unit_tests.convention import Convention
from midfill.server.actions.unit_tests.evaluate import Evaluation, Subject
from midfill.server.actions.unit_tests.offer import NOTHING, TestOffer, chosen, not_run, sentence
from midfill.server.actions.unit_tests.parsing import renamed
from midfill.server.actions.unit_tests.place import NoTests
from midfill.server.actions.unit_tests.rendering import Insertion, insertions, names_in, new_file


@dataclass(frozen=True, slots=True)
class Written:
    """What the docstring and the model gave."""

    cases: tuple[Case, ...]
    left_out: tuple[str, ...]
    """Why, for what is no test."""


def assembled(
    subject: Subject,
    convention: Convention,
    path: Path,
    existing: str,
    written: Written,
    done: Evaluation | None,
    reason: str,
) -> TestOffer:
    """The offer for the test file `path`, whose text is `existing`. `done`: None where nothing was run, for
    `reason`. Raises NoTests where that file does not parse."""
    ran = done is not None and bool(done.results)
    done = done or Evaluation()
    offered = chosen(done.results) if ran else tuple(Result(case) for case in written.cases)
    failing = tuple(result for result in done.results if result.verdict is not Verdict.PASS)
    if ran:
        said = sentence(done, offered, len(written.left_out))
    else:
        said = not_run(len(offered), reason) if offered else NOTHING
    return TestOffer(
        path=str(path),
        creates=not convention.exists,
        before=existing,
        sentence=said,
        insertions=_edit(existing, offered, (), subject, convention),
        with_failing=_edit(existing, offered, failing, subject, convention),
        passing=offered,
        failing=failing,
        left_out=written.left_out,
        ran=ran,
        coverage=done.covered_by(offered),
        covered_before=done.covered_by([done.existing]) if done.existing else None,
        mutants=done.mutants,
        mutants_killed=done.killed_by(offered),
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
