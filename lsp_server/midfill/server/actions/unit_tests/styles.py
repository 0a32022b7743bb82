"""How tests look outside Python: a table of values, one row a framework. Knows no model and no file.

The examples are shown to the model as what it once answered; a small model copies their form.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    told: str
    """What the model is told to write in."""
    code: str
    """The example's function, `clamp`."""
    tests: str
    """The example's tests."""
    name: str
    """Finds a test's name in its text: the pattern's first group."""
    asserts: str
    """Finds what makes a test one."""
    imports: tuple[tuple[str, str], ...] = ()
    """(pattern, import): each that the tests' text asks for."""
    opens: str = ""
    """Before the tests, where they have something around them; `{name}` is the file's."""
    closes: str = ""
    indent: str = ""


_SCRIPT = "function clamp(x, low, high) {\n  return Math.min(Math.max(x, low), high);\n}"
_EXPECT = """test("clamp keeps what is inside", () => {
  expect(clamp(5, 0, 10)).toBe(5);
});

test("clamp raises to the lower limit", () => {
  expect(clamp(-3, 0, 10)).toBe(0);
});

test("clamp reduces to the upper limit", () => {
  expect(clamp(12, 0, 10)).toBe(10);
});"""
_ASSERT = """it("clamp keeps what is inside", () => {
  assert.deepStrictEqual(clamp(5, 0, 10), 5);
});

it("clamp raises to the lower limit", () => {
  assert.deepStrictEqual(clamp(-3, 0, 10), 0);
});

it("clamp reduces to the upper limit", () => {
  assert.deepStrictEqual(clamp(12, 0, 10), 10);
});"""
_TITLE = r"\b(?:test|it)\(\s*[\"'`]([^\"'`\n]+)"
_GO = """func clamp(x, low, high int) int {
	return min(max(x, low), high)
}"""
_GO_TESTS = """func TestClampInside(t *testing.T) {
	if got := clamp(5, 0, 10); got != 5 {
		t.Errorf("clamp(5, 0, 10) = %v, want 5", got)
	}
}

func TestClampLow(t *testing.T) {
	if got := clamp(-3, 0, 10); got != 0 {
		t.Errorf("clamp(-3, 0, 10) = %v, want 0", got)
	}
}"""
_JAVA = """class Limits {
    static int clamp(int x, int low, int high) {
        return Math.min(Math.max(x, low), high);
    }
}"""
_JAVA_TESTS = """@Test
void clampKeepsWhatIsInside() {
    assertEquals(5, Limits.clamp(5, 0, 10));
}

@Test
void clampRaisesToTheLowerLimit() {
    assertEquals(0, Limits.clamp(-3, 0, 10));
}"""
_RUST = "fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    x.max(low).min(high)\n}"
_RUST_TESTS = """#[test]
fn clamp_keeps_what_is_inside() {
    assert_eq!(clamp(5, 0, 10), 5);
}

#[test]
fn clamp_raises_to_the_lower_limit() {
    assert_eq!(clamp(-3, 0, 10), 0);
}"""


def _junit(package: str, assertions: str) -> Style:
    return Style(
        "JUnit",
        _JAVA,
        _JAVA_TESTS,
        r"\bvoid\s+(\w+)\s*\(",
        r"\bassert\w+\(|\bfail\(",
        (
            (r"\bassert\w+\(|\bfail\(", f"import static {package}.{assertions}.*;"),
            ("@Test", f"import {package}.Test;"),
            (r"\b(?:Linked|Hash|Tree)?(?:List|Map|Set)\b|\bArrays\b", "import java.util.*;"),
        ),
        "class {name} {{\n",
        "}\n",
        "    ",
    )


STYLES = {
    "jest": Style("Jest", _SCRIPT, _EXPECT, _TITLE, r"\bexpect\("),
    "vitest": Style(
        "Vitest",
        _SCRIPT,
        _EXPECT,
        _TITLE,
        r"\bexpect\(",
        ((".", 'import { expect, it, test } from "vitest";'),),
    ),
    "mocha": Style(
        "Mocha and node:assert",
        _SCRIPT,
        _ASSERT,
        _TITLE,
        r"\bassert\b",
        ((".", 'import assert from "node:assert";'),),
    ),
    "go": Style(
        "Go's testing package",
        _GO,
        _GO_TESTS,
        r"\bfunc\s+(Test\w+)\s*\(",
        r"\bt\.(?:Error|Fatal|Fail)",
        tuple(
            (rf"\b{name}\.", f'import "{name}"')
            for name in ("errors", "fmt", "math", "reflect", "sort", "strings", "testing")
        ),
    ),
    "junit5": _junit("org.junit.jupiter.api", "Assertions"),
    "junit4": _junit("org.junit", "Assert"),
    "cargo": Style(
        "Rust's test attribute",
        _RUST,
        _RUST_TESTS,
        r"\bfn\s+(\w+)\s*\(",
        r"\bassert\w*!",
        (),
        "#[cfg(test)]\nmod tests {{\n    use super::*;\n\n",
        "}\n",
        "    ",
    ),
}
"""By the framework of a `Convention`."""
