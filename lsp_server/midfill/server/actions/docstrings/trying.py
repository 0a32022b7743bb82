"""Runs the example calls of a docstring, where the user allowed running this workspace's tests.

The same consent and the same sandbox as for unit tests; never asks for either. Shown is only what two runs
agree on, so no example depends on the order of a set.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.server.actions.action import Task
from midfill.server.actions.docstrings.examples import Call
from midfill.server.actions.unit_tests import NoTests, Permission, Place
from midfill.server.actions.unit_tests.importing import Module, module_of
from midfill.server.actions.unit_tests.permission import workspace_for
from midfill.server.actions.unit_tests.place import normal
from midfill.server.actions.unit_tests.survey import Survey
from midfill.server.sandbox import CODE, Job, Sandbox, SandboxRefused
from midfill.server.uris import to_path

INSIDE = Path(__file__).with_name("inside.py")
WORKSPACE = "/workspace"
RUNS = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """Where calls of one file's functions can be run. Blocks."""

    sandbox: Sandbox
    text: str
    """Of the buffer, not of the disk."""
    module: Module
    folder: Path | None = None
    """What it is imported from; None: the text stands alone."""

    def results(self, calls: Sequence[Call]) -> list[str]:
        """What each of `calls` returned, as Python prints it; empty where it returned nothing, twice."""
        first, *others = (self._run(calls) for _ in range(RUNS))
        return [
            result if all(other[number] == result for other in others) else ""
            for number, result in enumerate(first)
        ]

    def _run(self, calls: Sequence[Call]) -> list[str]:
        word = f"{secrets.token_hex(8)} "
        inside = f"{WORKSPACE}/{self.module.name.replace('.', '/')}"
        order = {
            "module": self.module.name,
            "file": f"{CODE}/subject.py",
            "package": inside if self.module.is_package and self.folder else None,
            "path": [WORKSPACE] if self.folder else [],
            "calls": [call.code for call in calls],
            "word": word,
        }
        program = (("inside.py", INSIDE.read_text(encoding="utf-8")), ("order.json", json.dumps(order)))
        job = Job(
            (*program, ("subject.py", self.text)),
            ("-I", f"{CODE}/inside.py", f"{CODE}/order.json"),
            folders=((str(self.folder), WORKSPACE),) if self.folder else (),
        )
        found = [""] * len(calls)
        try:
            said = self.sandbox.run(job).stdout
        except SandboxRefused:
            return found
        for line in said.splitlines():
            if line.startswith(word):
                try:
                    number, result = json.loads(line.removeprefix(word))
                except ValueError:  # cut off: the sandbox ends what writes too much
                    continue
                found[number] = result
        return found


class Trials:
    """Opens a `Trial` where that is allowed. `folders` are the editor's workspace."""

    def __init__(self, permission: Permission, folders: Callable[[], Iterable[Path]]) -> None:
        self._permission, self._folders = permission, folders

    async def __call__(self, task: Task) -> Trial | None:
        path = to_path(task.snapshot.uri)
        if path is None:
            return None
        place = Place(normal(task.snapshot.text), Path(path), workspace_for(Path(path), self._folders()))
        if not self._permission.needs_no_question(place.root):
            return None
        running = await self._permission.running(place.root, task.settings.test_python)
        module = await asyncio.to_thread(module_in, place)
        if running.sandbox is None or module is None:
            return None
        return Trial(running.sandbox, place.text, module, place.seen_by(module))


def module_in(place: Place) -> Module | None:
    survey = Survey(place.root)
    try:
        return module_of(place.relative, survey.files | {place.relative}, survey.read)
    except NoTests:
        return None
