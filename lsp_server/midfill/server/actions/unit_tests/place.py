"""What tests are asked for: a file as it is, a workspace, where to run; and the refusal. Runs nothing."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from midfill.server.actions.unit_tests.importing import Module
from midfill.server.sandbox import Sandbox


def normal(text: str) -> str:
    """With `\\n` line ends: as models read it, and as Python counts lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class NoTests(Exception):  # noqa: N818 - a decision, no fault
    """Nothing is offered; the text says why, for a human."""


@dataclass(frozen=True, slots=True)
class Running:
    """What tests may be run in; `reason` says why there is none."""

    sandbox: Sandbox | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A file as the editor has it, saved or not."""

    text: str
    path: Path
    workspace: Path | None = None

    @property
    def root(self) -> Path:
        """The workspace, else the file's own folder."""
        return self.workspace or self.path.parent

    @property
    def relative(self) -> str:
        """The path from the root on, with `/`. Raises NoTests where it lies outside."""
        try:
            return self.path.relative_to(self.root).as_posix()
        except ValueError as error:
            raise NoTests(f"{self.path.name} lies outside the workspace") from error

    def seen_by(self, module: Module) -> Path | None:
        """What of the workspace the sandbox may see: never the home folder, nor one around it, nor what a
        link in the workspace leads out to."""
        if self.workspace is None:
            return None
        folder = (self.root / PurePosixPath(module.root)).resolve()
        is_inside = folder.is_relative_to(self.root.resolve())
        return folder if is_inside and not Path.home().resolve().is_relative_to(folder) else None
