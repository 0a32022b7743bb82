"""`midfill editor`: configuration for an editor: printed, written into its files, taken out again."""

import os
import shutil
import sys
from pathlib import Path

import click

from midfill.server.cli import fail
from midfill.server.editors import files, helix, languages_toml, plugin_file, snippets

EDITORS = ("vscode", "neovim", "helix", "emacs")
WRITTEN = ("neovim", "helix")
PLUGINS = (Path(__file__).parents[1] / "editors" / "nvim", Path(__file__).parents[4] / "editors" / "nvim")
"""The Neovim plugin: in the wheel; in a checkout."""


@click.command(short_help="Configure an editor, or show how.")
@click.argument("editor", type=click.Choice(EDITORS))
@click.option("--write", "action", flag_value="write", help="Put it into the editor's own files.")
@click.option("--remove", "action", flag_value="remove", help="Take it out again.")
@click.option("--program", metavar="PATH", help="Helix, where it is not on PATH.")
@click.option("--file", "target", type=click.Path(path_type=Path), help="Another file than the editor's.")
def editor(editor: str, action: str | None, program: str | None, target: Path | None) -> None:
    """Print what EDITOR needs to start Midfill; with --write put it there, with --remove take it out.

    Writing again changes nothing. What was in a file before stays beside it, under the same name with
    `.before-midfill`. Files that cannot be read are left alone, and so is one of Midfill's own that you
    changed.
    """
    if action and editor not in WRITTEN:
        fail(f"--{action} is for {' and '.join(WRITTEN)}: this prints what to do for {editor}")
    if editor not in WRITTEN:
        _print(editor)
        return
    file = target or (helix.config_file() if editor == "helix" else _neovim_file())
    try:
        if editor == "helix":
            _helix(action, program, file)
        else:
            _neovim(action, file)
    except (languages_toml.RefusedError, UnicodeDecodeError) as error:
        fail(f"{file} is left as it is: {error}")
    except (helix.NoHelixError, OSError) as error:
        fail(str(error))


def _command() -> list[str]:
    """How an editor starts this Midfill: by its name where that finds it, whatever shell it comes from."""
    beside = Path(sys.executable).with_name("midfill.exe" if os.name == "nt" else "midfill")
    on_path = shutil.which("midfill")
    activated = sys.prefix != sys.base_prefix  # a virtual environment is on PATH in some shells alone
    if not beside.exists() or (not activated and on_path and Path(on_path).resolve() == beside.resolve()):
        program = "midfill"
    else:
        program = str(beside)
    return [program, "serve", "--stdio"]


def _print(editor: str) -> None:
    command = _command()
    program = shutil.which(command[0]) or command[0]
    click.echo(snippets.vscode(program) if editor == "vscode" else snippets.emacs(command), nl=False)


def _helix(action: str | None, program: str | None, target: Path) -> None:
    before = files.read(target)
    if action == "remove":
        _remove_helix(program, target, before)
        return
    servers = helix.default_servers(helix.find(program))
    if action is None:
        click.echo(languages_toml.merge("", servers, _command()), nl=False)
        return
    after = languages_toml.merge(before, servers, _command())
    if after == before:
        click.echo(f"{target}: Midfill is there already")
        return
    files.write(target, after, keep=not languages_toml.has_block(before))
    click.echo(f"{target}: Midfill is there, beside Helix's own servers, for {len(servers)} languages")


def _remove_helix(program: str | None, target: Path, before: str) -> None:
    after = languages_toml.remove(before)
    if after == before:
        click.echo(f"{target}: Midfill is not there")
        return
    backup = files.backup_of(target)
    if backup.exists() and languages_toml.remove(former := files.read(backup)) == former:
        # Nothing was changed by hand since: what comes out is what was there, to the byte.
        try:
            servers = helix.default_servers(helix.find(program))
            after = former if languages_toml.merge(former, servers, _command()) == before else after
        except helix.NoHelixError:
            pass  # then without the check, by taking out
    if after:
        files.write(target, after, keep=False)
    else:
        target.resolve().unlink()
    kept = ""
    if backup.exists():
        if backup.read_bytes() == after.encode():
            backup.unlink()
        else:
            kept = f"; what was there before it is in {backup}"
    click.echo(f"{target}: Midfill is gone{kept}")


def _neovim_file() -> Path:
    """In a folder that Neovim reads at start, a file that is ours alone."""
    if os.name == "nt":
        home = os.environ.get("XDG_CONFIG_HOME") or os.environ["LOCALAPPDATA"]
    else:
        home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "nvim" / "plugin" / "midfill.lua"


def _neovim(action: str | None, target: Path) -> None:
    plugin = next((folder for folder in PLUGINS if (folder / "lua").is_dir()), None)
    if plugin is None:
        fail("the Neovim plugin is not in this installation")
    lua = snippets.neovim(plugin.resolve(), _command())
    if action is None:
        click.echo(lua, nl=False)
        return
    before = files.read(target)
    if before and not plugin_file.is_ours(before):
        fail(f"{target} is left as it is: Midfill did not write it")
    changed = bool(before) and not plugin_file.is_as_written(before, lua)
    if action == "remove":
        kept = f"; what you had changed in it is in {files.keep_copy(target)}" if changed else ""
        target.unlink(missing_ok=True)
        click.echo(f"{target}: Midfill is gone{kept}")
    elif changed:
        click.echo(
            f"{target} is left as you changed it. For a new one: `midfill editor neovim --remove`, which "
            f"keeps a copy, then --write again"
        )
    else:
        files.write(target, plugin_file.marked(lua), keep=False)
        click.echo(f"{target}: Midfill is there")
