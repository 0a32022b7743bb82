"""`midfill model …`: what is installed, and what comes and goes. Knows nothing of LSP or tensors.

Every ModelError of a command ends here as one sentence on stderr and exit code 1.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.errors import ModelError
from midfill.model.store.catalogue import CATALOGUE, DEFAULT_MODEL, CatalogueEntry, by_name
from midfill.model.store.estimate import Sizes
from midfill.model.store.files import human_size
from midfill.model.store.fit import Machine, local_sizes, this_machine, verdict
from midfill.model.store.shapes import sizes_of
from midfill.model.store.store import Store
from midfill.model.store.transfer import export_model, import_model
from midfill.server.cli import fail

PLAIN_EVERY_S = 5.0
"""Between two lines of progress where there is no terminal, a log file say."""
PIPE_WIDTH = 200
"""Columns of a table that no terminal shows: wide enough that no cell wraps."""


class _ModelGroup(click.Group):
    """A group whose commands may raise ModelError."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModelError as error:
            fail(str(error))
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


@click.group(name="model", cls=_ModelGroup)
def models() -> None:
    """See, get and choose the models that write your completions.

    \b
    To start, get the default model (491 MB, Apache-2.0):
        midfill model pull
    See what else there is, and whether your machine can run it:
        midfill model list
    """


@models.command(name="list", short_help="Show the models and which is in use.")
def list_models() -> None:
    """Show the models: size, licence, whether this machine can run them, which is in use."""
    store = Store()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "size", "licence", "commercial use", "fits here", "state"):
        table.add_column(heading, justify="right" if heading == "size" else "left", overflow="fold")
    machine = this_machine()
    installed = store.names()
    in_use = _in_use(store)
    for entry in CATALOGUE:
        table.add_row(*_catalogue_row(entry, machine, _state(store, entry.name, in_use)))
    for name in installed:
        if by_name(name) is None:
            table.add_row(*_own_row(store, name, machine, _state(store, name, in_use)))
    _console().print(table)
    click.echo(f"\nGet one with `midfill model pull NAME` (without a name: {DEFAULT_MODEL}).")


@models.command()
@click.argument("name", default="")
@click.option("--yes", is_flag=True, help="Accept the model's licence without being asked.")
def pull(name: str, yes: bool) -> None:
    """Download a model and check it. Without NAME: the default model.

    NAME is a name from `midfill model list`, a Hugging Face id (owner/name, or owner/name/file.gguf), the
    URL of a .gguf file, or a file on this machine. A download that was broken off goes on from where it
    stopped.

    \b
    HF_ENDPOINT=URL     use a mirror of the hub
    HF_TOKEN=TOKEN      for models that ask you to sign in
    """
    from midfill.model.store.plan import describe
    from midfill.model.store.pull import pull as pull_model

    def accept(entry: CatalogueEntry) -> bool:
        click.echo(describe(entry), err=True)
        if yes:
            return True
        if not sys.stdin.isatty():
            click.echo("Run it again with --yes to accept this licence.", err=True)
            return False
        return click.confirm("Do you accept this licence?", err=True)

    store = Store()
    with _progress() as report:
        model = pull_model(store, name, report=report, accept_licence=accept)
    click.echo(f"{model.name} is installed in {model.path}.")
    if _in_use(store) != model.name:
        click.echo(f"To use it: midfill model use {model.name}")


@models.command(short_help="Choose the model that completes.")
@click.argument("name")
def use(name: str) -> None:
    """Make NAME (or a path to a model) the one that completes, until told otherwise.

    Editors take it up when their server starts again. The setting `midfill.model` goes before it.
    """
    model = Store().use(name)
    click.echo(f"{model.name} is in use now.")


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete NAME and everything that was made from it."""
    Store().remove(name)
    click.echo(f"{name} is removed.")


@models.command(name="import", short_help="Take in a model from this machine.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default=None, help="What to call it; else its own name.")
def import_(file: Path, name: str | None) -> None:
    """Take in a model from this machine: a .gguf file, a safetensors folder, or an export.

    FILE stays where it is. Nothing is fetched: this is the way for machines without a network.
    """
    store = Store()
    with _progress() as report:
        model = import_model(store, file, name, report)
    click.echo(f"{model.name} is installed in {model.path}.")
    if _in_use(store) != model.name:
        click.echo(f"To use it: midfill model use {model.name}")


@models.command()
@click.argument("name")
@click.argument("target", type=click.Path(path_type=Path))
def export(name: str, target: Path) -> None:
    """Write NAME to TARGET, for a machine without a network.

    TARGET is a folder, or one file when it ends in .tar. There, `midfill model import TARGET` takes it in
    and checks that every byte arrived.
    """
    store = Store()
    with _progress() as report:
        written = export_model(store, name, target, report)
    click.echo(
        f"{name} is written to {written}: import it there with `midfill model import {written.name}`."
    )


def _catalogue_row(entry: CatalogueEntry, machine: Machine, state: str) -> tuple[str, ...]:
    conditions = "yes" if entry.open_source else "with conditions"
    size = human_size(entry.size_bytes)
    return (
        entry.name,
        size if entry.sha256 else f"about {size}",
        entry.licence,
        conditions if entry.commercial_use else "no",
        verdict(sizes_of(entry), machine, unpacked=bool(entry.file)),
        state,
    )


def _own_row(store: Store, name: str, machine: Machine, state: str) -> tuple[str, ...]:
    try:
        found, model = store.manifest(name), store.installed(name)
    except ModelError:
        return (name, "", "", "", "", state)
    sizes, unpacked = local_sizes(model) if model else (Sizes(0), False)
    fits = verdict(sizes, machine, unpacked)
    return (name, human_size(found.size_bytes), found.licence, "", fits, state)


def _state(store: Store, name: str, in_use: str) -> str:
    try:
        if store.installed(name) is None:
            return ""
    except ModelError:
        return "damaged"
    return "in use" if name == in_use else "installed"


def _in_use(store: Store) -> str:
    """The name of the model that an editor would get now; empty for none."""
    try:
        return store.find("").name
    except ModelError:
        return ""


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)


@contextmanager
def _progress() -> Iterator[Report]:
    """A Report that draws a bar on a terminal's stderr, and writes a line now and then elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bars: dict[str, Any] = {}

        def draw(now: LoadProgress) -> None:
            if now.stage not in bars:
                bars[now.stage] = progress.add_task(now.message, total=None)
            total = None if now.fraction is None else 1.0
            progress.update(
                bars[now.stage], description=now.message, completed=now.fraction or 0, total=total
            )

        yield draw


def _plain_lines() -> Report:
    last_stage, last_s = "", 0.0

    def write(now: LoadProgress) -> None:
        nonlocal last_stage, last_s
        if now.stage != last_stage or time.monotonic() - last_s >= PLAIN_EVERY_S:
            last_stage, last_s = now.stage, time.monotonic()
            click.echo(now.message, err=True)

    return write
