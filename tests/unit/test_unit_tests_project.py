"""A project's conventions, import paths and `unittest` files: all that is pure."""

import ast

import pytest

from midfill.server.actions.unit_tests.case import Case, Result
from midfill.server.actions.unit_tests.convention import Convention, convention_for
from midfill.server.actions.unit_tests.function import function_at
from midfill.server.actions.unit_tests.importing import Module, module_of
from midfill.server.actions.unit_tests.rendering import UNITTEST, applied, insertions, new_file
from tests.unit.test_unit_tests_mutants import CODE

VITEST = '{"devDependencies": {"vitest": "1"}}'
UNIT = "import unittest\nclass T(unittest.TestCase): ..."


@pytest.mark.parametrize(
    ("language", "path", "files", "framework", "test"),
    [
        ("python", "a.py", {}, "pytest", "tests/test_a.py"),
        ("python", "a.py", {"tests/test_a.py": ""}, "pytest", "tests/test_a.py"),
        ("python", "a.py", {"test/test_b.py": UNIT}, "unittest", "test/test_a.py"),
        ("python", "a.py", {"test/test_b.py": UNIT, "pytest.ini": ""}, "pytest", "test/test_a.py"),
        ("python", "p/a.py", {"p/b_test.py": "", "p/c_test.py": ""}, "pytest", "p/a_test.py"),
        (
            "python",
            "src/p/q/a.py",
            {"tests/q/test_b.py": "", "src/p/q/b.py": ""},
            "pytest",
            "tests/q/test_a.py",
        ),
        (
            "python",
            "src/p/r/a.py",
            {"tests/q/test_b.py": "", "src/p/q/b.py": ""},
            "pytest",
            "tests/r/test_a.py",
        ),
        (
            "python",
            "p/q/a.py",
            {"tests/r/test_a.py": "", "tests/q/test_a.py": ""},
            "pytest",
            "tests/q/test_a.py",
        ),
        ("typescript", "src/a.ts", {"package.json": VITEST}, "vitest", "src/a.test.ts"),
        ("javascript", "src/a.js", {"src/__tests__/b.test.js": ""}, "jest", "src/__tests__/a.test.js"),
        ("javascript", "src/a.js", {"src/b.spec.js": "", "package.json": "{"}, "jest", "src/a.spec.js"),
        ("go", "p/a.go", {}, "go", "p/a_test.go"),
        ("java", "src/main/java/x/A.java", {}, "junit5", "src/test/java/x/ATest.java"),
        ("java", "A.java", {"build.gradle": "'junit:junit:4.13'"}, "junit4", "ATest.java"),
        ("rust", "src/a.rs", {}, "cargo", "src/a.rs"),
    ],
)  # fmt: skip
def test_where_and_how_a_project_keeps_its_tests(language, path, files, framework, test):
    found = convention_for(language, path, {path, *files}, lambda name: files.get(name, ""))
    assert found == Convention(framework, test, test in files or test == path)


def test_a_language_without_a_convention_has_none():
    assert convention_for("c", "a.c", {"a.c"}, lambda _: "") is None


@pytest.mark.parametrize(
    ("path", "files", "pyproject", "module"),
    [
        ("a.py", set(), "", Module("a", ".")),
        ("p/a.py", {"p/__init__.py"}, "", Module("p.a", ".")),
        ("src/p/a.py", {"src/p/__init__.py"}, "", Module("p.a", "src")),
        ("src/n/p/a.py", {"src/n/p/__init__.py"}, "", Module("n.p.a", "src")),
        ("lib/n/a.py", set(), '[tool.pytest.ini_options]\npythonpath = ["lib"]', Module("n.a", "lib")),
        ("scripts/a.py", set(), "not toml [", Module("a", "scripts")),
        ("p/__init__.py", {"p/__init__.py"}, "", Module("p", ".", True)),
        ("my-script.py", set(), "", None),
    ],
)
def test_by_which_name_a_test_imports_the_module(path, files, pyproject, module):
    assert module_of(path, {path, "pyproject.toml", *files}, lambda _: pyproject) == module


FUNCTION = function_at(CODE, 2)
RESULTS = [
    Result(Case("test_total", "assert total([1]) == 2", ("total",))),
    Result(
        Case("test_total_half", "assert total([.5]) == pytest.approx(1.5)", ("total",), ("import pytest",))
    ),
    Result(Case("test_total_is_none", "assert total([]) is None", ("total",))),
]


def test_a_project_with_unittest_gets_a_class_with_methods():
    text = new_file(RESULTS, [], FUNCTION, "p.sums", UNITTEST)
    assert text == (
        "import unittest\n\nfrom p.sums import total\n\n\n"
        "class TotalTest(unittest.TestCase):\n"
        "    def test_total(self):\n        self.assertEqual(total([1]), 2)\n\n"
        "    def test_total_half(self):\n"
        "        self.assertAlmostEqual(total([.5]), 1.5, delta=1.5e-06)\n\n"
        "    def test_total_is_none(self):\n        self.assertIs(total([]), None)\n"
    )
    before = f"{text}\n\nif __name__ == '__main__':\n    unittest.main()\n"
    after = applied(before, insertions(before, RESULTS[:1], [], FUNCTION, "p.sums", UNITTEST))
    assert "class TotalTest2(unittest.TestCase):" in after
    assert after.index("TotalTest2") < after.index("__main__")
    assert after.count("import unittest") == 1
    ast.parse(after)
