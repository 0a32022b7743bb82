"""What a function does, infilled: the hole, what is taken of the answer, and when it is asked after all."""

import pytest

from midfill.model import FimRequest, Lane, ModelInfo
from midfill.server.actions.docstrings import WriteDocstring
from midfill.server.actions.docstrings.infilling import Around, Hole, around, described, is_described
from midfill.server.actions.source import read_source
from midfill.server.actions.targets import targets_of
from midfill.server.settings import Settings
from tests.unit.action_bench import Bench

FILLS = ModelInfo("m", "cpu", "f", "qwen2.5-coder-spm", 2048, can_chat=True)
PICTURE = "import os\n\n\ndef f(a):\n    pass║\n"


def bench(*answers: str, picture: str = PICTURE, info: ModelInfo = FILLS, **settings: str) -> Bench:
    chosen = Settings(backend="scripted", **settings)  # type: ignore[arg-type]
    bench_ = Bench(WriteDocstring(), picture, *answers, settings=chosen)
    bench_.host.info = info
    return bench_


async def test_the_description_is_infilled_then_each_part() -> None:
    bench_ = bench('Do it.\n    But not twice.\n\n    Args:\n        a: No.\n    """', "A thing.")
    assert (
        '"""Do it.\n\n    But not twice.\n\n    Args:\n        a: A thing.\n    """' in await bench_.run()
    )
    first, second = bench_.host.asked
    assert isinstance(first, FimRequest)
    assert isinstance(second, FimRequest)
    assert first.apart
    assert second.apart
    assert first.prefix == 'import os\n\n\ndef f(a):\n    """ '
    begun = '"""Do it.\n\n    But not twice.\n\n    Args:\n        a:'
    assert second.prefix == f"import os\n\n\ndef f(a):\n    {begun}"
    assert first.suffix == second.suffix == '\n    """\n    pass\n'
    assert set(bench_.host.lanes) == {Lane.CHAT}


@pytest.mark.parametrize("garbage", ["", "pass\n", "Gibt die Summe der Werte zurück.", '"""'])
async def test_what_is_no_description_is_asked_for(garbage: str) -> None:
    bench_ = bench(garbage, garbage, "Do it.", "A thing.")
    assert '"""Do it.\n' in await bench_.run()


async def test_where_the_hole_with_closing_quotes_stays_empty_the_one_without_is_tried() -> None:
    bench_ = bench("pass\n", "Do it.", "A thing.")
    assert '"""Do it.\n' in await bench_.run()
    first, second, _ = bench_.host.asked
    assert (second.prefix, second.suffix) == (first.prefix, "\n    pass\n")


@pytest.mark.parametrize(
    "picture",
    [
        'def f(a):\n    """Old."""\n    pass║\n',
        "class A:\n    x = 1║\n",
    ],
)
async def test_what_is_better_asked_for_is_asked_for(picture: str) -> None:
    bench_ = bench("Do it.", "A thing.", picture=picture)
    assert '"""Do it.' in await bench_.run()
    assert not any(isinstance(request, FimRequest) for request in bench_.host.asked)


async def test_models_that_were_not_seen_to_infill_better_are_asked() -> None:
    bench_ = bench("Do it.", "A thing.", info=ModelInfo("m", "cpu", "f", "other", 2048, can_chat=True))
    assert '"""Do it.' in await bench_.run()
    assert not any(isinstance(request, FimRequest) for request in bench_.host.asked)


async def test_the_safety_filter_reads_it_as_well() -> None:
    bench_ = bench("safe", "Do it.", "unsafe\nS2", safety_model="guard")
    before = bench_.text
    assert await bench_.run() == before
    assert "calls what the model answered unsafe (S2)" in bench_.told[0]
    assert "User: import os" in bench_.host.asked[0].messages[0].content


@pytest.mark.parametrize(
    ("answer", "sentences"),
    [
        ("do it well", ["Do it well."]),
        ("\n    Do it.\n    More of it.\n", ["Do it.", "More of it."]),
        ("add(first, second=())\n\n    Do it well.", ["Do it well."]),
        ("f(a) does it.", ["f(a) does it."]),
        ("Do it well\n\n    More of it.", ["Do it well.", "More of it."]),
        ("Do it:\n\n    First this.", ["Do it.", "First this."]),
        ("Do it. \n\n    More of it.", ["Do it.", "More of it."]),
        ("Do it,\n    and more of it.", ["Do it, and more of it."]),
        ('Do it. """\n    return 1', ["Do it."]),
        ("Do it.\n\n    Parameters:\n    a (int): It.", ["Do it."]),
        ("Do it.\n\n    Parameters\n    ----------\n    a : int", ["Do it."]),
        ("Do it.\n    :param a: It.", ["Do it."]),
        ("Do it.\n    >>> f(1)\n    2", ["Do it."]),
        ("One. Two. Three. Four.", ["One.", "Two.", "Three."]),
        ("Do it.\n\n    first: A string.\n    second (int): Another.", ["Do it."]),
        ("item = WS? item WS?\n", []),
        ("    pass\n", []),
    ],
)
def test_what_is_taken_of_an_answer(answer: str, sentences: list[str]) -> None:
    assert described(answer, "\n    pass\n") == sentences


def test_an_answer_ends_where_nothing_more_of_it_is_taken() -> None:
    assert not is_described("Do it. And that")
    assert is_described('Do it. """')
    assert is_described("Do it.\n\n    Returns:")
    assert is_described("word " * 130)


def around_in(text: str, target: int = 0) -> Around | None:
    source = read_source("python", text)
    assert source is not None
    return around(text, targets_of(source)[target], "    ")


def described_in(text: str, target: int = 0) -> tuple[Hole, ...]:
    found = around_in(text, target)
    assert found is not None
    return found.description()


def test_the_hole_shows_a_part_of_a_long_file_with_plain_line_ends() -> None:
    text = "x = 1\r\n" * 900 + "def f(a):\r\n" + "    a += 1\r\n" * 9 + "    return a\r\n"
    closed, opened = described_in(text)
    assert closed.prefix == opened.prefix
    assert closed.prefix.startswith("x = 1\n")
    assert closed.prefix.endswith('x = 1\ndef f(a):\n    """ ')
    assert len(closed.prefix) < 400
    assert opened.suffix == "\n" + "    a += 1\n" * 9 + "    return a\n"
    assert closed.suffix == '\n    """' + opened.suffix
    assert "\r" not in closed.prefix + closed.suffix


def test_a_method_is_shown_with_the_line_that_opens_its_class() -> None:
    text = "class A(B):\n" + "    x = 1\n" * 90 + "    def f(self):\n        pass\n"
    first, _ = described_in(text, target=1)
    assert first.prefix.startswith("class A(B):\n    x = 1\n")
    text = "class A(B):\n    def f(self):\n        pass\n"
    first, _ = described_in(text, target=1)
    assert first.prefix.startswith("class A(B):\n    def f(self):\n")


def test_a_long_function_is_asked_about_so_that_a_filter_reads_all_of_it() -> None:
    assert around_in("def f(a):\n" + "    a += 1\n" * 900 + "    return a\n") is None
