"""`midfill stats`: what was shown on this machine, and what became of it."""

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from midfill.server.statistics.days import Days, default_folder
from midfill.server.statistics.figures import figures
from midfill.server.statistics.observer import BUCKETS_MS

BAR_CHARS = 40
EIGHTHS = " ▏▎▍▌▋▊▉"
OUTCOMES = ("accepted", "partly_accepted", "typed_through", "contradicted", "replaced", "left")


@click.command(short_help="What was suggested here, and what became of it.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="The last so many.")
@click.option("--json", "as_json", is_flag=True, help="The same numbers as JSON.")
def stats(days: int, as_json: bool) -> None:
    """Show counts of the suggestions on this machine. They hold no code and go nowhere.

    Switch them off with the setting `midfill.statistics`.
    """
    folder = default_folder()
    found = figures(Days(folder).read(days) if folder else {})
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif not found["requests"]:
        click.echo("midfill: nothing was counted here yet", err=True)
    else:
        show(found, Console())
        click.echo(f"\ncounted in {folder}")


def show(found: dict[str, Any], console: Console) -> None:
    """Tables and bars for `found`, as `figures` makes it."""
    console.print(_totals(found))
    console.print(_bars("by day: █ accepted, ░ shown", {day.pop("day"): day for day in _copies(found)}))
    console.print(_bars("by language: █ accepted, ░ shown", found["by_language"]))
    console.print(_sources(found))
    if found["silences"]:
        table = Table("silent, because", "times", title="nothing shown", title_justify="left")
        for reason, count in found["silences"].items():
            table.add_row(reason, str(count))
        console.print(table)
    for warning in found["warnings"]:
        console.print(f"[yellow]![/yellow] {warning}")


def bar(part: float, whole: float, most: float, width: int = BAR_CHARS) -> str:
    """`part` of `whole` filled, the rest shaded, `most` being `width` characters."""
    if most <= 0:
        return ""
    eighths = round(part / most * width * 8)
    full = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    return full + "░" * (round(whole / most * width) - len(full))


def _totals(found: dict[str, Any]) -> Table:
    total = found["total"]
    table = Table("suggestions", "", "of those shown", title="shown on this machine", title_justify="left")
    for name in ("shown", "seen", *OUTCOMES):
        share = total[name] / total["shown"] if total["shown"] else None
        table.add_row(name.replace("_", " "), str(total[name]), _percent(share))
    for after, share in found["still_there"].items():
        table.add_row(f"accepted, still there after {after}", "", _percent(share))
    table.add_row("requests", str(found["requests"]), "")
    table.add_row("prompt tokens reused", "", _percent(found["prompt_reused"]))
    return table


def _bars(title: str, groups: dict[str, dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    most = max((group["shown"] for group in groups.values()), default=0)
    for name, group in groups.items():
        drawn = bar(group["accepted"], group["shown"], most)
        counts = f"{group['accepted']} of {group['shown']}"
        table.add_row(name, drawn, counts, _percent(group["acceptance"]))
    return table


def _sources(found: dict[str, Any]) -> Table:
    table = Table(title="by source", title_justify="left")
    for column in ("from", "shown", "accepted", "", "answers", "p50 ms", "p95 ms"):
        table.add_column(column, justify="left" if column in ("from", "") else "right")
    for source in dict.fromkeys((*found["by_source"], *found["latency_ms"])):
        group = found["by_source"].get(source, {"shown": 0, "accepted": 0, "acceptance": None})
        times = found["latency_ms"].get(source, {"count": 0, "p50": 0, "p95": 0})
        name = "(nothing shown)" if source == "none" else source
        drawn = bar(group["acceptance"] or 0, 0, 1, 10)
        row = (group["shown"], _percent(group["acceptance"]), drawn, times["count"])
        table.add_row(name, *map(str, row), _upper(times["p50"]), _upper(times["p95"]))
    return table


def _copies(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(day) for day in found["days"]]


def _upper(ms: float | None) -> str:
    return f"> {BUCKETS_MS[-1]}" if ms is None else f"≤ {ms:g}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
