"""Answers in the wrong natural language: noticed, asked for once more, then refused with the reason."""

import threading

import pytest

from midfill.server.actions import explain
from midfill.server.actions.docstrings import WriteDocstring, write
from midfill.server.actions.explain import Explain
from midfill.server.actions.natural import may_be_in
from tests.unit.action_bench import Bench

RUSSIAN = "# Эта функция удваивает число и возвращает его.\n"
PICTURE = "def f():\n    pass║\n"
REMINDER = "Answer in {} and in no other language."


@pytest.mark.parametrize(
    ("language", "said", "may_be"),
    [
        ("English", "Return one per line, non-empty.", True),
        ("English", "A list as a whole, no more, do not use as is.", True),
        ("English", "Sort.", True),
        ("English", "Gibt die Summe der Werte zurück.", False),
        ("English", "Devuelve la suma de los valores.", False),
        ("English", "返回一个列表。", False),
        ("German", "Gibt die Summe der Werte zurück.", True),
        ("German", "Sortiert `values` der Länge nach.", True),
        ("German", "Return the sum of the values.", False),
        ("French", "Renvoie la somme des valeurs de la liste.", True),
        ("French", "Devuelve la suma de los valores de la lista.", False),
        ("Spanish", "Devuelve la suma de los valores de la lista.", True),
        ("Portuguese", "Retorna a soma dos valores.", True),
        ("Italian", "Restituisce la somma dei valori della lista.", True),
        ("Russian", "Return the sum of the values.", False),
        ("Russian", "Удваивает `value` и возвращает list из int.", True),
        ("Japanese", "値の合計を返す。", True),
        ("Japanese", "返回列表的总和。", True),  # kanji alone: in doubt, yes
        ("Chinese", "値の合計を返す。", False),
        ("Chinese", "返回列表 values 的总和。", True),
        ("Korean", "값의 합계를 반환합니다.", True),
        ("Korean", "Return the sum of `값`.", False),
    ],
)
def test_whether_a_sentence_may_be_in_a_language(language: str, said: str, may_be: bool) -> None:
    assert may_be_in(language, said) is may_be


async def test_a_foreign_answer_is_asked_for_once_more_and_told_so() -> None:
    bench_ = Bench(WriteDocstring(), RUSSIAN + PICTURE, "Double the number.", "Удваивает число.")
    assert '"""Удваивает число."""' in await bench_.run()
    first, second = (request.messages[-1].content for request in bench_.host.asked)
    assert REMINDER.format("Russian") not in first
    assert second.endswith(REMINDER.format("Russian"))


@pytest.mark.parametrize(
    ("code", "answer", "language"),
    [
        (RUSSIAN + PICTURE, "Double the number.", "Russian"),
        (PICTURE, "Gibt die Summe der Werte zurück.", "English"),
    ],
)
async def test_a_second_foreign_answer_is_refused_with_the_reason(
    code: str, answer: str, language: str
) -> None:
    bench_ = Bench(WriteDocstring(), code, answer)
    before = bench_.text
    assert await bench_.run() == before
    assert bench_.told[0].startswith(f"the model does not answer in {language}, the language of this")
    assert len(bench_.host.asked) == 2


async def test_a_foreign_answer_to_a_later_question_is_refused_too() -> None:
    picture = RUSSIAN + "def f(a):\n    pass║\n"
    bench_ = Bench(WriteDocstring(), picture, "Удваивает число.", "The number of the values.")
    before = bench_.text
    assert await bench_.run() == before
    assert "does not answer in Russian" in bench_.told[0]


async def test_explanations_keep_to_the_language_as_well() -> None:
    bench_ = Bench(Explain(), RUSSIAN + "║x = 1║\n", "Set the value of x.", "Задаёт число.")
    assert "# Задаёт число.\nx = 1" in await bench_.run()
    bench_ = Bench(Explain(), RUSSIAN + "║x = 1║\n", "Set the value of x.")
    assert "x = 1" in await bench_.run()
    assert "does not answer in Russian" in bench_.told[0]


async def test_nothing_looks_at_the_whole_file_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    here = threading.current_thread()
    looked: list[str] = []

    def watched(module: object, name: str) -> None:
        function = getattr(module, name)

        def run(*arguments: object) -> object:
            assert threading.current_thread() is not here, name
            looked.append(name)
            return function(*arguments)

        monkeypatch.setattr(module, name, run)

    for name in ("find_target", "targets_of", "Interview", "style_of", "quotes_of", "width_of", "place"):
        watched(write, name)
    for name in ("language_of_comments", "width_of"):
        watched(explain, name)
    await Bench(WriteDocstring(), "class A:\n    x = 1║\n", "Do it.").run()
    await Bench(Explain(), "║x = 1║\n", "Do it.").run()
    assert {*looked} >= {"targets_of", "Interview", "style_of", "quotes_of", "width_of", "place"}
    assert "language_of_comments" in looked
