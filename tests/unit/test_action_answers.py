"""From a model's answer to a sentence or nothing, and which language comments are in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.server.actions.answers import is_complete, says_more_than, sentence
from midfill.server.actions.natural import language_of_comments
from midfill.server.actions.prompt import cut, fenced


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("the number of rows", "The number of rows."),
        ("Do it, e.g. now. Then rest.", "Do it, e.g. now."),
        ("`x` is the limit", "`x` is the limit."),
        ("Version 1.5 of it.", "Version 1.5 of it."),
        ("- one\n- two", "One."),
        ("A long one\nthat goes on.", "A long one that goes on."),
        ("数を返します。次。", "数を返します。"),
        ("Answer: Yes!", "Yes!"),
        ("```\ncode\n```", None),
        ("return x;", None),
        ("1234", None),
        ("I'm sorry, but I can't.", None),
        ('End """ here.', None),
    ],
)
def test_a_sentence_or_nothing(answer: str, expected: str | None) -> None:
    assert sentence(answer) == expected


@given(st.text(max_size=400))
def test_whatever_comes_in_one_plain_line_comes_out(answer: str) -> None:
    said = sentence(answer)
    is_complete(answer)
    if said is not None:
        assert said == " ".join(said.split())
        assert said.isprintable()
        assert not any(mark in said for mark in ('"""', "'''", "*/", "```"))


@pytest.mark.parametrize(
    ("text", "known", "tells"),
    [
        ("The count.", ("count", "int"), False),
        ("The int count.", ("count", "int"), False),
        ("The counts.", ("count", ""), False),
        ("The decode object.", ("decode", "Decode"), False),
        ("How many rows there are.", ("count", "int"), True),
    ],
)
def test_what_a_name_and_a_type_say_already(text: str, known: tuple[str, str], tells: bool) -> None:
    assert says_more_than(text, *known) is tells


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("# The rows of the table are in order.\nder = die = das = und = 1\n", "English"),
        ("# Die Zeilen der Tabelle sind nicht sortiert und das ist gut.\n", "German"),
        ("// Les lignes de la table ne sont pas dans le bon ordre.\n", "French"),
        ('"""Возвращает число строк."""\n', "Russian"),
        ("/* 行の数を返します */\n", "Japanese"),
        ("# 返回表格中的所有行的数量\n", "Chinese"),
        ("x = 'Возвращает число строк'\n", "English"),
        ("", "English"),
    ],
)
def test_the_language_of_the_comments(text: str, language: str) -> None:
    assert language_of_comments(text) == language


def test_nothing_in_the_code_ends_its_fence() -> None:
    assert fenced("python", "a = '```'\n") == "````python\na = '```'\n````"


def test_a_cut_keeps_both_ends_and_its_limit() -> None:
    code = "\n".join(f"line {n}" for n in range(2000))
    short = cut(code, 200)
    assert short.startswith("line 0\n")
    assert short.endswith("line 1999")
    assert len(short) < 200 * 3
    assert len(cut("x" * 100_000, 200)) < 200 * 3
