"""`midfill serve`: the language server on stdio or TCP."""

import sys

import click

from midfill.server import logs


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    short_help="Start the language server for an editor.",
)
@click.option("--stdio", is_flag=True, help="Talk over stdin and stdout (the default).")
@click.option("--tcp", metavar="HOST:PORT", help="Serve one client over TCP instead; port 0 takes any.")
@click.option(
    "--log-level",
    type=click.Choice(list(logs.LEVELS)),
    default="info",
    envvar="MIDFILL_LOG_LEVEL",
    help="What is logged to stderr until the editor's settings arrive.",
)
@click.pass_context
def serve(ctx: click.Context, stdio: bool, tcp: str | None, log_level: str) -> None:
    """Start the language server. Editors do this themselves; see editors/README.md for how.

    Unknown options are accepted: editors' clients append their own.
    """
    from midfill.server.serve import serve_stdio, serve_tcp

    logs.configure(log_level)
    if tcp is None:
        sys.exit(serve_stdio())
    host, _, port = tcp.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise click.BadParameter(f"{tcp!r} is not HOST:PORT", ctx, param_hint="--tcp")
    try:
        sys.exit(serve_tcp(host.strip("[]") or "127.0.0.1", int(port)))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {tcp}: {error}") from error
