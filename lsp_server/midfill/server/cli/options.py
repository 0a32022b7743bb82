"""Command-line options that stand for settings, shared by `complete` and `doctor`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from midfill.server.cli import fail
from midfill.server.client_settings import parse
from midfill.server.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def model_options(command: Command) -> Command:
    """Add options for the settings that choose a model; take them with `settings_from`."""
    for decorate in (
        click.option("--threads", type=int, help="CPU threads (default: one less than cores)."),
        click.option("--context-tokens", "contextTokens", type=int, help="Of prompt and answer together."),
        click.option("--fim-dialect", "fimDialect", help="auto, none, or a dialect's name."),
        click.option("--quantization", help="auto, none, int8 or int4."),
        click.option("--dtype", help="auto, float32, bfloat16 or float16."),
        click.option("--device", help="auto, cpu, cuda, cuda:1 or mps."),
        click.option("--model", help="A name from `midfill model list`, or a path."),
        click.option("--backend", help="transformers or scripted."),
    ):
        command = decorate(command)
    return command


def settings_from(given: dict[str, Any]) -> Settings:
    """Settings with what was given on the command line; leaves with a sentence if a value is bad."""
    parsed = parse({name: value for name, value in given.items() if value is not None})
    if parsed.problems:
        fail("; ".join(problem.rpartition("; using ")[0] for problem in parsed.problems))
    return parsed.settings
