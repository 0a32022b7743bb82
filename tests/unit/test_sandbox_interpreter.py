"""What of an interpreter is shown inside: the layouts that Pythons come in, and what a workspace that wants
more than that may write into its `.venv`."""

from pathlib import Path

import pytest

from midfill.server.sandbox import Job, Sandbox, SandboxRefused, open_sandbox
from midfill.server.sandbox.interpreter import Piece, pieces_of
from tests.unit.fenced import ROOMY, sandbox

__all__ = ["sandbox"]


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def link(path: Path, target: Path | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def installed(prefix: Path, name: str = "python3.12") -> Path:
    """An installation of Python, with more below its prefix than it needs to run."""
    write(prefix / "lib/python3.12/os.py")
    write(prefix / "share/keyrings/login")
    return write(prefix / "bin" / name)


def venv(prefix: Path, target: Path, home: Path) -> Path:
    write(prefix / "pyvenv.cfg", f"home = {home}\nversion = 3.12.1\n")
    (prefix / "lib/python3.12/site-packages").mkdir(parents=True)
    return link(prefix / "bin/python", target)


def shown(python: Path, below: Path) -> set[str]:
    """The names below `below` of what is shown, without links."""
    pieces = [piece for piece in pieces_of(python) if not piece.is_link]
    return {str(piece.name.relative_to(below)) for piece in pieces}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "home/me"
    write(home / ".ssh/id_rsa", "the key")
    monkeypatch.setenv("HOME", str(home))
    return home


# --- layouts -----------------------------------------------------------------------------------------


def test_a_venvs_python_needs_the_installation_that_its_links_lead_to(tmp_path):
    real = installed(tmp_path / "opt/python-3.12.1")
    named = link(tmp_path / "opt/python-3.12", "python-3.12.1")
    link(tmp_path / "project/.venv/bin/python3", named / "bin/python3.12")
    python = venv(tmp_path / "project/.venv", Path("python3"), named / "bin")
    found = pieces_of(python)
    assert found[:4] == (
        Piece(python, python.with_name("python3"), is_link=True),
        Piece(python.with_name("python3"), named / "bin/python3.12", is_link=True),
        Piece(named / "bin/python3.12", real),
        Piece(real, real),
    )
    assert shown(python, tmp_path) == {
        "project/.venv/pyvenv.cfg",
        "project/.venv/lib/python3.12",
        *("opt/python-3.12/bin/python3.12", "opt/python-3.12/lib/python3.12"),
        *("opt/python-3.12.1/bin/python3.12", "opt/python-3.12.1/lib/python3.12"),
    }


@pytest.mark.parametrize("name", ["python", "python3"])
def test_a_copied_interpreter_is_traced_by_its_marker(tmp_path, name):
    base = installed(tmp_path / "opt", "python3").parent
    copy = write(tmp_path / "venv/bin" / name)
    write(tmp_path / "venv/pyvenv.cfg", f"home = {base}\nversion = 3.12.1\n")
    found = {f"venv/bin/{name}", "venv/pyvenv.cfg", "opt/bin/python3", "opt/lib/python3.12"}
    assert shown(copy, tmp_path) == found


def test_the_systems_python_needs_nothing_more():
    assert pieces_of(Path("/usr/bin/env")) == ()


@pytest.mark.parametrize(
    "prefix",
    [".pyenv/versions/3.12.1", ".local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu", ".local"],
)
def test_below_the_home_folder_its_program_packages_and_shared_libraries_are_shown(home, prefix):
    real = installed(home / prefix)
    write(home / prefix / "lib/libpython3.12.so.1.0")
    link(home / prefix / "lib/libpython3.12.so", "libpython3.12.so.1.0")
    write(home / prefix / "lib/node_modules/mine.js")
    python = venv(home / "project/.venv", real, real.parent)
    assert shown(python, home) == {
        *("project/.venv/pyvenv.cfg", "project/.venv/lib/python3.12"),
        *(f"{prefix}/bin/python3.12", f"{prefix}/lib/python3.12"),
        *(f"{prefix}/lib/libpython3.12.so.1.0", f"{prefix}/lib/libpython3.12.so"),
    }


def test_of_an_environment_of_condas_all_libraries_are_shown(home):
    prefix = home / "miniconda3/envs/x"
    real = installed(prefix)
    (prefix / "conda-meta").mkdir()
    python = link(real.with_name("python"), real.name)
    assert shown(python, prefix) == {"bin/python3.12", "lib"}


def test_of_a_folder_on_the_way_only_the_link_is_shown(home):
    real = installed(home / ".local/share/uv/python/cpython")
    named = link(home / ".local/bin/python3", real)
    write(home / ".local/lib/python3.12/site-packages/a.py")
    python = venv(home / "project/.venv", named, named.parent)
    assert Piece(named, real, is_link=True) in pieces_of(python)
    assert shown(python, home) == {
        *("project/.venv/pyvenv.cfg", "project/.venv/lib/python3.12"),
        *(".local/share/uv/python/cpython/bin/python3.12", ".local/share/uv/python/cpython/lib/python3.12"),
    }


# --- what is refused ---------------------------------------------------------------------------------


def test_a_python_whose_folder_holds_the_home_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home/me"))
    installed(tmp_path / "home/me", "python3")
    installed(tmp_path / "home", "python3")
    link(tmp_path / "project/.venv", tmp_path / "home/me")
    for place in ("home/me/bin/python3", "home/bin/python3", "project/.venv/bin/python3"):
        with pytest.raises(ValueError, match="holds the home folder"):
            pieces_of(tmp_path / place)


def test_links_that_go_round_are_refused(tmp_path):
    link(tmp_path / "bin/a", "b")
    link(tmp_path / "bin/b", "a")
    with pytest.raises((ValueError, OSError)):
        pieces_of(tmp_path / "bin/a")


def test_a_file_beside_which_no_standard_library_lies_is_no_python(home):
    secret = write(home / "notes/bin/diary.txt")
    for target in (secret, home / "notes/bin/nothing"):
        with pytest.raises(ValueError, match="no standard library"):
            pieces_of(link(home / f"project-{target.stem}/.venv/bin/python", target))


@pytest.mark.parametrize("folder", [".ssh", ".gnupg/x", ".config", ".AWS/cli", "project/.kube"])
def test_a_python_in_a_folder_of_secrets_is_refused(home, tmp_path, folder):
    real = installed(home / folder / "python")
    outside = venv(home / folder / "env", installed(tmp_path / "opt"), tmp_path / "opt/bin")
    links = (link(home / "a/bin/python", real), link(home / "b", outside.parents[1]) / "bin/python")
    for python in (real, outside, *links):
        with pytest.raises(ValueError, match="folder of secrets"):
            pieces_of(python)


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("named", [".ssh/x", ".ssh", "diary/bin", ".local/bin", "../../usr/../etc"])
def test_a_marker_that_names_another_folder_than_its_pythons_is_refused(home, tmp_path, named, copied):
    real = installed(tmp_path / "opt")
    installed(home / ".local", "python3.11")
    for name in ("python", "id_rsa"):
        write(home / "diary/bin" / name)
    python = venv(home / "project/.venv", real, home / named)
    if copied:  # by a name that is in there, with a library of its own
        python.unlink()
        write(home / "project/.venv/lib/python3.12/os.py")
        write(python.with_name("id_rsa"))
        link(python, "id_rsa")
    with pytest.raises(ValueError, match=r"names .*, which does not hold its Python"):
        pieces_of(python)


def test_a_marker_that_is_a_link_to_a_secret_is_not_shown(home, tmp_path):
    real = installed(tmp_path / "opt")
    python = link(home / "project/.venv/bin/python", real)
    link(home / "project/.venv/pyvenv.cfg", home / ".ssh/id_rsa")
    with pytest.raises(ValueError, match="leads out of its environment"):
        pieces_of(python)


@pytest.mark.parametrize("target", ["../../../.ssh", "..", "../..", "../../.."])
def test_a_link_in_an_environment_shows_nothing_more(home, tmp_path, target):
    real = installed(tmp_path / "opt")
    python = venv(home / "project/.venv", real, real.parent)
    library = home / "project/.venv/lib"
    link(library / "python3.99", target)
    link(library / "lib.so", "../../../.ssh/id_rsa")
    link(home / "project/.venv/lib64", home / ".ssh")
    assert shown(python, tmp_path) == {
        *("opt/bin/python3.12", "opt/lib/python3.12"),
        *("home/me/project/.venv/pyvenv.cfg", "home/me/project/.venv/lib/python3.12"),
    }


def test_an_environment_that_is_a_link_shows_what_any_environment_does(home, tmp_path):
    real = installed(tmp_path / "opt")
    venv(home / "other", real, real.parent)
    write(home / "other/.env")
    link(home / "project/.venv", home / "other")
    found = shown(home / "project/.venv/bin/python", tmp_path)
    assert {name for name in found if name.startswith("home")} == {
        *("home/me/project/.venv/pyvenv.cfg", "home/me/project/.venv/lib/python3.12"),
    }


# --- with bubblewrap ---------------------------------------------------------------------------------


def read(sandbox: Sandbox, path: Path) -> str:
    outcome = sandbox.run(Job.of_code(f"print(open({str(path)!r}).read())", ROOMY))
    return outcome.stdout or outcome.stderr


def test_a_workspace_cannot_name_a_folder_of_the_home_to_be_read(sandbox, home):
    real = Path(sandbox.python).resolve()
    with pytest.raises(SandboxRefused, match="does not hold its Python"):
        open_sandbox(str(venv(home / "project/.venv", real, home / ".ssh/x")))


def test_beside_a_python_in_the_home_folder_nothing_else_can_be_read(sandbox, home):
    keyring = write(home / ".local/share/keyrings/login", "secret")
    script = write(home / ".local/bin/mine", "secret")
    named = link(home / ".local/bin/python3", Path(sandbox.python).resolve())
    fenced = open_sandbox(str(venv(home / "project/.venv", named, named.parent)))
    for path in (keyring, script, home / ".ssh/id_rsa"):
        assert "No such file" in read(fenced, path)
    for folder in (home, home / ".local/bin"):
        names = fenced.run(Job.of_code(f"import os; print(os.listdir({str(folder)!r}))", ROOMY)).stdout
        assert names in ("['.local', 'project']\n", "['project', '.local']\n", "['python3']\n")


def test_what_is_seen_of_the_home_folder_beside_the_interpreter_fails_the_probe(sandbox, home, monkeypatch):
    named = link(home / ".local/bin/python3", Path(sandbox.python).resolve())
    pieces = (*pieces_of(named), Piece(home / ".local/share", home / ".local/share"))
    write(home / ".local/share/keyrings/login", "secret")
    monkeypatch.setattr("midfill.server.sandbox.run.pieces_of", lambda _: pieces)
    with pytest.raises(SandboxRefused, match="home would be open"):
        open_sandbox(str(named))
