"""Which of the model's sentences a docstring takes: none that tells nothing, or that the prompt said."""

from dataclasses import replace

import pytest

from tests.unit.test_docstring_action import ANSWERS, SCALE, bench


async def test_details_that_tell_more_than_the_summary_are_kept() -> None:
    answers = (ANSWERS[0], "Every value is multiplied, unless the list is empty.", *ANSWERS[2:])
    found = await bench(SCALE, *answers).run()
    assert "number.\n\n    Every value is multiplied, unless the list is empty.\n\n    Args:" in found


@pytest.mark.parametrize(("parameters", "asks"), [(630_000_000, False), (6_700_000_000, True), (0, True)])
async def test_a_small_model_is_not_asked_for_details_which_it_makes_up(
    parameters: int, asks: bool
) -> None:
    """Of 36 paragraphs of the default model's 15 were wrong (0: a model of unknown size)."""
    details = "Every value is multiplied, unless the list is empty."
    bench_ = bench(SCALE, ANSWERS[0], *[details] * asks, *ANSWERS[2:])
    bench_.host.info = replace(bench_.host.info, parameters=parameters)
    found = await bench_.run()
    assert (details in found) is asks
    assert "        values: The numbers to scale.\n" in found


@pytest.mark.parametrize("subject", ["The function `scale`", "The function", "It"])
async def test_details_that_only_name_the_input_are_left_out(subject: str) -> None:
    answers = (ANSWERS[0], f"{subject} takes a list and some factor as input.", *ANSWERS[2:])
    assert await bench(SCALE, *answers).run() == await bench(SCALE).run()


async def test_a_parameter_that_was_told_by_its_name_alone_is_asked_for_with_a_hint() -> None:
    bench_ = bench("def f(count: int):\n    pass║\n", "Do it.", "The count.", "How often to do it.")
    assert "        count: How often to do it.\n" in await bench_.run()
    *_, first, second = (request.messages[-1].content for request in bench_.host.asked)
    assert second == f'{first} Say what `f` does with it, and begin with "The count".'


async def test_sentences_of_the_prompts_own_example_are_left_out() -> None:
    copied = "All others come back unchanged, as they were before."
    answers = (ANSWERS[0], f"{copied} Multiply all of the values by one factor.", *ANSWERS[2:])
    found = await bench(SCALE, *answers).run()
    assert "number.\n\n    Multiply all of the values by one factor.\n\n    Args:" in found


@pytest.mark.parametrize(
    "copied",
    [
        'The count, which tells how often, and begin with "The count".',
        "How often to do it, say [0.2, 0.5, 7.0].",
    ],
)
async def test_a_parameter_is_not_told_in_words_of_the_question_or_numbers_of_the_example(
    copied: str,
) -> None:
    found = await bench("def f(count: int):\n    pass║\n", "Do it.", copied, "How often to do it.").run()
    assert "        count: How often to do it.\n" in found


async def test_numbers_of_the_users_code_may_be_told() -> None:
    picture = "def f(count: int):\n    return count or 7.0║\n"
    found = await bench(picture, "Do it.", "How often to do it, or 7.0 times.", "Itself.").run()
    assert "        count: How often to do it, or 7.0 times.\n" in found
