"""How `make setup` installs torch: never gigabytes of CUDA for a machine that has no use for them."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOTH = ("2.15.0", "2.14.1", "2.13.0+cpu", "2.13.0", "2.9.1+cpu", "2.5.0+cpu")


def load(name: str) -> ModuleType:
    """A script under tools/, which is no package: it must run before anything is installed."""
    found = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


torch_choice = load("torch_choice")
torch_facts = load("torch_facts")
setup = load("setup")
Facts = torch_choice.Facts


@pytest.mark.parametrize("version", ["2.6.0", "2.13.0+cpu", "2.8.0a0+5228986c39.nv25.05", "3.0"])
@pytest.mark.parametrize("has_nvidia_gpu", [True, False])
def test_an_installed_torch_that_is_new_enough_is_kept(version, has_nvidia_gpu):
    facts = Facts("Linux", has_nvidia_gpu=has_nvidia_gpu, installed=version, offered=BOTH)
    assert torch_choice.choose(facts).commands == ()


@pytest.mark.parametrize("version", ["2.5.1", "1.13.1+cu117", "unknown"])
def test_an_installed_torch_that_is_too_old_is_replaced(version):
    commands = torch_choice.choose(Facts("Linux", installed=version, offered=BOTH)).commands
    assert commands == (("pip", "install", "torch==2.13.0+cpu"),)


def test_a_machine_with_an_nvidia_gpu_gets_the_ordinary_build():
    commands = torch_choice.choose(Facts("Linux", has_nvidia_gpu=True, offered=BOTH)).commands
    assert commands == (("pip", "install", "torch>=2.6"),)


def test_without_a_gpu_the_newest_cpu_build_that_pip_offers_is_pinned():
    offered = ("2.9.1+cpu", "2.13.0+cpu", "2.14.0", "2.14.0rc1+cpu")
    assert torch_choice.newest_cpu_build(offered) == "2.13.0+cpu"
    commands = torch_choice.choose(Facts("Linux", offered=BOTH)).commands
    assert commands == (("pip", "install", "torch==2.13.0+cpu"),)


@pytest.mark.parametrize("offered", [(), ("2.15.0", "2.13.0"), ("2.5.0+cpu", "2.13.0+cu130")])
def test_where_pip_offers_no_cpu_build_uv_is_told_to_take_one(offered):
    commands = torch_choice.choose(Facts("Linux", offered=offered)).commands
    assert commands == (
        ("pip", "install", "uv"),
        ("uv", "pip", "install", "--torch-backend=cpu", "torch>=2.6"),
    )


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_systems_whose_ordinary_builds_hold_no_cuda_get_those(system):
    assert torch_choice.choose(Facts(system)).commands == (("pip", "install", "torch>=2.6"),)


def test_what_the_user_asks_for_goes_before_everything():
    facts = Facts("Linux", installed="2.13.0", offered=BOTH, override="torch==2.9.1")
    assert torch_choice.choose(facts).commands == (("pip", "install", "torch==2.9.1"),)


def test_pip_is_asked_only_where_its_answer_counts():
    asked = torch_choice.choose_without_asking
    assert asked(Facts("Linux")) is None
    assert asked(Facts("Linux", installed="2.13.0")) is not None
    assert asked(Facts("Linux", has_nvidia_gpu=True)) is not None
    assert asked(Facts("Darwin")) is not None


def test_no_linux_machine_without_a_gpu_ever_gets_an_unlabelled_build_from_pip():
    for offered in ((), BOTH, ("2.15.0",), ("2.15.0+cu130",)):
        for installed in ("", "2.0.0"):
            commands = torch_choice.choose(Facts("Linux", installed=installed, offered=offered)).commands
            assert not any(c[0] == "pip" and re.search(r"torch(?!.*\+cpu)", c[-1]) for c in commands)


def test_the_floor_is_the_one_in_pyproject():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert torch_choice.REQUIREMENT in pyproject["project"]["dependencies"]
    assert torch_choice.release(torch_choice.REQUIREMENT.partition(">=")[2]) == torch_choice.MINIMUM


def test_the_versions_that_pip_lists_are_read(monkeypatch):
    listing = "torch (2.15.0)\nAvailable versions: 2.15.0, 2.13.0+cpu, 2.13.0\n  INSTALLED: none"
    monkeypatch.setattr(torch_facts, "answer_of", lambda *_, **__: listing)
    assert torch_facts.offered_versions(Path("python")) == ("2.15.0", "2.13.0+cpu", "2.13.0")
    monkeypatch.setattr(torch_facts, "answer_of", lambda *_, **__: "")
    assert torch_facts.offered_versions(Path("python")) == ()


def test_the_dev_tools_come_from_pyproject():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    requirements = setup.dev_requirements(text)
    assert any(r.startswith("mypy>=") for r in requirements)
    assert any(r.startswith("hatchling>=") for r in requirements)
