"""`midfill doctor`: what is here, what the model runs on, and how fast one completion is."""

import asyncio
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
import psutil
from rich.console import Console
from rich.table import Table

from midfill.model import FinishReason
from midfill.model.errors import ModelError
from midfill.model.store.files import human_size
from midfill.model.store.fit import local_sizes, resident_bytes, this_machine, verdict
from midfill.model.store.local import cache_root
from midfill.model.store.store import Store
from midfill.server import logs
from midfill.server.cli import fail
from midfill.server.cli.once import ModelUnavailable, Once, Say, complete_once
from midfill.server.cli.options import model_options, settings_from
from midfill.server.model_host import how_it_completes
from midfill.server.text import new_snapshot

PACKAGES = ("midfill", "pygls", "lsprotocol", "torch", "transformers", "tokenizers", "safetensors")
SAMPLE = '''def mean(values):
    """Return the arithmetic mean of a list of numbers."""
    return '''
AFTER = "\n\n\nprint(mean([1, 2, 3]))\n"


@click.command(short_help="Check this machine and the model, and time one completion.")
@model_options
def doctor(**given: Any) -> None:
    """Print versions, device, memory and model, then time the same completion cold and warm.

    Leaves with 1 when the model cannot be loaded or fails; the last line then says why.
    """
    logs.configure("error")
    settings = settings_from(given)
    console = Console()
    console.print(_machine())
    if fits := _fits(settings.model):
        console.print(fits)
    snapshot = new_snapshot("untitled:doctor.py", 0, "python", SAMPLE + AFTER)
    try:
        runs = asyncio.run(complete_once(snapshot, len(SAMPLE), settings, Say(False), repeats=2))
    except ModelUnavailable as error:
        fail(str(error))
        return
    console.print(_model(runs))
    for once in runs:
        if once.answer.finish and once.answer.finish.reason is FinishReason.ERROR:
            fail(once.answer.reason)
    shown = runs[0].answer.suggestion
    console.print("asked   ", repr(SAMPLE.rsplit("\n", 1)[-1] + "…"))
    console.print("answered", repr(shown.text) if shown else f"nothing ({runs[0].answer.reason})")


def _machine() -> Table:
    table = Table(title="This machine", show_header=False)
    memory = psutil.virtual_memory()
    table.add_row("system", f"{platform.system()} {platform.release()} {platform.machine()}")
    table.add_row("python", f"{platform.python_version()} ({sys.executable})")
    table.add_row("cores", str(psutil.cpu_count(logical=True)))
    table.add_row("memory", f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} free")
    table.add_row("models in", str(cache_root()))
    for package in PACKAGES:
        table.add_row(package, _version(package))
    return table


def _fits(spec: str) -> str:
    """Whether the model that is about to be loaded fits, by its headers; empty when there is none."""
    try:
        model = Store().find(spec)
    except ModelError:
        return ""  # loading says what is wrong
    sizes, unpacked = local_sizes(model)
    says = verdict(sizes, this_machine(), unpacked)
    size = human_size(resident_bytes(sizes))
    return f"{model.name} fits here: {says} (the process: about {size} on a CPU, settings as they come)"


def _model(runs: list[Once]) -> Table:
    info = runs[0].info
    table = Table(title="The model", show_header=False)
    table.add_row("name", info.name)
    table.add_row("device, dtype", f"{info.device}, {info.dtype}")
    table.add_row("infilling", info.dialect or f"no: {how_it_completes(info)}")
    table.add_row("context", f"{info.context_tokens} tokens" + (f" ({info.note})" if info.note else ""))
    table.add_row("weights", f"{info.memory_bytes / 2**20:.0f} MiB, {info.parameters / 1e6:.0f} M")
    table.add_row("loaded in", f"{runs[0].load_ms / 1000:.1f} s")
    for name, once in zip(("first answer", "again"), runs, strict=True):
        table.add_row(name, _timing(once))
    return table


def _timing(once: Once) -> str:
    usage = once.answer.finish.usage if once.answer.finish else None
    if usage is None:
        return f"none ({once.answer.reason})"
    per_token = usage.decode_ms / max(1, usage.generated_tokens)
    return (
        f"{once.total_ms:.0f} ms: prefill {usage.prefill_ms:.0f} ms for "
        f"{usage.prompt_tokens - usage.reused_tokens} tokens ({usage.reused_tokens} reused), "
        f"{usage.generated_tokens} tokens at {per_token:.0f} ms"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
