"""Examples in docstrings: which calls are run, which results are shown, and that nothing runs unasked."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from midfill.server.actions.action import Task
from midfill.server.actions.docstrings import Trials, WriteDocstring
from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.docstrings.examples import Call, Example, calls_in, can_have_examples, chosen
from midfill.server.actions.docstrings.python_style import docstring
from midfill.server.actions.docstrings.trying import Trial
from midfill.server.actions.source import read_source
from midfill.server.actions.targets import targets_of
from midfill.server.actions.unit_tests import Consents, Permission
from midfill.server.actions.unit_tests.importing import Module
from midfill.server.sandbox import Sandbox
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot
from midfill.server.uris import to_uri
from tests.unit.action_bench import Bench
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

ANSWERS = ("Double a number.", "The number.", "Twice as much.", "double(2) == 4\ndouble('a')")
PICTURE = "def double(number):\n    return number * 2║\n"


class Tried:
    """A trial that returns what it is told."""

    def __init__(self, *results: str) -> None:
        self.given, self.calls = results, list[str]()

    async def open(self, task: Task) -> "Tried":
        return self

    def results(self, calls: Sequence[Call]) -> list[str]:
        self.calls += [call.code for call in calls]
        return list(self.given)


def bench(tried: Tried, picture: str = PICTURE, **settings: str) -> Bench:
    action = WriteDocstring(tried.open)  # type: ignore[arg-type]
    return Bench(action, picture, *ANSWERS, settings=Settings(backend="scripted", **settings))  # type: ignore[arg-type]


async def test_what_was_returned_is_shown_not_what_the_model_expected() -> None:
    tried = Tried("5", "'aa'")
    found = await bench(tried).run()
    assert tried.calls == ["double(2)", "double('a')"]
    assert (
        "    Examples:\n        >>> double(2)\n        5\n        >>> double('a')\n        'aa'\n" in found
    )


async def test_a_call_that_returned_nothing_is_not_shown_and_others_are_asked_for() -> None:
    tried = Tried("", "")
    bench_ = bench(tried)
    assert "Examples" not in await bench_.run()
    *_, first, second = bench_.host.asked
    assert first.messages == second.messages
    assert (first.temperature, second.temperature) == (0.0, 0.7)


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def double(self, n):\n        return n║\n",
        "async def double(n):\n    return n║\n",
        "def double(n):\n    yield n║\n",
        "def double(n):\n    print(n)║\n",
        "def double():\n    return 1║\n",
    ],
)
async def test_of_what_no_literal_call_shows_none_is_asked_for(code: str) -> None:
    tried = Tried("1", "2")
    bench_ = bench(tried, code)
    await bench_.run()
    assert tried.calls == []
    assert not any("three short calls" in request.messages[-1].content for request in bench_.host.asked)


async def test_the_setting_switches_them_off() -> None:
    tried = Tried("1", "2")
    assert "Examples" not in await bench(tried, docstring_examples="off").run()
    assert tried.calls == []


def test_only_calls_of_the_function_with_literals_are_read() -> None:
    answer = (
        "f(1, b=[2]) == 3\n>>> f('x')\n`f((1, 2))`\nf(x) == 1\ng(1) == 2\nf() == 0\nf(1, b=[2])\n"
        "f(__import__('os')) == 1\nf(1); g(2)\nHere they are:\nf('" + "x" * 90 + "')\nf(-1.5) == g(2)"
    )
    calls = calls_in(answer, "f")
    assert calls == [Call("f(1, b=[2])", "3"), Call("f('x')"), Call("f((1, 2))"), Call("f(-1.5)")]


@pytest.mark.parametrize("result", ["", "None", "<object at 0x7f>", "x" * 90, '\'"""\'', "1 2"])
def test_a_result_that_a_docstring_cannot_hold_is_not_shown(result: str) -> None:
    assert chosen([Call("f(1)")], [result]) == ()


def test_expected_results_come_first_and_equal_ones_last() -> None:
    calls = [Call("f(1)", "2"), Call("f(2)"), Call("f(3)", "1"), Call("f(4)", "[1.0]")]
    assert chosen(calls, ["1", "1", "1", "[1.0]"]) == (Example("f(3)", "1"), Example("f(4)", "[1.0]"))
    assert chosen(calls[:2], ["1", "1"]) == (Example("f(1)", "1"), Example("f(2)", "1"))


@pytest.mark.parametrize(
    ("style", "wanted"),
    [
        ("google", ["Do it.", "", "Examples:", "    >>> f(1)", "    2"]),
        ("numpy", ["Do it.", "", "Examples", "--------", ">>> f(1)", "2"]),
        ("rest", ["Do it.", "", ">>> f(1)", "2"]),
    ],
)
def test_each_style_has_a_place_for_them(style: str, wanted: list[str]) -> None:
    wide = Example(f"f({'1' * 70})", "2")
    content = Content("Do it.", examples=(Example("f(1)", "2"), wide))
    assert docstring(content, style, '"""', 72) == [f'"""{wanted[0]}', *wanted[1:], '"""']


def test_a_trial_runs_the_buffer_twice_and_keeps_what_agrees(sandbox: Sandbox) -> None:
    text = (
        "import random\nprint('noise')\n\ndef f(x):\n    print(x)\n    if x == 1:\n        raise ValueError"
        "\n    if x == 2:\n        return random.random()\n    return [x]\n"
    )
    calls = [Call("f(1)"), Call("f(2)"), Call("f(3)"), Call("f('a')")]
    assert Trial(sandbox, text, Module("pack.one", ".")).results(calls) == ["", "", "[3]", "['a']"]


def test_code_that_hangs_or_leaves_costs_its_own_results_alone(sandbox: Sandbox) -> None:
    text = "def f(x):\n    while x:\n        pass\n    return x\n\ndef g(x):\n    raise SystemExit\n"
    trial = Trial(sandbox, text, Module("one", "."))
    assert trial.results([Call("f(0)"), Call("f(1)"), Call("f(0.0)")]) == ["0", "", ""]
    assert trial.results([Call("g(0)"), Call("f(0)")]) == ["", ""]


async def test_modules_beside_the_file_can_be_imported(sandbox: Sandbox, tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    for folder in (tmp_path, package):
        folder.chmod(0o755)  # in a sandbox that runs as nobody
    (package / "__init__.py").write_text("")
    (package / "other.py").write_text("ONE = 1\n")
    (package / "mine.py").write_text("")
    consents = Consents(tmp_path / "state")
    consents.give(tmp_path)
    permission = Permission(Nobody(), consents)  # type: ignore[arg-type]
    text = "from .other import ONE\n\ndef f(x):\n    return x + ONE\n"
    trial = await Trials(permission, lambda: [tmp_path])(task_of(package / "mine.py", text))
    assert trial is not None
    assert trial.results([Call("f(1)")]) == ["2"]


async def test_without_consent_for_good_there_is_no_trial_and_no_question(tmp_path: Path) -> None:
    permission = Permission(Nobody(), Consents(tmp_path / "state"))  # type: ignore[arg-type]
    trials = Trials(permission, lambda: [tmp_path])
    assert await trials(task_of(tmp_path / "a.py", "x = 1\n")) is None
    assert await trials(task_of(None, "x = 1\n")) is None


async def test_consent_for_the_session_counts_until_it_is_withdrawn(tmp_path: Path) -> None:
    permission = Permission(Willing(), Consents(tmp_path / "state"))  # type: ignore[arg-type]
    assert not permission.needs_no_question(tmp_path)
    assert await permission._is_allowed(tmp_path)
    assert permission.needs_no_question(tmp_path)
    permission.withdraw(tmp_path)
    await asyncio.sleep(0)
    assert not permission.needs_no_question(tmp_path)


def test_nested_and_broken_functions_have_none() -> None:
    source = read_source("python", "def f(a):\n    def g(b):\n        return b\n    return g\n")
    assert source is not None
    assert [can_have_examples(target) for target in targets_of(source)] == [True, False]


class Willing:
    async def ask(self, sentence: str, answers: Sequence[str]) -> str:
        return answers[0]


class Nobody:
    """An editor that must not be asked."""


def task_of(path: Path | None, text: str) -> Task:
    uri = to_uri(path) if path else "untitled:one"
    snapshot = new_snapshot(uri, 1, "python", text)
    source = read_source("python", text)
    assert source is not None

    async def never(*_: object) -> str:
        raise AssertionError

    return Task(
        snapshot,
        source,
        (0, 0),
        Settings(),
        never,
        None,
        True,
        2048,
        lambda _: None,
        lambda _: None,
        True,
        lambda _: None,
    )
