"""Where docstrings and doc comments go, language by language: the file before and after."""

import pytest

from midfill.server.actions.docstrings import WriteDocstring
from tests.unit.action_bench import Bench


def bench(picture: str, *answers: str, language: str = "python") -> Bench:
    return Bench(WriteDocstring(), picture, *answers, language=language)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(): x ║= 1\n", 'def f():\n    """Do it."""\n    x = 1\n'),
        ("def f(): ...║\n", 'def f():\n    """Do it."""\n    ...\n'),
        ("def f(): 'old'; x║ = 1\n", 'def f():\n    """Do it."""\n    x = 1\n'),
        ("def f(): '║old'\n", 'def f():\n    """Do it."""\n'),
        ("def f():  # w\n    # why\n    pass║\n", 'def f():  # w\n    """Do it."""\n    # why\n    pass\n'),
        ("class A:\n\tdef f(self):\n\t\tpass║\n", 'class A:\n\tdef f(self):\n\t\t"""Do it."""\n\t\tpass\n'),
        ("@d\nasync def f():\n  pass║\n", '@d\nasync def f():\n  """Do it."""\n  pass\n'),
        ("class A║:\r\n    x = 1\r\n", 'class A:\r\n    """Do it."""\r\n    x = 1\r\n'),
        (
            "def f():\n    pass\n\n    def g():\n        pass║",
            'def f():\n    pass\n\n    def g():\n        """Do it."""\n        pass',
        ),
        (
            "class A:\n    @property\n    def p║(self): pass\n",
            'class A:\n    @property\n    def p(self):\n        """Do it."""\n        pass\n',
        ),
    ],
)  # fmt: skip
async def test_where_it_goes(before: str, after: str) -> None:
    assert await bench(before, "Do it.").run() == after


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        (
            "javascript",
            "class A {\n  get(key, more = 1) {\n    throw new Error(ke║y);\n  }\n}\n",
            "class A {\n  /**\n   * One.\n"
            "   *\n   * @param key - A word.\n   * @param [more=1] - Three.\n"
            "   * @throws {Error} Four.\n   */\n  get(key, more = 1) {\n    throw new Error(key);\n  }\n"
            "}\n",
        ),
        (
            "typescript",
            "/** Old. */\nexport const f = (a: number): number => a║;\n",
            "/**\n * One.\n *\n * @param a - A word.\n * @returns Three.\n */\n"
            "export const f = (a: number): number => a;\n",
        ),
        (
            "java",
            "class A {\n  @Override\n  int f(int a) {║ return a; }\n}\n",
            "class A {\n  /**\n   * One.\n   *\n   * @param a A word.\n   * @return Three.\n   */\n"
            "  @Override\n  int f(int a) { return a; }\n}\n",
        ),
        (
            "go",
            "// Old.\nfunc F(a int) int { return ║a }\n",
            "// F: one.\n//\n// Parameters:\n//   - a: A word.\n//\n// Returns three.\n"
            "func F(a int) int { return a }\n",
        ),
        (
            "rust",
            "#[inline]\nfn f(a: u8) -> u8 { a║ }\n",
            "/// One.\n///\n/// # Arguments\n///\n/// * `a` - A word.\n///\n/// # Returns\n///\n"
            "/// Three.\n#[inline]\nfn f(a: u8) -> u8 { a }\n",
        ),
        (
            "cpp",
            "template <class T>\nint f(T a) {║ return 1; }\n",
            "/**\n * @brief One.\n *\n * @param a A word.\n * @return Three.\n */\n"
            "template <class T>\nint f(T a) { return 1; }\n",
        ),
        ("c", "void f(void) {║}\r\n", "/** @brief One. */\r\nvoid f(void) {}\r\n"),
        (
            "c",
            "// NOLINTNEXTLINE(x)\nvoid f(void) {║}\n",
            "/** @brief One. */\n// NOLINTNEXTLINE(x)\nvoid f(void) {}\n",
        ),
        (
            "typescript",
            "class A {\n  // @ts-ignore\n  @Input()\n  f() {║}\n}\n",
            "class A {\n  /** One. */\n  // @ts-ignore\n  @Input()\n  f() {}\n}\n",
        ),
        (
            "javascript",
            "/* istanbul ignore next */ function f() {║}\n",
            "/** One. */\n/* istanbul ignore next */ function f() {}\n",
        ),
        (
            "javascript",
            "/** Old. */\n// eslint-disable-next-line complexity -- it is\nfunction f() {║}\n",
            "/** One. */\n// eslint-disable-next-line complexity -- it is\nfunction f() {}\n",
        ),
        ("go", "//export F\nfunc F() {║}\n", "// F: one.\n//\n//export F\nfunc F() {}\n"),
        (
            "go",
            "//nolint:unused\r\n//go:noinline\r\nfunc F() {║}\r\n",
            "// F: one.\r\n//\r\n//nolint:unused\r\n//go:noinline\r\nfunc F() {}\r\n",
        ),
        (
            "go",
            "// F does.\n// More.\n//\n//go:noinline\nfunc F() {║}\n",
            "// F: one.\n//\n//go:noinline\nfunc F() {}\n",
        ),
    ],
)
async def test_other_languages(language: str, before: str, after: str) -> None:
    assert await bench(before, "One.", "A word.", "Three.", "Four.", language=language).run() == after


@pytest.mark.parametrize(
    ("language", "picture", "comment"),
    [
        (
            "javascript",
            'function find(pattern = "**/*.js") {║}\n',
            "/**\n * Find.\n *\n * @param [pattern] - The pattern to work with.\n */\n",
        ),
        (
            "javascript",
            "function find(pattern = '*.js') {║}\n",
            "/**\n * Find.\n *\n"
            " * @param [pattern='*.js'] - The pattern to work with; '*.js' if left out.\n */\n",
        ),
        (
            "typescript",
            "function end(mark: '*/' = '*/'): '*/' {║}\n",
            "/**\n * End.\n *\n * @param mark - The mark to work with.\n * @returns The result.\n */\n",
        ),
        (
            "java",
            "List</* of */ A> all(Map<A, /* to */ B> map) throws /* if */ C {║}\n",
            "/**\n * All.\n *\n * @param map The map to work with.\n * @return The result.\n"
            " * @throws C Raised explicitly here.\n */\n",
        ),
        (
            "cpp",
            "int end(std::vector<int /* x */> all = {/* none */}) { throw /* x */ A(); ║}\n",
            "/**\n * @brief End.\n *\n * @param all The all to work with.\n"
            " * @return The result of type int.\n * @throws A Raised explicitly here.\n */\n",
        ),
    ],
)
@pytest.mark.parametrize("answer", ["", "It ends at */ there.", "*/"])
async def test_neither_code_nor_an_answer_can_end_a_comment(
    language: str, picture: str, comment: str, answer: str
) -> None:
    bench_ = bench(picture, answer, language=language)
    before = bench_.text
    assert await bench_.run() == comment + before


async def test_a_python_docstring_shows_what_would_end_a_comment_elsewhere() -> None:
    found = await bench("def f(pattern='**/*.py'):\n    pass║\n", "").run()
    assert "pattern: The pattern to work with; '**/*.py' if left out." in found
