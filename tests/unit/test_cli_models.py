import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from midfill.model.api import LoadProgress
from midfill.model.errors import DownloadError
from midfill.model.store import fit
from midfill.model.store.fit import Machine
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.store.store import Store
from midfill.server.cli import models as cli
from tests.store.making import gguf_bytes

GB = 10**9


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(cli, "this_machine", lambda: Machine(16 * GB, 12 * GB))


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "own.gguf"
    path.write_bytes(gguf_bytes())
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.models, [str(argument) for argument in arguments])


def row(output: str, name: str) -> str:
    return next(line for line in output.splitlines() if line.split()[:1] == [name])


def test_the_list_tells_size_licence_use_and_fit() -> None:
    output = run("list").stdout
    default = row(output, "qwen2.5-coder-0.5b-instruct")
    assert default.split() == ["qwen2.5-coder-0.5b-instruct", "491", "MB", "Apache-2.0", "yes", "yes"]
    assert "Qwen Research License      no" in row(output, "qwen2.5-coder-3b")
    llama = row(output, "codellama-70b-instruct")
    assert "about 138.0 GB" in llama
    assert "with conditions" in llama
    assert "no, needs 49.2 GB" in llama


def test_the_list_tells_what_is_installed_in_use_and_damaged(gguf: Path) -> None:
    run("import", gguf, "--name", "first")
    run("import", gguf, "--name", "second")
    run("import", gguf, "--name", "third")
    run("use", "first")
    (Store().folder("third") / "manifest.json").write_text("?")
    output = run("list").stdout
    assert row(output, "first").split()[-2:] == ["in", "use"]
    assert row(output, "second").split()[-1] == "installed"
    assert row(output, "third").split() == ["third", "damaged"]


def test_a_model_goes_from_machine_to_machine(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("import", gguf, "--name", "mine")
    assert "mine is installed in" in done.stdout
    assert "midfill model use mine" in done.stdout
    tar = tmp_path / "mine.tar"
    assert f"written to {tar}" in run("export", "mine", tar).stdout
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "other machine"))
    assert run("import", tar).exit_code == 0
    assert run("use", "mine").stdout == "mine is in use now.\n"
    assert run("remove", "mine").stdout == "mine is removed.\n"
    assert Store().names() == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("use", "codelama-7b"), "There is no model called 'codelama-7b'. Did you mean codellama-7b"),
        (("use", "codellama-7b"), "is not installed: get it with `midfill model pull codellama-7b`"),
        (("remove", "nothing-like-it-anywhere"), "There is no model called"),
        (("import", "no/such/file.gguf"), "There is no file or folder"),
        (("export", "codellama-7b", "x.tar"), "There is no model called 'codellama-7b'"),
        (("pull",), "HF_HUB_OFFLINE is set"),
    ],
)
def test_what_goes_wrong_is_one_line_on_stderr(arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_cache_that_cannot_be_written_is_one_line_too(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file, not a folder")
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "blocked"))
    done = run("import", gguf)
    assert done.exit_code == 1
    assert "blocked" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("flags", "accepted"), [((), False), (("--yes",), True)])
def test_a_licence_is_shown_and_without_a_terminal_needs_yes(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], accepted: bool
) -> None:
    from midfill.model.store import pull as module
    from midfill.model.store.catalogue import by_name

    def pull(store: Store, spec: str, *, report: Any, accept_licence: Any) -> LocalModel:
        if not accept_licence(by_name(spec)):
            raise DownloadError("not accepted")
        return LocalModel(spec, Path("somewhere"), WeightFormat.SAFETENSORS)

    monkeypatch.setattr(module, "pull", pull)
    done = run("pull", "codellama-7b", *flags)
    assert "Licence: Llama 2 Community License. It is not an open-source licence" in done.stderr
    assert (done.exit_code == 0) is accepted
    assert ("Run it again with --yes" in done.stderr) is not accepted


def test_without_a_terminal_progress_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    now = 100.0
    monkeypatch.setattr(cli.time, "monotonic", lambda: now)
    write = cli._plain_lines()
    for percent in range(100):
        now += 0.25
        write(LoadProgress("download", f"{percent} %", percent / 100))
    write(LoadProgress("verify", "checking"))
    assert capsys.readouterr().err.split("\n") == ["0 %", "20 %", "40 %", "60 %", "80 %", "checking", ""]


def test_on_a_terminal_progress_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(cli, "Console", lambda **_: Console(file=screen, force_terminal=True, width=100))
    with cli._progress() as report:
        report(LoadProgress("download", "Downloading m: 1 MB of 2 MB", 0.5))
        report(LoadProgress("verify", "Checking m", None))
    assert "Downloading m: 1 MB of 2 MB" in screen.getvalue()
    assert "━" in screen.getvalue()


@pytest.mark.parametrize(
    "command", [(), ("list",), ("pull",), ("use",), ("remove",), ("import",), ("export",)]
)
def test_every_command_has_a_help(command: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) > 5


def test_the_gpu_is_asked_for_only_where_its_program_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fit.shutil, "which", lambda name: None)
    assert fit.this_machine().gpu_bytes == 0
    done = fit.subprocess.CompletedProcess([], 0, stdout="24576\n81920\n")
    monkeypatch.setattr(fit.shutil, "which", lambda name: str(tmp_path / "bin" / name))
    monkeypatch.setattr(fit.subprocess, "run", lambda *args, **kwargs: done)
    assert fit.this_machine().gpu_bytes == 81920 * 1024 * 1024
    monkeypatch.setattr(fit.shutil, "which", lambda name: str(tmp_path / name))
    monkeypatch.chdir(tmp_path)  # a program in the folder we stand in is nobody's driver
    assert fit.this_machine().gpu_bytes == 0
