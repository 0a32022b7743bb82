"""The installer that travels in the .vsix: what it says on the way, what it leaves behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.test_torch_choice import load

load("torch_choice")
load("torch_facts")
pip_progress = load("pip_progress")
install_server = load("install_server")
TORCH = "Downloading torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl (200.0 MB)"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_large_download_is_told_with_megabytes_and_the_time_left():
    clock = Clock()
    downloads = pip_progress.Downloads(clock)
    assert downloads.take("Collecting torch") == ""
    assert downloads.take(TORCH) == ""
    clock.now = 1.0
    assert downloads.take("Progress 20000000 of 200000000") == "torch, 20 of 200 MB"
    clock.now = 1.2
    assert downloads.take("Progress 24000000 of 200000000") == "", "twice a second at most"
    clock.now = 5.0
    assert downloads.take("Progress 100000000 of 200000000") == "torch, 100 of 200 MB, 5 s left"
    clock.now = 5.1
    assert downloads.take("Progress 200000000 of 200000000") == "torch, 200 of 200 MB"


def test_small_files_are_not_worth_a_word():
    downloads = pip_progress.Downloads(Clock())
    downloads.take("Downloading click-8.1.8-py3-none-any.whl (98 kB)")
    assert downloads.take("Progress 98188 of 98188") == ""


class Machine:
    """Stands in for venv, pip and uv: notes what is run; commands that hold a word of `broken` fail."""

    def __init__(self, monkeypatch, broken: tuple[str, ...] = ()) -> None:
        self.ran: list[str] = []
        self._broken = broken
        choice = install_server.torch_facts.torch_choice.Choice((("pip", "install", "torch==2+cpu"),), "")
        monkeypatch.setattr(install_server.torch_facts, "choose_for", lambda python: choice)
        monkeypatch.setattr(install_server.torch_facts, "answer_of", lambda *command: "off, on, raw")
        monkeypatch.setattr(install_server.subprocess, "run", self._run)
        monkeypatch.setattr(install_server, "follow", self._follow)

    def _note(self, command) -> int:
        self.ran.append(" ".join(map(str, command)))
        if "venv" in map(str, command):
            Path(command[-1]).mkdir(parents=True, exist_ok=True)
        return int(any(word in self.ran[-1] for word in self._broken))

    def _run(self, command, **_) -> subprocess.CompletedProcess:
        return subprocess.CompletedProcess(command, self._note(command))

    def _follow(self, command, on_line, environment) -> tuple[int, str]:
        status = self._note(command)
        return status, "ERROR: no space left" if status else ""


@pytest.fixture
def wheel(tmp_path) -> Path:
    file = tmp_path / "midfill-0.1.0-py3-none-any.whl"
    file.write_bytes(b"wheel")
    return file


def test_torch_comes_before_the_wheel_and_the_stamp_last(monkeypatch, tmp_path, wheel):
    machine = Machine(monkeypatch)
    venv = tmp_path / "server-0.1.0"
    install_server.run(venv, wheel, "")
    assert [line.split(" -m ")[-1] for line in machine.ran] == [
        f"venv --clear {venv}",
        "pip install torch==2+cpu --progress-bar=raw",
        f"pip install {wheel} --progress-bar=raw",
    ]
    assert json.loads((venv / "midfill-installed.json").read_text())["wheel"] == wheel.name


def test_a_second_time_nothing_is_done_until_the_wheel_changes(monkeypatch, tmp_path, wheel):
    machine = Machine(monkeypatch)
    install_server.run(tmp_path / "v", wheel, "")
    done = len(machine.ran)
    install_server.run(tmp_path / "v", wheel, "")
    assert len(machine.ran) == done
    wheel.write_bytes(b"another")
    install_server.run(tmp_path / "v", wheel, "")
    assert len(machine.ran) == 2 * done


def test_what_fails_half_way_leaves_no_stamp_and_says_why(monkeypatch, tmp_path, wheel):
    Machine(monkeypatch, broken=(wheel.name,))
    with pytest.raises(install_server.InstallError, match="no space left"):
        install_server.run(tmp_path / "v", wheel, "")
    assert not install_server.is_complete(tmp_path / "v", install_server.digest_of(wheel))


def test_uv_is_used_where_it_is_and_pip_where_uv_fails(monkeypatch, tmp_path, wheel):
    machine = Machine(monkeypatch)
    install_server.run(tmp_path / "v", wheel, "/bin/uv")
    assert machine.ran[0].startswith("/bin/uv venv --seed")
    assert machine.ran[-1].startswith("/bin/uv pip install --python")
    broken = Machine(monkeypatch, broken=("/bin/uv",))
    install_server.run(tmp_path / "w", wheel, "/bin/uv")
    assert any("-m venv" in line for line in broken.ran)
    assert f"-m pip install {wheel}" in broken.ran[-1]


def test_without_the_venv_module_the_remedy_is_named(monkeypatch, tmp_path, wheel):
    Machine(monkeypatch, broken=("venv",))
    with pytest.raises(install_server.InstallError, match="apt install python3-venv"):
        install_server.run(tmp_path / "v", wheel, "")


def test_an_old_python_is_refused_in_one_sentence(monkeypatch, tmp_path, wheel, capsys):
    monkeypatch.setattr(install_server, "MINIMUM_PYTHON", (9, 0))
    monkeypatch.setattr(sys, "argv", ["install_server.py", str(tmp_path / "v"), str(wheel)])
    assert install_server.main() == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "Python 3.11 or later is needed" in json.loads(line)["error"]


def test_a_checkout_is_another_one_when_a_file_of_it_is(tmp_path):
    module = tmp_path / "model" / "a.py"
    module.parent.mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    module.write_text("1")
    first = install_server.digest_of(tmp_path)
    (tmp_path / "model" / "__pycache__").mkdir()
    (tmp_path / "model" / "__pycache__" / "a.pyc").write_text("compiled")
    (tmp_path / "README.md").write_text("not in the wheel's code")
    assert install_server.digest_of(tmp_path) == first
    module.rename(module.with_name("b.py"))
    second = install_server.digest_of(tmp_path)
    (tmp_path / "model" / "b.py").write_text("2")
    assert len({first, second, install_server.digest_of(tmp_path)}) == 3
