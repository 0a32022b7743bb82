"""The `midfill` command. Each subcommand's module is imported only when it runs."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

import click

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("midfill.server.cli.serve:serve", "Start the language server for an editor."),
    "complete": (
        "midfill.server.cli.complete:complete",
        "Print one completion for a place in a file.",
    ),
    "tests": ("midfill.server.cli.tests:tests", "Write unit tests for the function at a line."),
    "docstring": (
        "midfill.server.cli.docstring:docstring",
        "Document the function or class at a line.",
    ),
    "stats": ("midfill.server.cli.stats:stats", "What was suggested here, and what became of it."),
    "editor": ("midfill.server.cli.editor:editor", "Configure an editor, or show how."),
    "model": ("midfill.server.cli.models:models", "Get, choose and move models."),
    "doctor": (
        "midfill.server.cli.doctor:doctor",
        "Check this machine and the model, and time one completion.",
    ),
}


class LazyGroup(click.Group):
    """Subcommands by name; `--help` needs none of them, `serve` starts without the others' imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("midfill"), prog_name="midfill")
def main() -> None:
    """Code completion from a model on your own machine.

    \b
    First steps:
      midfill model pull        get the default model (491 MB, once)
      midfill doctor            see that it works here, and how fast
      midfill complete f.py:3:9 print what would be suggested there

    Editors start `midfill serve --stdio` themselves.
    """


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say what went wrong in one sentence on stderr, and leave."""
    click.echo(f"midfill: {sentence}", err=True)
    sys.exit(code)
