"""`midfill complete FILE:LINE:COL`: one completion on stdout."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from midfill.model import FinishReason
from midfill.server import logs
from midfill.server.cli import fail
from midfill.server.cli.once import ModelUnavailable, Once, Say, complete_once
from midfill.server.cli.options import model_options, settings_from
from midfill.server.completion.cursor import Trigger
from midfill.server.completion.explain import as_fields as explained
from midfill.server.languages import language_of
from midfill.server.model_host import how_it_completes
from midfill.server.text import DocumentSnapshot, Encoding, line_text, new_snapshot, position_at
from midfill.server.uris import to_uri


@click.command(short_help="Print one completion for a place in a file.")
@click.argument("place", metavar="FILE:LINE:COL")
@click.option("--json", "as_json", is_flag=True, help="Print text, range, timings and tokens as JSON.")
@click.option("--explain", is_flag=True, help="Say on stderr what was done, stage by stage, and why.")
@click.option("--automatic", is_flag=True, help="Ask as typing does: with silences, waits and doubts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@model_options
def complete(place: str, as_json: bool, explain: bool, automatic: bool, quiet: bool, **given: Any) -> None:
    """Print what would be suggested in FILE at LINE and COL.

    Both count from 1, columns in characters; COL is where the cursor stands, so 1 is before the first
    character and one more than the line's length is behind the last.
    """
    logs.configure("error")
    settings = settings_from(given)
    snapshot, offset = _open_at(place)
    say = Say(quiet)
    trigger = Trigger.AUTOMATIC if automatic else Trigger.INVOKED
    try:
        (once,) = asyncio.run(complete_once(snapshot, offset, settings, say, trigger=trigger))
    except ModelUnavailable as error:
        fail(str(error))
        return
    if left_to_right := how_it_completes(once.info):
        say(f"{once.info.name} {left_to_right}")
    if once.info.note:
        say(once.info.note)
    if explain and not as_json:
        for line in once.lines:
            time = "" if line.ms is None else f"{line.ms:.1f} ms"
            click.echo(f"{line.stage:<11}{time:>11}  {line.said}", err=True)
    if once.answer.finish and once.answer.finish.reason is FinishReason.ERROR:
        fail(once.answer.reason)
    if as_json:
        fields = as_fields(snapshot, offset, once)
        if explain:
            fields["explain"] = [explained(line) for line in once.lines]
        click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
    elif once.answer.suggestion is not None:
        click.echo(once.answer.suggestion.text)
    else:
        click.echo(f"midfill: nothing to suggest here ({once.answer.reason})", err=True)


def as_fields(snapshot: DocumentSnapshot, offset: int, once: Once) -> dict[str, Any]:
    """The JSON of the contract (DESIGN §2): positions 1-based, in code points."""
    suggestion, finish = once.answer.suggestion, once.answer.finish
    usage = finish.usage if finish else None
    start = suggestion.offset if suggestion else offset
    end = start + (suggestion.replace if suggestion else 0)
    return {
        "text": suggestion.text if suggestion else "",
        "range": {"start": _place(snapshot, start), "end": _place(snapshot, end)},
        "finish_reason": finish.reason.value if finish else once.answer.reason,
        "timings_ms": {
            "load": round(once.load_ms, 1),
            "prefill": round(usage.prefill_ms, 1) if usage else 0.0,
            "decode": round(usage.decode_ms, 1) if usage else 0.0,
            "total": round(once.total_ms, 1),
        },
        "tokens": {
            "prompt": usage.prompt_tokens if usage else 0,
            "reused": usage.reused_tokens if usage else 0,
            "generated": usage.generated_tokens if usage else 0,
            "drafted": usage.drafted_tokens if usage else 0,
            "accepted": usage.accepted_tokens if usage else 0,
        },
    }


def _place(snapshot: DocumentSnapshot, offset: int) -> dict[str, int]:
    line, column = position_at(snapshot, offset, Encoding.UTF_32)
    return {"line": line + 1, "column": column + 1}


def _open_at(place: str) -> tuple[DocumentSnapshot, int]:
    """The file's snapshot and the offset meant, or a sentence about what is wrong with `place`."""
    path, line, column = _split_place(place)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror or error}")
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8 text")
    snapshot = new_snapshot(to_uri(str(path.absolute())), 0, language_of(str(path)), text)
    lines = len(snapshot.line_starts)
    if not 1 <= line <= lines:
        fail(f"{path} has {lines} lines; there is no line {line}")
    length = len(line_text(snapshot, line - 1))
    if not 1 <= column <= length + 1:
        fail(f"line {line} of {path} has {length} characters; there is no column {column}")
    return snapshot, snapshot.line_starts[line - 1] + column - 1


def _split_place(place: str) -> tuple[Path, int, int]:
    parts = place.rsplit(":", 2)  # from the right: Windows paths hold a colon of their own
    if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        fail(f"{place!r} is not FILE:LINE:COL, such as src/app.py:12:5")
    return Path(parts[0]), int(parts[1]), int(parts[2])
