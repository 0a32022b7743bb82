"""Tests added to files that somebody wrote: what is there stays, and what is added runs as it did alone."""

import ast
import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from midfill.server.actions.edits import Edit
from midfill.server.actions.edits import applied as edited
from midfill.server.actions.unit_tests import NoTests, Place, Running, write_tests
from midfill.server.actions.unit_tests.case import Case, Result
from midfill.server.actions.unit_tests.convention import convention_for
from midfill.server.actions.unit_tests.function import Function, function_at
from midfill.server.actions.unit_tests.headers import PYTEST, UNITTEST
from midfill.server.actions.unit_tests.parsing import parse_answer
from midfill.server.actions.unit_tests.rendering import Insertion, applied, fits, insertions, new_file
from midfill.server.actions.unit_tests.survey import Survey

CODE = """def total(values):
    if not values:
        raise ValueError('none here')
    return sum(values)
"""
TEST = "def test_total():\n    assert total([1]) == 1\n"


def total() -> Function:
    found = function_at(CODE, 1)
    assert found is not None
    return found


def with_test(text: str, answer: str = "assert total([1]) == 1", framework: str = PYTEST) -> str:
    """`text` with the tests in a model's answer, applied as an editor does."""
    cases = parse_answer(answer, total()).cases
    assert cases
    results = [Result(case) for case in cases]
    return applied(text, insertions(text, results, [], total(), "shop.sums", framework))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("import pytest", f"import pytest\nfrom shop.sums import total\n\n\n{TEST}"),
        ('"""Tests."""', f'"""Tests."""\nfrom shop.sums import total\n\n\n{TEST}'),
        ("# Ours.\n", f"# Ours.\nfrom shop.sums import total\n\n\n{TEST}"),
        ("x = 1", f"from shop.sums import total\nx = 1\n\n\n{TEST}"),
        (
            "import a\r\n\r\n\r\ndef test_a():\r\n    pass",
            "import a\nfrom shop.sums import total\n\n\ndef test_a():\n    pass\n\n\n".replace("\n", "\r\n")
            + TEST.replace("\n", "\r\n"),
        ),
        (
            "import unittest\nif __name__ == '__main__':\n    unittest.main()",
            f"import unittest\nfrom shop.sums import total\n\n\n{TEST}\n\n"
            "if __name__ == '__main__':\n    unittest.main()",
        ),
        (
            "import sys\n\nsys.path.insert(0, '.')\n\nimport a\n\nX = 1\n",
            "import sys\n\nsys.path.insert(0, '.')\n\nimport a\nfrom shop.sums import total\n\nX = 1\n\n\n"
            f"{TEST}",
        ),
        (
            "import django\ndjango.setup()\n\n\ndef test_a():\n    import b\n",
            "import django\ndjango.setup()\nfrom shop.sums import total\n\n\n"
            f"def test_a():\n    import b\n\n\n{TEST}",
        ),
        (
            "try:\n    import a\nexcept OSError:\n    a = None\n",
            f"try:\n    import a\nexcept OSError:\n    a = None\nfrom shop.sums import total\n\n\n{TEST}",
        ),
        ("from src.shop.sums import total\n", f"from src.shop.sums import total\n\n\n{TEST}"),
        ("from ..sums import total\n", f"from ..sums import total\n\n\n{TEST}"),
        ("from shop import total\n", f"from shop import total\n\n\n{TEST}"),
    ],
)  # fmt: skip
def test_imports_and_tests_are_added_where_they_work_and_in_lines_of_their_own(text, after):
    assert with_test(text) == after
    ast.parse(after)


def test_insertions_at_one_place_keep_their_order_as_in_an_editor():
    assert applied("ab", [Insertion(1, "1"), Insertion(1, "2"), Insertion(0, "0")]) == "0a12b"
    assert edited("ab", (Edit((1, 1), "1"), Edit((1, 1), "2"), Edit((1, 2), "B"))) == "a12B"


def test_an_import_by_another_name_keeps_it_in_a_file_that_is_there():
    after = with_test("import os\n", "from decimal import Decimal as D\nassert total([D(1)]) == 1")
    assert "from decimal import Decimal as D\n" in after


ANSWERS = (
    "with pytest.raises(ValueError, match='none'):\n    total([])",
    "with pytest.raises(ValueError) as info:\n    total([])\nassert str(info.value) == 'none here'",
    "assert total([66.66666, 0.00001]) == 66.6667",
    "assert total([1, 0.45]) == pytest.approx(1.5, abs=0.1)",
    "assert pytest.approx(1.5) == total([1.5])",
    "assert [total([1]), 0.1] == [1, 0.1]",
    "assert (total([1]) == 2) == False",
    "assert total([1]) not in (2, 3)",
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_passes_as_pytest_runs_it_passes_as_unittest_has_it(tmp_path: Path, answer: str):
    text = "def test():\n" + "".join(f"    {line}\n" for line in answer.split("\n"))
    cases = parse_answer(text, total()).cases
    assert cases
    (tmp_path / "sums.py").write_text(CODE)
    for framework, command in (
        (PYTEST, ["pytest", "-q", "-p", "no:cacheprovider"]),
        (UNITTEST, ["unittest"]),
    ):
        assert all(fits(case, framework) for case in cases)
        written = new_file([Result(case) for case in cases], [], total(), "sums", framework)
        assert ("pytest" in written) <= (framework == PYTEST)
        (tmp_path / "test_sums.py").write_text(written)
        ended = subprocess.run(
            [sys.executable, "-m", *command, "test_sums.py"], cwd=tmp_path, capture_output=True, text=True
        )
        assert ended.returncode == 0, written + ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "body",
    [
        "with pytest.warns(UserWarning):\n    total([])",
        "assert total(tmp_path) == 1",
        "assert total([]) != pytest.approx(1.5)",
        "assert total([]) == pytest.approx({'a': 1.5})",
        "assert total([]) == pytest.approx(1.5, nan_ok=True)",
    ],
)
def test_what_unittest_cannot_say_does_not_fit(body):
    assert fits(Case("test_a", body), PYTEST)
    assert not fits(Case("test_a", body), UNITTEST)


@pytest.mark.parametrize(
    ("path", "files", "test"),
    [
        ("shop/models.py", {"blog/models.py", "blog/tests/test_models.py"}, "shop/tests/test_models.py"),
        ("blog/models.py", {"shop/models.py", "blog/tests/test_models.py"}, "blog/tests/test_models.py"),
        (
            "services/a/x.py",
            {"services/b/y.py", "services/b/tests/test_y.py"},
            "services/a/tests/test_x.py",
        ),
        ("services/a/x.py", {"python/tests/test_y.py"}, "python/tests/test_x.py"),
        (
            "app/api/x.py",
            {"app/db/x.py", "tests/db/test_x.py", "tests/api/test_y.py"},
            "tests/api/test_x.py",
        ),
        ("a/pkg/x.py", {"tests/test_y.py", "a/tests/test_z.py"}, "a/tests/test_x.py"),
    ],
)
def test_a_namesake_s_tests_and_another_package_s_folder_are_not_taken(path, files, test):
    found = convention_for("python", path, {path, *files}, lambda _: "")
    assert found is not None
    assert (found.path, found.exists) == (test, test in files)


def test_a_component_s_index_does_not_get_into_another_component_s_tests():
    files = {"src/Button/index.tsx", "src/Card/index.tsx", "src/Card/index.test.tsx"}
    found = convention_for("typescriptreact", "src/Button/index.tsx", files, lambda _: "")
    assert found is not None
    assert (found.path, found.exists) == ("src/Button/index.test.tsx", False)


def test_a_package_called_build_is_code_and_a_folder_of_that_name_is_not(tmp_path: Path):
    for name in ("pkg/build/__init__.py", "pkg/build/a.py", "build/b.py", "node_modules/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert Survey(tmp_path).files == {"pkg/build/__init__.py", "pkg/build/a.py"}
    assert "build/b.py" in Survey(tmp_path).around("build/c.py")


def test_a_link_that_leads_out_of_the_workspace_is_not_read(tmp_path: Path):
    (tmp_path / "out.py").write_text("elsewhere")
    (tmp_path / "w").mkdir()
    (tmp_path / "w/a.py").write_text("here")
    (tmp_path / "w/test_a.py").symlink_to(tmp_path / "out.py")
    (tmp_path / "w/test_b.py").symlink_to("a.py")
    survey = Survey(tmp_path / "w")
    assert [survey.read(name) for name in ("test_a.py", "test_b.py", "a.py")] == ["", "here", "here"]


async def nothing(_: object) -> str:
    return "assert total([1]) == 1"


@pytest.mark.parametrize(
    ("existing", "said"),
    [
        ("from blog.models import total\n", "`total` is that of `blog.models` in"),
        ("from numpy import sum as total\n", "`total` is that of `numpy` in"),
        ("def total(values):\n    return 3\n", "`total` is its own in"),
    ],
)
def test_a_name_that_means_something_else_in_the_test_file_is_refused(tmp_path, existing, said):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_sums.py").write_text(existing)
    with pytest.raises(NoTests, match=said):
        asyncio.run(write_tests(Place(CODE, tmp_path / "sums.py", tmp_path), 1, nothing, Running()))
