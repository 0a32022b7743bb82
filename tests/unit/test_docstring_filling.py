"""The parts of a docstring, infilled one by one: where, what is taken, and what is asked for after all."""

import pytest

from midfill.model import FimRequest
from midfill.server.actions.docstrings.infilling import is_whole_part, part
from tests.unit.test_docstring_infilling import bench

TWO = "def f(a, b):\n    a.go(b)\n    return a║\n"


def prefixes(asked: list) -> list[str]:
    return [one.prefix for one in asked if isinstance(one, FimRequest)]


async def test_each_part_sees_what_is_said_before_it_and_nothing_is_asked() -> None:
    bench_ = bench("Do it.", "Who goes.", "Where to.", "Whoever went.", picture=TWO)
    parameters = "Args:\n        a: Who goes.\n        b: Where to.\n\n"
    said = f'"""Do it.\n\n    {parameters}    Returns:\n        Whoever went.\n'
    assert said in await bench_.run()
    _, a, b, result = prefixes(bench_.host.asked)
    assert len(bench_.host.asked) == 4
    assert a.endswith('"""Do it.\n\n    Args:\n        a:')
    assert b.endswith("        a: Who goes.\n        b:")
    assert result.endswith("        b: Where to.\n\n    Returns:\n")


@pytest.mark.parametrize(
    ("style", "begun"),
    [
        ("numpy", '"""Do it.\n\n    Parameters\n    ----------\n    a : int\n'),
        ("rest", '"""Do it.\n\n    :param a:'),
    ],
)
async def test_the_hole_is_in_the_files_own_style_and_quotes(style: str, begun: str) -> None:
    file = "'''A module.'''\n\n\ndef f(a: int):\n    pass║\n"
    bench_ = bench("Do it.", "A thing.", picture=file, docstring_style=style)
    await bench_.run()
    _, second = bench_.host.asked
    assert isinstance(second, FimRequest)
    assert second.prefix.endswith(begun.replace('"""', "'''"))
    assert second.suffix.startswith("\n    '''\n    pass")


@pytest.mark.parametrize("useless", ["", "The a.", "a.go(b)\n", "Gibt die Summe der Werte zurück.", '"""'])
async def test_what_tells_nothing_of_a_parameter_is_asked_for(useless: str) -> None:
    bench_ = bench("Do it.", useless, "Asked for it.", "Where to.", "Whoever went.", picture=TWO)
    assert "        a: Asked for it.\n        b: Where to.\n" in await bench_.run()
    summary, infilled, asked, *others = bench_.host.asked
    assert [isinstance(one, FimRequest) for one in (summary, infilled, asked)] == [True, True, False]
    assert asked.messages[-1].content == "What is the parameter `a`?"
    assert asked.messages[-2].content == "Do it."
    assert all(isinstance(one, FimRequest) for one in others)


async def test_a_text_that_stands_with_another_parameter_is_asked_for() -> None:
    bench_ = bench("Do it.", "A thing.", "A thing.", "Where to.", "Whoever went.", picture=TWO)
    assert "        a: A thing.\n        b: Where to.\n" in await bench_.run()


async def test_no_details_are_asked_for_where_the_model_says_itself_how_much_there_is_to_say() -> None:
    body = "    a.go(b)\n" * 9
    bench_ = bench("Do it.", "Who goes.", "Where to.", picture=f"def f(a, b):\n{body}    a.stop()║\n")
    assert '"""Do it.\n\n    Args:' in await bench_.run()
    assert len(prefixes(bench_.host.asked)) == len(bench_.host.asked) == 3


async def test_what_a_model_is_asked_of_is_not_infilled_where_the_user_wants_all_asked() -> None:
    bench_ = bench("Do it.", "Everyone goes there.", "A thing.", docstring_description="asked")
    await bench_.run()
    assert not prefixes(bench_.host.asked)


async def test_progress_counts_infilled_parts() -> None:
    bench_ = bench("Do it.", "Who goes.", "Where to.", "Whoever went.", picture=TWO)
    await bench_.run()
    shares = [share for _, share in bench_.views[0].said if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {0.25, 0.5, 0.75} <= {*shares}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (" the thing\n", "The thing."),
        (" The thing. And more of it.\n        b: Another.", "The thing."),
        (' The thing, and\n            more of it.\n    """', "The thing, and more of it."),
        ("        The thing.\n\n    Raises:\n", "The thing."),
        ("    The thing\n    b : int\n        Another.", "The thing."),
        (" The thing\n    :param b: Another.", "The thing."),
        (" If True: all of it.\n", "If True: all of it."),
        (" The thing\n    *b: Others.", "The thing."),
        ("\n\n    Returns:\n", None),
        (" pass\n", None),
        (' """', None),
    ],
)
def test_what_is_taken_of_an_answer(answer: str, said: str | None) -> None:
    assert part(answer, "\n    pass\n") == said


def test_an_answer_ends_where_nothing_more_of_it_is_taken() -> None:
    assert not is_whole_part(" The thing,\n            and")
    assert is_whole_part(" The thing.\n        b: Ano")
    assert is_whole_part(' The thing. """')
    assert is_whole_part(" The thing.\n\n")
