"""Tests in other languages: written by the project's convention, checked by their syntax, never run."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from midfill.model import ChatRequest
from midfill.server.actions.source import read_source
from midfill.server.actions.targets import find_target
from midfill.server.actions.unit_tests import NoTests, Place, TestOffer, applied
from midfill.server.actions.unit_tests.convention import RUNNERS
from midfill.server.actions.unit_tests.styles import STYLES
from midfill.server.actions.unit_tests.unrun import write_unrun

JS = "function add(a, b) {\n  return a + b;\n}\nmodule.exports = { add };\n"
JS_TEST = 'test("adds", () => {\n  expect(add(1, 2)).toBe(3);\n});'
TS = "export function add(a: number, b: number): number {\n  return a + b;\n}\n"
GO = "package sums\n\nfunc Add(a, b int) int {\n\treturn a + b\n}\n"
GO_TEST = 'func TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}'
JAVA = "package a.b;\n\npublic class Sums {\n    static int add(int a, int b) { return a + b; }\n}\n"
JAVA_TEST = "@Test\nvoid adds() {\n    assertEquals(3, Sums.add(1, 2));\n}"
RUST = "fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"
RUST_TEST = "#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}"


def fenced(*tests: str) -> str:
    return "Here they are:\n```\n" + "\n\n".join(tests) + "\n```\nDone."


def write(root: Path, file: str, language: str, text: str, *answers: str) -> TestOffer:
    """Tests for the function `add` in `file`."""
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
    source = read_source(language, text)
    assert source is not None
    at = text.lower().index("add(")
    target = find_target(source, at, at)
    assert target is not None
    left = list(answers)

    async def ask(request: ChatRequest) -> str:
        assert text.partition("add")[0].strip().rpartition("\n")[2].strip() in request.messages[-1].content
        return left.pop(0)

    def open_text(path: Path) -> str | None:
        return path.read_bytes().decode() if path.exists() else None

    place = Place(text, root / file, root)
    return asyncio.run(write_unrun(place, source, target, ask, lambda _: None, open_text))


@pytest.mark.parametrize(
    ("file", "language", "code", "test", "path", "expected"),
    [
        (
            "lib/sums.js", "javascript", JS, JS_TEST, "lib/sums.test.js",
            f'const {{ add }} = require("./sums.js");\n\n{JS_TEST}\n',
        ),
        (
            "src/sums.ts", "typescript", TS, JS_TEST, "src/sums.test.ts",
            f'import {{ add }} from "./sums";\n\n{JS_TEST}\n',
        ),
        (
            "sums.go", "go", GO, GO_TEST, "sums_test.go",
            f'package sums\n\nimport "testing"\n\n{GO_TEST}\n',
        ),
        (
            "src/main/java/a/b/Sums.java", "java", JAVA, JAVA_TEST, "src/test/java/a/b/SumsTest.java",
            "package a.b;\n\nimport static org.junit.jupiter.api.Assertions.*;\n"
            "import org.junit.jupiter.api.Test;\n\nclass SumsTest {\n"
            "    @Test\n    void adds() {\n        assertEquals(3, Sums.add(1, 2));\n    }\n}\n",
        ),
        (
            "src/lib.rs", "rust", RUST, RUST_TEST, "src/lib.rs",
            RUST + "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n"
            "    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n}\n",
        ),
    ],
)  # fmt: skip
def test_a_test_stands_where_and_as_the_language_has_it(
    tmp_path, file, language, code, test, path, expected
):
    offer = write(tmp_path, file, language, code, fenced(test))
    before = (tmp_path / path).read_text() if (tmp_path / path).exists() else ""
    assert (offer.path, offer.creates) == (str(tmp_path / path), path != file)
    assert applied(before, offer.insertions) == expected
    assert offer.sentence == "1 test written, none was run: only Python's are run"
    assert not offer.ran


def test_the_runner_that_the_project_names_is_imported(tmp_path):
    (tmp_path / "package.json").write_text('{"devDependencies": {"vitest": "3"}}')
    text = applied("", write(tmp_path, "sums.ts", "typescript", TS, fenced(JS_TEST)).insertions)
    assert text.startswith('import { expect, it, test } from "vitest";\nimport { add } from "./sums";\n\n')


@pytest.mark.parametrize(
    ("file", "language", "code", "test", "path", "before", "expected"),
    [
        (
            "sums.ts", "typescript", TS, JS_TEST, "sums.test.ts",
            'import { add, more } from "./sums";\n\ntest("adds", () => {});\n',
            'import { add, more } from "./sums";\n\ntest("adds", () => {});\n\n'
            + JS_TEST.replace("adds", "adds2") + "\n",
        ),
        (
            "sums.go", "go", GO, GO_TEST.replace("3", "len(strings.Split(``, ``))"), "sums_test.go",
            'package sums\n\nimport (\n\t"testing"\n)\n\nfunc TestAdd(t *testing.T) {}\n',
            'package sums\n\nimport (\n\t"testing"\n)\nimport "strings"\n\n'
            "func TestAdd(t *testing.T) {}\n\n"
            + GO_TEST.replace("3", "len(strings.Split(``, ``))").replace("TestAdd", "TestAdd2") + "\n",
        ),
        (
            "src/main/java/Sums.java", "java", JAVA.replace("package a.b;\n\n", ""), JAVA_TEST,
            "src/test/java/SumsTest.java",
            "import org.junit.jupiter.api.Test;\r\n\r\n"
            "class SumsTest {\r\n    @Test void adds() {}\r\n}\r\n",
            "import org.junit.jupiter.api.Test;\r\n"
            "import static org.junit.jupiter.api.Assertions.*;\r\n\r\n"
            "class SumsTest {\r\n    @Test void adds() {}\r\n\r\n    @Test\r\n    void adds2() {\r\n"
            "        assertEquals(3, Sums.add(1, 2));\r\n    }\r\n}\r\n",
        ),
        (
            "a.rs", "rust", RUST + "\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n\nfn z() {}\n",
            RUST_TEST, "a.rs", "",
            RUST + "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn adds() {\n"
            "        assert_eq!(add(1, 2), 3);\n    }\n}\n\nfn z() {}\n",
        ),
    ],
)  # fmt: skip
def test_an_existing_file_is_added_to_without_a_name_or_an_import_twice(
    tmp_path, file, language, code, test, path, before, expected
):
    if before:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(before.encode())
    offer = write(tmp_path, file, language, code, fenced(test))
    assert not offer.creates
    assert applied(before or code, offer.insertions) == expected


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ('import { add } from "./sums.js";', False),
        ('import { add } from "@/other";', False),
        ('import {\n  add,\n} from ".";', False),
        ('import { add } from "../other/sums";', True),
        ('const { add } = require("./others");', True),
        ('import { add$ } from "./others";', False),
    ],
)
def test_a_name_that_comes_from_another_file_is_not_tested_by_mistake(tmp_path, line, refused):
    (tmp_path / "sums.test.ts").write_text(f"{line}\n")
    said = "nothing is added to sums.test.ts: its `add` is another, from "
    with pytest.raises(NoTests, match=said) if refused else contextlib.nullcontext():
        added = write(tmp_path, "sums.ts", "typescript", TS, fenced(JS_TEST)).insertions
        assert ('import { add } from "./sums";' in applied("", added)) == ("add$" in line)


def test_tests_of_go_do_not_get_into_another_package_that_has_not_their_names(tmp_path):
    (tmp_path / "sums_test.go").write_text("package sums_test\n")
    with pytest.raises(NoTests, match=r"nothing is added to sums_test\.go: it is in package sums_test"):
        write(tmp_path, "sums.go", "go", GO, fenced(GO_TEST))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I am sorry, I cannot do that.",
        fenced("function add(a, b) { return a + b; }"),
        fenced('test("adds", () => { add(1, 2); });'),
        fenced('test("adds", () => { expect(sum(1, 2)).toBe(3); });'),
        fenced('test("adds", () => { expect(add(1, 2)).toBe(3;'),
        fenced("def test_add():\n    assert add(1, 2) == 3"),
    ],
)
def test_what_is_no_test_of_the_function_is_not_offered(tmp_path, answer):
    with pytest.raises(NoTests, match="the model's answers held none"):
        write(tmp_path, "sums.js", "javascript", JS, answer)


def test_a_model_that_repeats_itself_is_taken_once_and_blocks_are_taken_apart(tmp_path):
    many = (
        'describe("add", () => {\n'
        + "\n".join(f'  it("n{i}", () => {{ expect(add(1, 2)).toBe(3); }});' for i in range(9))
        + "\n});"
    )
    text = applied("", write(tmp_path, "sums.js", "javascript", JS, fenced(many)).insertions)
    assert text.count("expect") == 1
    assert "describe" not in text
    assert '\nit("n0"' in text


def test_a_test_file_that_does_not_parse_is_left_alone(tmp_path):
    (tmp_path / "sums_test.go").write_text("package sums\n\nfunc (\n")
    with pytest.raises(NoTests, match="syntax error"):
        write(tmp_path, "sums.go", "go", GO, fenced(GO_TEST))


def test_every_framework_that_is_found_has_a_style():
    assert set(STYLES) == {*RUNNERS, "go", "junit4", "junit5", "cargo"}
