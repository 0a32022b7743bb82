"""`midfill tests FILE:LINE`: what the code action would add, on stdout or into the test file."""

import asyncio
import codecs
from pathlib import Path
from typing import Any

import click

from midfill.model import ChatRequest
from midfill.server import logs
from midfill.server.actions.action import Refused
from midfill.server.actions.safety import asker_for
from midfill.server.actions.unit_tests import (
    Consents,
    NoTests,
    Place,
    Running,
    TestOffer,
    applied,
    python_for,
    text_on_disk,
    write_tests,
)
from midfill.server.cli import fail
from midfill.server.cli.once import ModelUnavailable, Say, loaded
from midfill.server.cli.options import model_options, settings_from
from midfill.server.sandbox import SandboxRefused, open_sandbox
from midfill.server.settings import Settings

ROOTS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
"""What lies in the folder of a project."""
NO_CONSENT = (
    "say `--run` to run them behind bubblewrap; this workspace remembers it (`--forget` takes it back)"
)
NO_CHAT = "this model does not chat: choose an Instruct model with --model"


@click.command(short_help="Write unit tests for the function at a line.")
@click.argument("place", metavar="FILE:LINE")
@click.option("--write", is_flag=True, help="Change the test file instead of printing what it would be.")
@click.option(
    "--failing", is_flag=True, help="Add those that fail too, commented out under their failures."
)
@click.option("--candidates", type=click.IntRange(0, 5), default=3, help="Questions to the model (3).")
@click.option("--run/--no-run", default=None, help="Whether tests may be run in this workspace.")
@click.option("--forget", is_flag=True, help="Take back that tests may be run in this workspace.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@model_options
def tests(
    place: str,
    write: bool,
    failing: bool,
    candidates: int,
    run: bool | None,
    forget: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Write tests for the Python function at LINE in FILE, where and as the project keeps its tests.

    What is offered was run behind bubblewrap and passed, if you allowed it; `--no-run` offers it untried.
    """
    logs.configure("error")
    settings, say = settings_from(given), Say(quiet)
    path, line, text = _open_at(place)
    workspace = next((folder for folder in path.parents if any((folder / r).exists() for r in ROOTS)), None)
    subject = Place(text, path, workspace)
    running = _running(workspace or path.parent, run, forget, settings)
    try:
        offer = asyncio.run(_offer(subject, line, candidates, running, settings, say))
    except (ModelUnavailable, NoTests) as error:
        fail(str(error))
    for result in offer.failing:
        click.echo(f"{result.verdict.value}: {result.case.body}\n{_why(result.failure)}", err=True)
    click.echo(f"midfill: {offer.sentence}", err=True)
    added = offer.with_failing if failing else offer.insertions
    if not added:
        fail("there is nothing to add")
    text = applied(offer.before, added)
    if write:
        _write(Path(offer.path), offer.before, text)
    else:
        click.echo(text, nl=False)


def _write(target: Path, before: str, text: str) -> None:
    """`text` into `target`, unless that is not `before` any more."""
    try:
        if (text_on_disk(target) if target.exists() else "") != before:
            fail(f"{target} was changed meanwhile, so nothing is written")
        compile(text, target.name, "exec", dont_inherit=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        mark = codecs.BOM_UTF8 if target.exists() and _begins_with_mark(target) else b""
        target.write_bytes(mark + text.encode("utf-8"))
    except NoTests as error:
        fail(str(error))
    except (SyntaxError, ValueError):
        fail("the test file would not be Python any more, so nothing is written")
    except OSError as error:
        fail(f"cannot write {target}: {error.strerror or error}")
    click.echo(f"midfill: written to {target}", err=True)


async def _offer(
    place: Place, line: int, candidates: int, running: Running, settings: Settings, say: Say
) -> TestOffer:
    async with loaded(settings, say) as session:
        if candidates and not session.info.can_chat:
            raise NoTests(NO_CHAT)
        asker = asker_for(session.model, settings)

        async def ask(request: ChatRequest) -> str:
            try:
                return await asker(request.messages, request.max_new_tokens, request.temperature)
            except Refused as refused:
                raise NoTests(str(refused)) from refused

        return await write_tests(place, line, ask, running, say, candidates=candidates)


def _running(workspace: Path, run: bool | None, forget: bool, settings: Settings) -> Running:
    """The sandbox, where running is allowed and one can be had; else why not."""
    consents = Consents()
    try:
        if forget:
            consents.withdraw(workspace)
        elif run:
            consents.give(workspace)
    except OSError as error:
        fail(f"the answer cannot be kept: {error.strerror or error}")
    if run is False or forget or not consents.given(workspace):
        return Running(None, NO_CONSENT)
    try:
        return Running(open_sandbox(python_for(workspace, settings.test_python)))
    except SandboxRefused as refused:
        return Running(None, str(refused))


def _begins_with_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8


def _why(failure: str) -> str:
    return "\n".join(f"  {line[1:].strip()}" for line in failure.splitlines() if line.startswith("E "))


def _open_at(place: str) -> tuple[Path, int, str]:
    """The file, the line meant and the file's text; leaves with a sentence otherwise."""
    name, _, number = place.rpartition(":")  # from the right: Windows paths hold a colon of their own
    if not name or not number.isdecimal():
        fail(f"{place!r} is not FILE:LINE, such as src/app.py:12")
    path = Path(name).absolute()
    if path.suffix != ".py":
        fail("unit tests are written for Python files so far")
    try:
        return path, int(number), path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror or error}")
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8 text")
