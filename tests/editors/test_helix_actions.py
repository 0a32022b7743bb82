"""Midfill's code actions in real Helix, by its own menu."""

import pytest

from tests.editors.projects import ANSWERS, CODE, WRITTEN, python_project
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.editor


def test_a_docstring_by_helixs_code_actions(start_helix):
    answers = ["Do it.", "A thing to do."]
    with start_helix("def f(a):\n    return a * 2\n", scriptedAnswers=answers) as helix:
        helix.wait_until_ready()
        helix.type("j")
        helix.act("write the docstring of `f`")
        helix.wait_for("the docstring", lambda: helix.shows('"""Do it.'))
        assert helix.saved().startswith(
            'def f(a):\n    """Do it.\n\n    Args:\n        a: A thing to do.\n'
        )
        helix.type("u")
        assert helix.saved() == "def f(a):\n    return a * 2\n"


def test_unit_tests_are_run_after_a_yes_and_written_into_a_new_file(start_helix, sandbox):
    with start_helix(CODE, name="twice.py", scriptedAnswers=ANSWERS) as helix:
        python_project(helix.file.parent)
        helix.wait_until_ready()
        helix.act("write unit tests for `double`")
        helix.wait_for("the question", lambda: helix.shows("This session"))
        helix.press("Enter")
        tests = helix.file.parent / "tests/test_twice.py"
        helix.wait_for("the outcome", lambda: helix.shows("1 of 2 tests passes"))
        helix.command("write-all")
        helix.wait_for("the tests", lambda: tests.exists() and tests.read_text() == WRITTEN)
        assert helix.file.read_text() == CODE
