"""`midfill docstring FILE:LINE`: what the code action would write, as a diff or into the file."""

import asyncio
import difflib
import os
from pathlib import Path
from typing import Any

import click

from midfill.server import logs
from midfill.server.actions.action import Refused
from midfill.server.actions.docstrings import Trials, WriteDocstring
from midfill.server.actions.unit_tests import Permission
from midfill.server.cli import fail
from midfill.server.cli.acting import Captured, act_once
from midfill.server.cli.once import ModelUnavailable, Say
from midfill.server.cli.options import model_options, settings_from
from midfill.server.languages import language_of
from midfill.server.text import DocumentSnapshot, line_end, new_snapshot
from midfill.server.uris import to_uri


@click.command(short_help="Document the function or class at a line.")
@click.argument("place", metavar="FILE:LINE")
@click.option("--write", is_flag=True, help="Change the file instead of printing the difference.")
@click.option("--style", "docstringStyle", help="auto, google, numpy or rest (Python).")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@model_options
def docstring(place: str, write: bool, quiet: bool, **given: Any) -> None:
    """Write a docstring for what is at LINE in FILE, and print it as a unified diff.

    The code itself is never altered: an edit that would change more than comments is refused.
    """
    logs.configure("error")
    settings = settings_from(given)
    path, snapshot, offset = _open_at(place)
    if write and not os.access(path, os.W_OK):
        fail(f"{path} cannot be written to")
    say = Say(quiet)
    action = WriteDocstring(Trials(Permission(Captured()), list))
    try:
        after, remark = asyncio.run(act_once(action, snapshot, (offset, offset), settings, say))
    except (ModelUnavailable, Refused) as error:
        fail(str(error))
        return
    if remark:
        click.echo(f"midfill: {remark}", err=True)
    if not write:
        click.echo(_difference(path, snapshot.text, after), nl=False)
        return
    try:
        path.write_bytes(after.encode("utf-8"))
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}")


def _difference(path: Path, before: str, after: str) -> str:
    lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found = difflib.unified_diff(*lines, f"a/{path.name}", f"b/{path.name}")
    return "".join(line if line.endswith("\n") else line + "\n" for line in found)


def _open_at(place: str) -> tuple[Path, DocumentSnapshot, int]:
    """The file, its snapshot and the offset of the line's first word; leaves with a sentence otherwise."""
    name, _, number = place.rpartition(":")  # from the right: Windows paths hold a colon of their own
    if not name or not number.isdecimal():
        fail(f"{place!r} is not FILE:LINE, such as src/app.py:12")
    path = Path(name)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror or error}")
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8 text")
    snapshot = new_snapshot(to_uri(str(path.absolute())), 0, language_of(str(path)), text)
    lines, line = len(snapshot.line_starts), int(number)
    if not 1 <= line <= lines:
        fail(f"{path} has {lines} lines; there is no line {line}")
    start, end = snapshot.line_starts[line - 1], line_end(snapshot, line - 1)
    while start < end and text[start] in " \t":
        start += 1
    return path, snapshot, start
