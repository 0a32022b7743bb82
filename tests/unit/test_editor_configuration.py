"""`midfill editor`: what it writes into other people's files; removing leaves them as they were."""

import shutil
import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from midfill.server.cli.editor import editor
from midfill.server.editors import helix
from midfill.server.editors.languages_toml import RefusedError, merge, remove

SERVERS = {"python": ("ruff", "pylsp"), "rust": ("rust-analyzer",), "make": ()}
COMMAND = ("midfill", "serve", "--stdio")

FILES = {
    "nothing": "",
    "a comment": "# mine\n",
    "no last line end": 'x = "y"',
    "a language with servers": '[[language]]\nname = "python"\nlanguage-servers = ["pylsp"] # mine\n',
    "one without": '[[language]]\nname = "python"\nauto-format = true\n',
    "servers with features": (
        '[[language]]\nname = "python"\n'
        'language-servers = [ "pylsp", { name = "ruff", only-features = ["format"] } ]\n'
    ),
    "a long list": (
        '[[language]]\nname = "rust"\nlanguage-servers = [\n  "rust-analyzer", # the best\n]\n'
        '[language.formatter]\ncommand = "rustfmt"\n'
    ),
    "other languages": '[[language]]\nname = "nix"\nlanguage-servers = ["nil"]\n',
    "out of order": (
        '[[language]]\nname = "python"\n\n[language-server.pylsp]\ncommand = "pylsp"\n\n'
        '[[language]]\nname = "rust"\nauto-format = false\n\n[[grammar]]\nname = "rust"\n'
    ),
    "a server of that name": '[language-server.midfill]\ncommand = "/opt/midfill"\nargs = ["serve"]\n',
    "Midfill by hand": '[[language]]\nname = "python"\nlanguage-servers = ["pylsp", "midfill"]\n',
    "Windows": '# mine\r\n[[language]]\r\nname = "rust"\r\nauto-format = true\r\n',
    "not ASCII": '# für mich 🙂\n[[language]]\nname = "é"\nscope = "漢"\n',
}
BROKEN = {
    "no TOML": "[[language]\nname = 1\n",
    "a table": '[language]\nname = "python"\n',
    "a name that is none": "[[language]]\nname = 3\n",
    "no list": '[[language]]\nname = "python"\nlanguage-servers = "pylsp"\n',
    "an inline list": 'language = [{ name = "nix" }]\n',
    "half a block": "# midfill: begin (`midfill editor helix --remove` takes this out)\n",
}


def servers_of(text: str) -> dict[str, list[object]]:
    return {one["name"]: one.get("language-servers", []) for one in tomllib.loads(text).get("language", [])}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_every_language_has_helixs_own_servers_and_then_midfill(text):
    merged = merge(text, SERVERS, COMMAND)
    before, after = servers_of(text), servers_of(merged)
    for language, defaults in SERVERS.items():
        own = [one for one in before.get(language, []) if one != "midfill"] or list(defaults)
        assert after[language] == [*own, "midfill"]
    assert "midfill" in tomllib.loads(merged)["language-server"]
    untouched = {name: found for name, found in before.items() if name not in SERVERS}
    assert {name: after[name] for name in untouched} == untouched


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_merging_again_changes_nothing(text):
    merged = merge(text, SERVERS, COMMAND)
    assert merge(merged, SERVERS, COMMAND) == merged


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_every_line_that_was_there_is_still_there(text):
    merged = merge(text, SERVERS, COMMAND)
    lost = [line for line in text.splitlines() if line not in merged.splitlines()]
    assert all("language-servers" in line for line in lost)
    assert ("\r\n" in text) == ("\r\n" in merged)
    assert not merged.replace("\r\n", "").count("\r")


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_removing_leaves_no_midfill_and_all_else(text):
    left = remove(merge(text, SERVERS, COMMAND))
    assert not any("midfill" in map(str, listed) for listed in servers_of(left).values())
    for language, listed in servers_of(text).items():
        own = [one for one in listed if one != "midfill"]
        assert servers_of(left)[language] == (own or list(SERVERS.get(language, ())))


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_understood_is_refused(text):
    with pytest.raises(RefusedError):
        merge(text, SERVERS, COMMAND)


def test_what_helix_says_of_its_servers_is_read_with_and_without_colour():
    said = (
        "Configured language servers:\n  \x1b[0;32m✓\x1b[m ty: /usr/bin/ty\n"
        "  \x1b[0;31m✘\x1b[m jedi: \x1b[0;31m'jedi-language-server' not found in $PATH\x1b[m\n"
        "Configured debug adapter:\x1b[0;33m None\x1b[m\n"
    )
    assert helix.servers_in(said) == ("ty", "jedi")
    assert helix.servers_in("Configured language servers: None\nConfigured debug adapter: None\n") == ()
    assert helix.servers_in("Language 'nonsense' not found\n") is None


@pytest.fixture
def hx(tmp_path: Path) -> str:
    """A Helix that knows two languages, and reads no configuration of the user's."""
    program = tmp_path / "hx"
    program.write_text(
        "#!/bin/sh\n"
        '[ -e "$XDG_CONFIG_HOME/helix" ] && exit 1\n'
        'case "$2" in python) echo "Configured language servers:"; echo "  ✓ ruff: /usr/bin/ruff";;\n'
        ' rust) echo "Configured language servers: None";;\n'
        " *) echo \"Language '$2' not found\";; esac\n"
    )
    program.chmod(0o755)
    return str(program)


def run(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(editor, arguments)
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def test_written_twice_and_removed_the_file_is_what_it_was_to_the_byte(hx, tmp_path, monkeypatch):
    home = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    file = home / "helix" / "languages.toml"
    file.parent.mkdir(parents=True)
    before = FILES["servers with features"].encode()
    file.write_bytes(before)
    file.chmod(0o600)

    assert run("helix", "--write", "--program", hx)[0] == 0

    written = file.read_bytes()
    assert servers_of(written.decode())["rust"] == ["midfill"]
    assert Path(f"{file}.before-midfill").read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "is there already" in run("helix", "--write", "--program", hx)[1]
    assert file.read_bytes() == written
    assert Path(f"{file}.before-midfill").read_bytes() == before

    assert run("helix", "--remove", "--program", hx)[0] == 0

    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["languages.toml"]


def test_what_was_changed_by_hand_since_survives_removing(hx, tmp_path):
    file = tmp_path / "languages.toml"
    file.write_text(FILES["a comment"])
    run("helix", "--write", "--program", hx, "--file", str(file))
    file.write_text(file.read_text() + '\n[[language]]\nname = "nix"\n')
    run("helix", "--remove", "--program", hx, "--file", str(file))
    assert tomllib.loads(file.read_text()) == {"language": [{"name": "nix"}]}
    assert "# mine" in file.read_text()


def test_where_there_was_no_file_there_is_none_again(hx, tmp_path):
    file = tmp_path / "new" / "languages.toml"
    run("helix", "--write", "--program", hx, "--file", str(file))
    assert "midfill" in file.read_text()
    run("helix", "--remove", "--program", hx, "--file", str(file))
    assert list(file.parent.iterdir()) == []


def test_behind_a_link_the_file_is_written_and_the_link_stays(hx, tmp_path):
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    link = tmp_path / "languages.toml"
    link.symlink_to(real)
    run("helix", "--write", "--program", hx, "--file", str(link))
    assert link.is_symlink()
    assert "midfill" in real.read_text()


@pytest.mark.parametrize("content", [FILES["a comment"].encode("utf-16"), b"[[language]\n"])
def test_a_broken_file_is_left_as_it_is_and_said_so(hx, tmp_path, content):
    file = tmp_path / "languages.toml"
    file.write_bytes(content)
    code, said = run("helix", "--write", "--program", hx, "--file", str(file))
    assert code == 1
    assert "is left as it is" in said
    assert file.read_bytes() == content
    assert not Path(f"{file}.before-midfill").exists()


def test_without_helix_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    file = tmp_path / "languages.toml"
    code, said = run("helix", "--write", "--file", str(file))
    assert (code, "hx is not on PATH" in said, file.exists()) == (1, True, False)


def test_neovims_file_is_ours_alone(tmp_path):
    file = tmp_path / "plugin" / "midfill.lua"
    assert run("neovim", "--write", "--file", str(file))[0] == 0
    assert "require('midfill').setup({" in file.read_text()
    assert run("neovim", "--remove", "--file", str(file))[0] == 0
    assert not file.exists()
    file.write_text("-- somebody's\n")
    for action in ("--write", "--remove"):
        code, said = run("neovim", action, "--file", str(file))
        assert (code, "did not write it" in said, file.read_text()) == (1, True, "-- somebody's\n")


@pytest.mark.parametrize("name", ["vscode", "emacs"])
def test_editors_that_are_only_printed_say_so(name):
    code, said = run(name)
    assert (code, "midfill" in said) == (0, True)
    assert run(name, "--write")[0] == 1


@pytest.mark.skipif(shutil.which("hx") is None, reason="no Helix on PATH (.ci/get-editors gets one)")
def test_a_real_helix_tells_its_servers():
    found = helix.default_servers(helix.find(None))
    assert found["rust"] == ("rust-analyzer",)
    assert len(found) > 35
