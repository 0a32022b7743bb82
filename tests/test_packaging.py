"""What gets shipped, and that the installed server never runs code out of the user's workspace."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = str(Path(sys.executable).with_name("midfill"))
TIMEOUT_S = 60.0


def build(kind: str, source: Path, destination: Path) -> Path:
    """Build with hatchling as it is installed: no isolation, no network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(destination)]
    ended = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (built,) = destination.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_holds_midfill_and_nothing_else(wheel):
    names = contents(wheel)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"midfill"}
    assert {"midfill/server/py.typed", "midfill/model/py.typed"} <= names.keys()
    assert {"midfill/server/__main__.py", "midfill/model/api.py"} <= names.keys()
    assert "midfill/__init__.py" not in names, "it would hide the other half of the namespace"
    assert not any("__pycache__" in name or "ruff.toml" in name for name in names)
    assert sum("licenses/LICENSE" in name for name in names) == 1


def test_the_wheel_holds_every_module_of_both_halves(wheel):
    expected = {
        "midfill/" + module.relative_to(ROOT / root / "midfill").as_posix()
        for root in ("lsp_server", "model")
        for module in (ROOT / root / "midfill").rglob("*.py")
    }
    assert {name for name in contents(wheel) if name.endswith(".py")} == expected


def test_the_wheel_holds_the_prompts_of_the_actions(wheel):
    prompts = {name for name in contents(wheel) if "/prompts/" in name}
    here = (ROOT / "lsp_server").rglob("prompts/*.txt")
    assert prompts == {prompt.relative_to(ROOT / "lsp_server").as_posix() for prompt in here}
    assert "midfill/server/actions/docstrings/prompts/interview.txt" in prompts


def test_the_sdist_builds_the_same_wheel(wheel, tmp_path):
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as opened:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.0 to 3.11.3
        opened.extractall(tmp_path / "unpacked", **safely)
    (source,) = (tmp_path / "unpacked").iterdir()
    assert contents(build("wheel", source, tmp_path / "wheel")) == contents(wheel)


def test_the_unpacked_wheel_imports_without_the_checkout(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
    code = "import midfill.server as s, midfill.model as m; print(s.__file__, m.__file__, sep='\\n')"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-P", "-c", code]
    seen = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    server, model = map(Path, seen.stdout.splitlines())
    assert server == tmp_path / "midfill" / "server" / "__init__.py"
    assert model == tmp_path / "midfill" / "model" / "__init__.py"


def message(**content: object) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def talk(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Start a server in `folder`, greet it and end it. Returns what it wrote to stdout."""
    greeting = {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": {}}
    greeting |= {"initializationOptions": {"backend": "scripted"}}
    session = (
        message(id=1, method="initialize", params=greeting)
        + message(method="initialized", params={})
        + message(id=2, method="shutdown")
        + message(method="exit")
    )
    ended = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        input=session,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode()


PLANTED = ("model", "lsp_server", "midfill", "midfill/__init__", "pygls", "json", "sitecustomize")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([SCRIPT, "serve", "--stdio"], id="console script"),
        pytest.param([sys.executable, "-P", "-m", "midfill.server", "serve", "--stdio"], id="python -P -m"),
    ],
)
def test_the_server_never_imports_from_the_workspace_it_is_started_in(command, tmp_path):
    witness = tmp_path / "imported.txt"
    workspace = tmp_path / "workspace"
    (workspace / "midfill").mkdir(parents=True)
    for name in PLANTED:
        (workspace / f"{name}.py").write_text(f"open({str(witness)!r}, 'a').write({name!r} + '\\n')\n")

    answered = talk(command, workspace, {})

    assert '"capabilities"' in answered
    assert not witness.exists(), witness.read_text()


@pytest.mark.parametrize("arguments", [[], ["--stdio"], ["serve", "--stdio"]], ids=" ".join)
def test_a_checkout_starts_with_python_m_lsp_server(arguments):
    assert '"capabilities"' in talk([sys.executable, "-m", "lsp_server", *arguments], ROOT, {})


def test_the_checkout_shim_does_not_import_from_the_workspace_either(tmp_path):
    witness = tmp_path / "imported.txt"
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    for name in ("model.py", "midfill.py"):
        (workspace / name).write_text(f"open({str(witness)!r}, 'a').write({name!r})\n")

    answered = talk([sys.executable, "-m", "lsp_server"], workspace, {"PYTHONPATH": str(ROOT)})

    assert '"capabilities"' in answered
    assert not witness.exists(), witness.read_text()
