"""Helix: which servers it starts by itself, and where its `languages.toml` is. Asks it; writes nothing.

A language's list of servers replaces Helix's own, so ours must name those too, and they change from version
to version: only the user's Helix knows them.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAMS = ("hx", "helix")
"""Some distributions call it `helix`."""
TIMEOUT_S = 20
LANGUAGES = (
    "bash", "c", "c-sharp", "clojure", "cmake", "cpp", "css", "dart", "dockerfile", "elixir", "erlang",
    "fsharp", "go", "haskell", "hcl", "html", "java", "javascript", "jsx", "julia", "kotlin", "lua", "make",
    "markdown", "ocaml", "perl", "php", "powershell", "protobuf", "python", "r", "ruby", "rust", "scala",
    "scss", "sql", "svelte", "swift", "toml", "tsx", "typescript", "vue", "xml", "yaml", "zig",
)  # fmt: skip
"""By Helix's names."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SERVER = re.compile(r"^  \S+ (?P<name>[^\s:]+): ")
_TITLE = "Configured language servers:"


class NoHelixError(Exception):
    """One sentence: Helix is not here, or does not answer."""


def find(named: str | None) -> str:
    """The path of Helix: `named`, or the first on PATH. Raises NoHelixError."""
    for name in (named,) if named else PROGRAMS:
        if found := shutil.which(name):
            return found
    raise NoHelixError(f"{named or 'hx'} is not on PATH; name it with --program")


def config_file() -> Path:
    """The user's `languages.toml`, there or not (Helix: `hx --health` shows it)."""
    if os.name == "nt":
        return Path(os.environ["APPDATA"]) / "helix" / "languages.toml"
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "helix" / "languages.toml"


def default_servers(program: str) -> dict[str, tuple[str, ...]]:
    """By language, what Helix starts by itself, without anybody's configuration. Languages that this
    Helix does not know are left out. Raises NoHelixError."""
    with tempfile.TemporaryDirectory() as empty:
        environment = os.environ | {"XDG_CONFIG_HOME": empty, "APPDATA": empty}
        found = {language: _servers(program, language, Path(empty), environment) for language in LANGUAGES}
    known = {language: servers for language, servers in found.items() if servers is not None}
    if not known:
        raise NoHelixError(f"{program} --health says nothing that is understood")
    return known


def _servers(
    program: str, language: str, folder: Path, environment: dict[str, str]
) -> tuple[str, ...] | None:
    command = [program, "--health", language]
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoHelixError(f"{program} does not answer: {error}") from error
    return servers_in(ended.stdout)


def servers_in(health: str) -> tuple[str, ...] | None:
    """The servers in what `hx --health LANGUAGE` prints; None: it does not know the language."""
    lines = _COLOUR.sub("", health).splitlines()
    titles = [at for at, line in enumerate(lines) if line.startswith(_TITLE)]
    if not titles:
        return None
    found = []
    for line in lines[titles[0] + 1 :]:
        matched = _SERVER.match(line)
        if matched is None:
            break
        found.append(matched["name"])
    return tuple(found)
