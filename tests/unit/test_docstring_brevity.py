"""A file of one-sentence docstrings gets no second paragraph; any other does."""

import pytest

from tests.unit.test_docstring_action import ANSWERS, SCALE, bench
from tests.unit.test_docstring_infilling import FILLS

DETAILS = "Every value is multiplied, unless the list is empty."
LONG = "Say what it is for, at such length that it takes a paragraph. " * 5


def documented(name: str, said: str) -> str:
    return f'def {name}(a):\n    """{said}"""\n\n\n'


def of_three(*said: str) -> str:
    return "".join(documented(f"f{number}", each) for number, each in enumerate(said))


@pytest.mark.parametrize(
    ("before", "is_brief"),
    [
        (of_three("Do it.", "Undo it.", "Redo it."), True),
        (of_three("Do it.", "Undo it.", LONG), True),
        (of_three("Do it.", LONG, LONG), False),
        (of_three("Do it.", "Undo it."), False),  # no habit yet
        ("", False),
    ],
)
async def test_details_are_asked_for_unless_the_files_docstrings_are_short(
    before: str, is_brief: bool
) -> None:
    answers = (ANSWERS[0], *[DETAILS] * (not is_brief), *ANSWERS[2:])
    found = await bench(before + SCALE, *answers).run()
    assert (f"{DETAILS}\n" in found) is not is_brief
    assert "values: The numbers to scale." in found  # each question had its own answer


async def test_neither_its_own_docstring_nor_those_of_classes_say_how_long_the_others_are() -> None:
    classes = "".join(f'class C{n}:\n    """{LONG}"""\n\n\n' for n in range(4))
    before = classes + of_three("Do it.", "Undo it.", LONG)
    own = SCALE.replace("2.0):\n", f'2.0):\n    """{LONG}"""\n')
    found = await bench(before + own, ANSWERS[0], *ANSWERS[2:]).run()
    assert "Scale every number.\n\n    Args:\n        values: The numbers to scale." in found


async def test_of_an_infilled_paragraph_the_first_sentence_is_taken() -> None:
    before = of_three("Do it.", "Undo it.", "Redo it.")
    infilled = f"Scale them. {DETAILS}"
    assert DETAILS not in await filled(before, infilled)
    assert f"Scale them.\n\n    {DETAILS}" in await filled("", infilled)


async def filled(before: str, infilled: str) -> str:
    bench_ = bench(before + SCALE, infilled, *ANSWERS[2:])
    bench_.host.info = FILLS
    return await bench_.run()


@pytest.mark.parametrize("summary", ["Return every number scaled.", "Returns each of them.", "Scale."])
async def test_where_the_summary_says_what_comes_back_there_is_no_section_for_it(summary: str) -> None:
    before = of_three("Do it.", "Undo it.", "Redo it.")
    says_it = summary.startswith("Return")
    answers = (summary, *ANSWERS[2:4], *["A new list."] * (not says_it), ANSWERS[5])
    found = await bench(before + SCALE, *answers).run()
    assert ("    Returns:\n        A new list.\n" in found) is not says_it
    assert "ValueError: If there is nothing to scale." in found
    assert "    Returns:\n" in await bench(SCALE, summary, *ANSWERS[1:]).run()  # the file is not brief


async def test_in_javascript_too() -> None:
    before = "".join(f"/** Do {n}. */\nfunction f{n}(a) {{ go(a) }}\n\n" for n in range(3))
    picture = "function scale(values) {\n  if (!values) {\n    return 0\n  }\n  retu║rn 2 * values\n}\n"
    answers = "Return twice as much.", "The values.", "What comes out."
    brief = await bench(before + picture, *answers, language="javascript").run()
    assert " * Return twice as much.\n *\n * @param values - " in brief
    assert "@returns What comes out." in brief  # which is not only read by people
    long = await bench(picture, answers[0], DETAILS, *answers[1:], language="javascript").run()
    assert f"{DETAILS}\n" in long
