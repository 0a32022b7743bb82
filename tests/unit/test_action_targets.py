"""What an action is about, told from a cursor or a selection: pictures in every language."""

import pytest

from midfill.server.actions.source import Source, read_source
from midfill.server.actions.targets import Target, find_target, targets_of
from tests.cursor import parse
from tests.unit.action_files import CPP, DESCRIBED, GO, JAVA, RUST, SCRIPT, C


def picture(target: Target | None) -> str:
    """A target in one line: what it is, takes, gives, raises, and what else there is to know."""
    if target is None:
        return "nothing"
    name = ".".join(filter(None, (target.enclosing, target.name)))
    taken = ", ".join(
        one.stars
        + one.name
        + (f": {one.type}" if one.type else "")
        + ("=" + one.default if one.default else "")
        for one in target.parameters
    )
    flags = ("returns", "yields", "is_async", "is_constructor", "has_errors")
    words = [
        *target.decorators,
        str(target.kind),
        f"{name}({taken})",
        f"-> {target.return_type}" * bool(target.return_type),
        *(f"!{name}" for name in target.raises),
        *(flag.removeprefix("is_") for flag in flags if getattr(target, flag)),
        "doc" * bool(target.doc),
    ]
    return " ".join(word for word in words if word)


def read(language: str, text: str) -> Source:
    source = read_source(language, text)
    assert source is not None
    return source


def part(source: Source, span: tuple[int, int] | None) -> str:
    return "" if span is None else source.text[slice(*span)]


@pytest.mark.parametrize(("language", "text", "expected"), DESCRIBED)
def test_every_definition_of_a_file_is_found_and_described(
    language: str, text: str, expected: list[str]
) -> None:
    assert [picture(target) for target in targets_of(read(language, text))] == expected


@pytest.mark.parametrize(
    ("language", "shown", "name"),
    [
        ("python", "def f(a):\n    return ║a\n", "f"),
        ("python", "║def f(a): pass\n", "f"),
        ("python", "class A:\n║    def f(a): pass\n", "f"),
        ("python", "class A:\n    x = 1║\n    def f(a): pass\n", "A"),
        ("python", "@de║c\ndef f(a): pass\n", "f"),
        ("python", "def f(a):\n    def g(): pass║\n", "g"),
        ("python", "def f(a):\n    return lambda x: ║x\n", "f"),
        ("python", "x = ║1\ndef f(a): pass\n", ""),
        ("python", "║", ""),
        ("python", "\n\n║\n", ""),
        ("javascript", "/** do║c */\nexport const f = a => a\n", "f"),
        ("javascript", "// else║where\n\nfunction f() {}\n", ""),
        ("javascript", "function f() { g(x => x║) }", "f"),
        ("javascript", "function f() { }║\n", "f"),
        ("go", "// F║ does.\n// More.\nfunc F() {}\n", "F"),
        ("rust", "/// d║oc\n#[inline]\nfn f() {}\n", "f"),
        ("rust", "/// doc\n#[in║line]\nfn f() {}\n", "f"),
        ("typescript", "// @ts-ig║nore\nfunction f() {}\n", "f"),
        ("typescript", "/** do║c */\n// @ts-ignore\nfunction f() {}\n", "f"),
        ("typescript", "/** do║c */\n// elsewhere\nfunction f() {}\n", ""),
        ("javascript", "exp║ort const f = a => a\n", "f"),
        ("python", "x = '😀'\ndef f(): '😀'; re║turn 1\n", "f"),
        ("cpp", "void A::run() {\n  std::lock_guard<std::mutex> lock(mu║tex_);\n}\n", "run"),
        ("cpp", "void run() {\n  for (;;) { Foo x(y║); }\n}\n", "run"),
        ("cpp", "class A { void run() {\n  Foo x(y║);\n} };\n", "run"),
        ("cpp", "void run() {\n  struct L { int get(int x) { ret║urn x; } };\n}\n", "get"),
        ("cpp", "void run() {\n  struct L { int get(int ║x); };\n}\n", "L"),
        ("cpp", "namespace n { int get(int ║x); }\n", "get"),
        ("cuda-cpp", "void run() {\n  dim3 grid(bl║ocks);\n}\n", "run"),
        ("c", "int f(void) {\n  int g(int ║a);\n}\n", "f"),
    ],
)
def test_the_innermost_definition_at_the_cursor(language: str, shown: str, name: str) -> None:
    text, offset = parse(shown)
    found = find_target(read(language, text), offset, offset)
    assert (found.name if found else "") == name


def test_a_selection_of_whole_lines_means_the_definition_in_it() -> None:
    text = "x = 1\n\n@dec\ndef f(a):\n    return a\n\n\ndef g():\n    pass\n"
    source = read("python", text)
    assert find_target(source, text.index("@dec"), text.index("def g")).name == "f"  # type: ignore[union-attr]
    assert find_target(source, 0, len(text)).name == "f"  # type: ignore[union-attr]
    assert find_target(source, 0, 5) is None


def test_spans_are_code_points_and_leave_comments_and_decorators_where_they_belong() -> None:
    text = (
        "# ünïcode 😀\n  # x\nclass A:\n\t@dec  # why\n\tdef f(self,\n\t\ta):  # c\n"
        "\t\t# d\n\t\t'''é'''\n\t\treturn 'ü'\n"
    )
    source = read("python", text)
    (_, target) = targets_of(source)
    assert part(source, target.span) == text[text.index("@dec") : -1]
    assert part(source, target.signature) == "def f(self,\n\t\ta):"
    assert part(source, target.body) == "'''é'''\n\t\treturn 'ü'"
    assert part(source, target.doc) == "'''é'''"
    assert target.indent == "\t"


@pytest.mark.parametrize(
    ("language", "text", "signature", "body", "doc"),
    [
        (
            "javascript",
            SCRIPT,
            "export default async function f(a, b = 2, {c, d}, ...rest)",
            "{ throw",
            "/** doc */",
        ),
        ("java", JAVA, "@Deprecated\npublic class A<T>", "{\n  /** x", "/** d */"),
        ("go", GO, "func F(a, b int, c ...string) (int, error)", "{ return 1", "// F does.\n// More."),
        ("rust", RUST, "pub struct S", "{ a: i32 }", "/// doc"),
        (
            "cpp",
            CPP,
            "template <typename T>\nint foo(const T& a, int b = 3, char* c[]) noexcept",
            "{ th",
            "/// doc",
        ),
    ],
)
def test_signature_body_and_doc_comment(
    language: str, text: str, signature: str, body: str, doc: str
) -> None:
    source = read(language, text)
    target = targets_of(source)[0]
    assert part(source, target.signature) == signature
    assert part(source, target.body).startswith(body)
    assert part(source, target.doc) == doc


@pytest.mark.parametrize(
    ("language", "comments", "doc", "top"),
    [
        ("go", "// F does.\n", "// F does.", "func"),
        ("go", "//export F\n", "", "//export"),
        ("go", "//nolint:gocyclo\n//go:noinline\n", "", "//nolint"),
        ("go", "// F does.\n//\n//go:noinline\n", "// F does.", "//go"),
        ("go", "// F does.\n//nolint // too long\n", "// F does.", "//nolint"),
        ("go", "//nolint:gocyclo\n// F does.\n// Deprecated: use G.\n", "// F does.\n// Depr", "func"),
        ("go", "//go:build linux\n\n// F does.\n", "// F does.", "func"),
        ("go", "// F is nolint.\n// export it\n", "// F is nolint.\n// export it", "func"),
        ("typescript", "// @ts-expect-error why\n", "", "// @ts"),
        ("typescript", "// why\n// @ts-ignore\n", "", "// @ts"),
        ("typescript", "/** Old. */\n// @ts-ignore\n", "/** Old. */", "// @ts"),
        ("typescript", "// @ts-ignore\n/** Old. */\n", "/** Old. */", "func"),
        ("typescript", "/** @ts-ignore */\n", "", "/** @ts"),
        ("typescript", "/** Old.\n * @ts-ignored\n */\n", "/** Old.", "func"),
        ("javascript", "/* istanbul ignore next */ ", "", "/* istanbul"),
        ("javascript", "// @ts-ignore\n\n", "", "func"),
        ("javascript", "/* c8 ignore stop */\n", "", "func"),
        ("cpp", "/// Old.\n// NOLINTNEXTLINE(x)\n", "/// Old.", "// NOLINT"),
        ("cpp", "// clang-format off\n", "", "// clang"),
        ("cpp", "// clang-format on\n", "", "func"),
        ("rust", "// SAFETY: it is.\n", "", "fn"),
    ],
)
def test_directives_for_tools_are_no_doc_comment_and_stay_with_the_definition(
    language: str, comments: str, doc: str, top: str
) -> None:
    spelt = {"go": "package p\n\n{}func F() {{}}\n", "cpp": "{}func f() {{}}\n", "rust": "{}fn f() {{}}\n"}
    source = read(language, spelt.get(language, "{}function f() {{}}\n").format(comments))
    (target,) = targets_of(source)
    assert part(source, target.doc).startswith(doc)
    assert bool(target.doc) is bool(doc)
    assert source.text[target.top :].startswith(top)


def test_a_comment_that_is_no_doc_comment_is_none() -> None:
    assert targets_of(read("javascript", "/* licence */\nfunction f() {}\n"))[0].doc is None
    assert targets_of(read("javascript", "/** file */\n\nfunction f() {}\n"))[0].doc is None
    assert targets_of(read("go", "//go:noinline\nfunc F() {}\n"))[0].doc is None
    assert targets_of(read("python", "def f():\n    f'{x}'\n    'no'\n"))[0].doc is None
    assert targets_of(read("c", C))[0].doc is None


@pytest.mark.parametrize(
    "language", ["python", "javascript", "java", "go", "rust", "cpp", "c", "typescript"]
)
def test_broken_text_is_read_as_far_as_it_goes(language: str) -> None:
    for text in ("def f(", "class", "function f(a {", "\ud800 def f(): pass", "}" * 500, "(" * 500, "\0"):
        for offset in range(min(len(text), 20) + 1):
            find_target(read(language, text), offset, len(text))


def test_no_grammar_no_source() -> None:
    assert read_source("markdown", "# x") is None
