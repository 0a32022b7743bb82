"""Whether the tests of a workspace may be run, and where: the user's word, then a sandbox that was tried.

Asks once a session and workspace, through an `Editor`; what was said for good lies in `Consents`.
"""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from midfill.server.actions.editor import Editor
from midfill.server.actions.unit_tests.consented import Consents
from midfill.server.actions.unit_tests.environment import python_for
from midfill.server.actions.unit_tests.place import Running
from midfill.server.sandbox import Sandbox, SandboxRefused, open_sandbox

log = logging.getLogger(__name__)

SESSION, ALWAYS, NEVER = "This session", "Always in this workspace", "Do not run"
NOT_ALLOWED = 'running tests is not allowed here (the command `midfill.consentTests` with "give" allows it)'
MARKERS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg", "package.json", "go.mod", "Cargo.toml")
"""What lies in the folder of a project."""


def workspace_for(path: Path, folders: Iterable[Path]) -> Path | None:
    """The innermost of the editor's `folders` around `path`, else the nearest with a project's marker.

    The home folder, or one around it, is no workspace: it would be listed, and consent given for all of it.
    """
    home = Path.home()
    inside = [f for f in folders if path.is_relative_to(f) and not home.is_relative_to(f)]
    if inside:
        return max(inside, key=lambda folder: len(folder.parts))
    projects = (f for f in path.parents if not home.is_relative_to(f))
    return next((f for f in projects if any((f / marker).exists() for marker in MARKERS)), None)


class Permission:
    """Event loop only."""

    def __init__(self, editor: Editor, consents: Consents | None = None) -> None:
        self._editor = editor
        self._consents = consents or Consents()
        self._questions: dict[Path, asyncio.Task[bool]] = {}
        """By workspace: asked, and perhaps answered."""
        self._sandboxes: dict[str, Sandbox] = {}
        """By interpreter: trying a fence takes most of a second."""

    async def running(self, workspace: Path, test_python: str) -> Running:
        """What tests may be run in there, or why they may not."""
        try:
            await self._sandbox("")  # the question would be idle where there is none
            if not await self._is_allowed(workspace):
                return Running(None, NOT_ALLOWED)
            return Running(await self._sandbox(python_for(workspace, test_python)))
        except SandboxRefused as refused:
            return Running(None, str(refused))

    def give(self, workspace: Path) -> None:
        """Raises OSError where it cannot be kept."""
        self._consents.give(workspace)
        self._questions.pop(workspace, None)

    def withdraw(self, workspace: Path) -> None:
        """Raises OSError where that cannot be kept; this session runs nothing more there all the same."""
        self._questions[workspace] = asyncio.get_running_loop().create_task(_no())
        self._consents.withdraw(workspace)

    def given(self, workspace: Path) -> bool:
        return self._consents.given(workspace)

    def needs_no_question(self, workspace: Path) -> bool:
        """Whether running was allowed there, for good or in this session."""
        asked = self._questions.get(workspace)
        if asked is not None and asked.done() and not asked.cancelled():
            return asked.result()
        return self._consents.given(workspace)

    async def _is_allowed(self, workspace: Path) -> bool:
        if workspace not in self._questions:
            if self._consents.given(workspace):
                return True
            # a task of its own: an action that is cancelled leaves the question on the user's screen
            self._questions[workspace] = asyncio.get_running_loop().create_task(self._ask(workspace))
        return await asyncio.shield(self._questions[workspace])

    async def _ask(self, workspace: Path) -> bool:
        sentence = (
            f"may the tests written for `{workspace.name}`, and examples for its docstrings, be run in a "
            "sandbox, without network and home folder, so that only what passes is offered?"
        )
        answer = await self._editor.ask(sentence, (SESSION, ALWAYS, NEVER))
        if answer == ALWAYS:
            try:
                self.give(workspace)
            except OSError as error:
                log.warning("the answer cannot be kept: %s", error.strerror or type(error).__name__)
        return answer in (SESSION, ALWAYS)

    async def _sandbox(self, python: str) -> Sandbox:
        if python not in self._sandboxes:
            self._sandboxes[python] = await asyncio.to_thread(open_sandbox, python)
        return self._sandboxes[python]


async def _no() -> bool:
    return False
