"""The unit-test action with an editor that the test looks into: consent, files that cannot be written."""

import asyncio
import os
from pathlib import Path

import pytest

from midfill.server.actions.source import read_source
from midfill.server.actions.unit_tests import Consents, Permission, WriteTests
from midfill.server.actions.unit_tests.permission import ALWAYS, NEVER, SESSION, workspace_for
from midfill.server.sandbox import SandboxRefused
from tests.unit import action_bench
from tests.unit.action_bench import Bench

PICTURE = "def do║uble(number):\n    return number * 2\n"


class Asking:
    """An editor that answers questions, when it is let."""

    def __init__(self, answer: str) -> None:
        self.answer, self.asked = answer, 0
        self.begun, self.may = asyncio.Event(), asyncio.Event()

    async def ask(self, sentence: str, answers: tuple[str, ...]) -> str:
        self.asked += 1
        self.begun.set()
        await self.may.wait()
        return self.answer


def permission(tmp_path: Path, editor: Asking) -> Permission:
    return Permission(editor, Consents(tmp_path / "state"))  # type: ignore[arg-type]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The interpreters that a sandbox was opened for."""
    found: list[str] = []
    name = "midfill.server.actions.unit_tests.permission.open_sandbox"
    monkeypatch.setattr(name, lambda python: found.append(python) or python)
    return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Without a word about running."""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.setattr(action_bench, "URI", (tmp_path / "twice.py").as_uri())
    action = WriteTests(permission(tmp_path, Asking(NEVER)), lambda: [tmp_path])
    return Bench(action, PICTURE, "assert double(3) == 6")


async def test_two_that_wait_share_a_question_and_a_cancel_leaves_it_open(tmp_path, opened) -> None:
    editor = Asking(SESSION)
    asked = permission(tmp_path, editor)
    first, second = (asyncio.create_task(asked.running(tmp_path, "")) for _ in range(2))
    await editor.begun.wait()
    first.cancel()
    editor.may.set()
    assert (await second).sandbox
    assert editor.asked == 1
    assert (await asked.running(tmp_path, "")).sandbox
    assert editor.asked == 1
    assert not Consents(tmp_path / "state").given(tmp_path)


async def test_a_workspaces_interpreter_is_started_only_after_consent(tmp_path, opened) -> None:
    editor = Asking(ALWAYS)
    running = asyncio.create_task(permission(tmp_path, editor).running(tmp_path, "mine/python"))
    await editor.begun.wait()
    assert opened == [""], "our own Python, to know whether there is a fence"
    editor.may.set()
    await running
    assert opened == ["", str(tmp_path / "mine/python")]
    assert Consents(tmp_path / "state").given(tmp_path)


async def test_what_is_withdrawn_is_not_asked_for_again(tmp_path, opened) -> None:
    editor = Asking(SESSION)
    editor.may.set()
    asked = permission(tmp_path, editor)
    assert (await asked.running(tmp_path, "")).sandbox
    asked.withdraw(tmp_path)
    assert "not allowed" in (await asked.running(tmp_path, "")).reason
    asked.give(tmp_path)
    assert (await asked.running(tmp_path, "")).sandbox
    assert editor.asked == 1


async def test_a_no_that_cannot_be_kept_holds_in_this_session(tmp_path, opened, monkeypatch) -> None:
    editor = Asking(ALWAYS)
    editor.may.set()
    asked = permission(tmp_path, editor)
    assert (await asked.running(tmp_path, "")).sandbox
    assert asked.needs_no_question(tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(Consents, "withdraw", refuse)
    with pytest.raises(PermissionError):
        asked.withdraw(tmp_path)
    assert "not allowed" in (await asked.running(tmp_path, "")).reason
    assert not asked.needs_no_question(tmp_path)


async def test_what_another_window_withdraws_is_not_run_here(tmp_path, opened) -> None:
    editor = Asking(ALWAYS)
    editor.may.set()
    asked = permission(tmp_path, editor)
    assert (await asked.running(tmp_path, "")).sandbox
    Consents(tmp_path / "state").withdraw(tmp_path)
    assert not asked.needs_no_question(tmp_path)


async def test_another_workspace_is_another_question(tmp_path, opened) -> None:
    editor = Asking(SESSION)
    editor.may.set()
    asked = permission(tmp_path, editor)
    await asked.running(tmp_path / "a", "")
    await asked.running(tmp_path / "b", "")
    assert editor.asked == 2


async def test_without_a_fence_there_is_no_question(tmp_path, monkeypatch) -> None:
    def refuse(python: str) -> None:
        raise SandboxRefused("no fence here")

    monkeypatch.setattr("midfill.server.actions.unit_tests.permission.open_sandbox", refuse)
    editor = Asking(SESSION)
    assert (await permission(tmp_path, editor).running(tmp_path, "")).reason == "no fence here"
    assert editor.asked == 0


def test_the_workspace_is_the_innermost_folder_and_never_the_home(tmp_path, monkeypatch) -> None:
    (tmp_path / "home/a/b").mkdir(parents=True)
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    file = home / "a/b/c.py"
    assert workspace_for(file, [home / "a", home / "a/b", home]) == home / "a/b"
    assert workspace_for(file, [home, tmp_path]) is None
    (home / "a/go.mod").touch()
    (home / ".git").mkdir()
    assert workspace_for(file, [home]) == home / "a"


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda b, root: setattr(b, "can_create", False), "creates no files"),
        (lambda b, root: (root / "tests").write_text("no folder"), "nothing can be written"),
        (lambda b, root: taken(root, b"\xff"), "cannot be read"),
        (lambda b, root: taken(root, b"a = 1\rb = 2\r"), "line ends"),
    ],
)
async def test_what_cannot_be_written_is_said_before_the_model_is_asked(
    bench: Bench, tmp_path: Path, opened, spoil, word: str
) -> None:
    spoil(bench, tmp_path)
    await bench.run()
    assert word in bench.told[-1]
    assert bench.host.asked == []
    assert bench.action._permission._editor.asked == 0, "and before the user is"


def taken(root: Path, content: bytes) -> None:
    (root / "tests").mkdir()
    (root / "tests/test_twice.py").write_bytes(content)


@pytest.mark.parametrize("is_there", [True, False])
async def test_read_only_places_are_left_alone(bench, tmp_path, opened, monkeypatch, is_there) -> None:
    if is_there:
        taken(tmp_path, b"x = 1\n")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    bench.action._permission._editor.may.set()
    await bench.run()
    assert ("cannot be written" if is_there else "nothing can be written") in bench.told[-1]
    assert bench.host.asked == []


@pytest.mark.parametrize(
    ("language", "picture", "offered"),
    [
        ("python", "class A:\n    def f║(self):\n        pass\n", "`f`"),
        ("python", "class ║A:\n    def f(self):\n        pass\n", "`A`"),
        ("python", "@x\nasync def f║(self):\n    pass\n", "`f`"),
        ("python", "def test_║f():\n    pass\n", ""),
        ("python", "def f():\n    def g║():\n        pass\n", ""),
        ("python", "class A:\n    class B:\n        def f║(self):\n            pass\n", ""),
        ("python", "def f(║:\n    pass\n", ""),
        ("python", "║x = 1\n", ""),
        ("go", "package a\n\nfunc F║() {}\n", "`F`, not run"),
        ("go", "package a\n\nfunc TestF║(t *testing.T) {}\n", ""),
        ("rust", "#[test]\nfn f║() {}\n", ""),
        ("typescript", "export const f = (a: number) => {║ return a; };\n", "`f`, not run"),
        ("cpp", "int f(║) { return 1; }\n", ""),
    ],
)
def test_it_is_offered_for_what_a_test_can_reach(tmp_path, language, picture, offered) -> None:
    text, at = picture.replace("║", ""), picture.index("║")
    source = read_source(language, text)
    assert source is not None
    title = WriteTests(permission(tmp_path, Asking("")), list).title(source, (at, at))
    assert title == (f"write unit tests for {offered}" if offered else None)
