"""`midfill.unitTests`: the engine in this room as a code action. Knows the document, and no LSP.

Everything that can refuse does so before the model is asked; what comes of it is said in a sentence.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from midfill.model import ChatRequest
from midfill.server.actions.action import KIND, Outcome, Refused, Task
from midfill.server.actions.edits import Edit, FileEdit
from midfill.server.actions.source import Source, Span
from midfill.server.actions.targets import Kind, Target, find_target
from midfill.server.actions.unit_tests.case import Result
from midfill.server.actions.unit_tests.offer import TestOffer
from midfill.server.actions.unit_tests.permission import Permission, workspace_for
from midfill.server.actions.unit_tests.place import NoTests, Place, Running, normal
from midfill.server.actions.unit_tests.rendering import Insertion, applied
from midfill.server.actions.unit_tests.survey import text_on_disk
from midfill.server.actions.unit_tests.unrun import LANGUAGES, write_unrun
from midfill.server.actions.unit_tests.write import write_tests
from midfill.server.uris import to_path, to_uri

MOST_LISTED = 4
"""Failing tests that are named with their failures; of more, the number."""
TEST_MARKS = ("@Test", "#[test]")


class WriteTests:
    command = "midfill.unitTests"
    kind = f"{KIND}.unitTests"

    def __init__(self, permission: Permission, folders: Callable[[], Iterable[Path]]) -> None:
        """`folders` are the editor's workspace."""
        self._permission, self._folders = permission, folders

    def title(self, source: Source, selection: Span) -> str | None:
        target = find_target(source, *selection)
        if target is None or not _is_testable(target):
            return None
        unrun = "" if source.language == "python" else ", not run"
        return f"write unit tests for `{target.name}`{unrun}"

    async def run(self, task: Task) -> Outcome:
        target, path = find_target(task.source, *task.selection), to_path(task.snapshot.uri)
        assert target is not None, "it was offered"
        if path is None:
            raise Refused("the file has no place on this machine, so a test could not import it")
        place = Place(normal(task.source.text), Path(path), workspace_for(Path(path), self._folders()))
        file = _TestFile(task)
        try:
            offer = await self._offer(task, target, place, file)
            said = "\n".join([offer.sentence, *_listed(offer.failing)])
            added = offer.with_failing if task.settings.failing_tests == "insert" else offer.insertions
            if not added:
                raise Refused(said)
            edit = file.edit(added)
        except NoTests as refusal:
            raise Refused(str(refusal)) from refusal
        now = task.read(task.snapshot.uri)
        if now is None or task.source.text[slice(*target.span)] not in now.text:
            said += "\nThe code was changed meanwhile: they are for what it was before."
        label = f"Midfill: unit tests for {target.name}"
        return Outcome((edit,), label, f"{Path(offer.path).relative_to(place.root)}: {said}")

    async def _offer(self, task: Task, target: Target, place: Place, file: "_TestFile") -> TestOffer:
        async def ask(request: ChatRequest) -> str:
            return await task.ask(request.messages, request.max_new_tokens, request.temperature)

        if target.language != "python":
            return await write_unrun(place, task.source, target, ask, task.say, file.text)
        line = normal(task.source.text[: target.signature[0]]).count("\n") + 1

        async def running() -> Running:
            task.say("looking where tests may be run")
            return await self._permission.running(place.root, task.settings.test_python)

        return await write_tests(place, line, ask, running, task.say, open_text=file.text)


class _TestFile:
    """The file that the tests go into, as it was when it was last looked at."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._uri, self._before = "", ""
        self._is_open = self._is_there = False

    def text(self, path: Path) -> str | None:
        """As the editor has it, else as the disk has; None for a new file. Raises Refused where nothing can
        be written."""
        snapshot = self._task.snapshot
        self._uri = to_uri(path)
        opened = snapshot if str(path) == to_path(snapshot.uri) else self._task.read(self._uri)
        self._is_open, self._is_there = opened is not None, opened is not None or path.exists()
        if opened is not None:
            self._uri, self._before = opened.uri, opened.text
        elif self._is_there:
            self._before = _on_disk(path)
        else:
            self._before = ""
            _check_new(path, self._task.can_create)
        if "\r" in self._before.replace("\r\n", ""):
            raise Refused(f"{path.name} has line ends of old Macs, so nothing is added to it")
        return self._before if self._is_there else None

    def edit(self, added: Sequence[Insertion]) -> FileEdit:
        """`added` as an edit to it. Raises Refused where it would not be Python any more."""
        if self._uri.endswith(".py"):
            try:
                compile(applied(self._before, added), self._uri, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                raise Refused("the test file would not be Python any more, so nothing is added") from error
        edits = tuple(Edit((each.offset, each.offset), each.text) for each in added)
        own = self._uri == self._task.snapshot.uri
        return FileEdit(
            self._uri,
            edits,
            (added[0].offset, added[-1].offset) if own else None,
            creates=not self._is_there,
            keeps_code=False,
            text=self._before if self._is_there and not self._is_open else None,
        )


def _is_testable(target: Target) -> bool:
    """Something that a test can reach, and no test itself."""
    if target.has_errors or target.body is None or set(TEST_MARKS) & set(target.decorators):
        return False
    if target.language == "python":
        nested = target.kind is Kind.FUNCTION and target.indent
        return not nested and "." not in target.enclosing and not target.name.startswith("test_")
    return target.language in LANGUAGES and not (target.language == "go" and target.name.startswith("Test"))


def _on_disk(path: Path) -> str:
    if not os.access(path, os.W_OK):
        raise Refused(f"{path.name} cannot be written to")
    return text_on_disk(path)


def _check_new(path: Path, can_create: bool) -> None:
    folder = next(above for above in path.parents if above.exists())
    if not os.access(folder, os.W_OK) or not folder.is_dir():
        raise Refused(f"nothing can be written into {folder}")
    if not can_create:
        raise Refused(
            f"this editor creates no files for a language server: make {path}, empty, and choose this again"
        )


def _listed(failing: Sequence[Result]) -> Iterator[str]:
    """Each failing test and how it fails, in a line."""
    for result in failing[:MOST_LISTED]:
        test = "; ".join(line.strip() for line in result.case.body.splitlines())
        said = [line[1:].strip() for line in result.failure.splitlines() if line.startswith("E ")]
        why = (said or [result.failure or result.verdict.value])[0]
        yield f"- {test}: {why.removeprefix('AssertionError: ')}"
    if len(failing) > MOST_LISTED:
        yield f"- and {len(failing) - MOST_LISTED} more"
