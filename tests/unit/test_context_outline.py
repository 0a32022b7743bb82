"""What a file defines, language by language: signatures and outlines, bodies left out."""

import pytest

from midfill.server.context.outline import MAX_SYMBOL_CHARS, outline
from midfill.server.syntax import grammars

FILES = {
    "python": (
        "import x\nLIMIT = 3\n\n@deco\nclass A(B):\n    '''Doc.'''\n    size: int = 3\n\n"
        "    def f(self, a: int,\n          b) -> str:\n        return 1\n\n"
        "    @property\n    def g(self):\n        return 2\n\nasync def h(x):\n    pass\n",
        {
            "LIMIT": "LIMIT = 3",
            "A": "@deco\nclass A(B):\n    size: int = 3\n"
            "    def f(self, a: int,\n          b) -> str: ...\n    @property\n    def g(self): ...",
            "h": "async def h(x): ...",
        },
    ),
    "typescript": (
        "export interface P { a: string; b(x: number): void }\nexport type T = A | B;\n"
        "export class C extends D {\n  private x = 3;\n  async go(n: number): Promise<void> { }\n}\n"
        "export const f = (a: number) => { return a; };\n"
        "export default function g<T>(x: T): T { return x }\n",
        {
            "P": "interface P {\n    a: string\n    b(x: number): void\n}",
            "T": "type T = A | B;",
            "C": "class C extends D {\n  private x = 3\n  async go(n: number): Promise<void>;\n}",
            "f": "const f = (a: number)",
            "g": "function g<T>(x: T): T;",
        },
    ),
    "javascript": (
        "class C {\n  go(n) { return n; }\n}\nexport function f(a, b) { return a; }\n",
        {"C": "class C {\n  go(n);\n}", "f": "function f(a, b);"},
    ),
    "java": (
        "package a;\npublic class C extends D {\n  private final int x = 3;\n  public C(int a) { x = a; }\n"
        "  @Override public String go(List<String> n) throws X { return null; }\n}\n",
        {
            "C": "public class C extends D {\n  private final int x = 3;\n  public C(int a);\n"
            "  @Override public String go(List<String> n) throws X;\n}"
        },
    ),
    "go": (
        "package a\ntype S struct {\n\tA int\n}\nfunc (s *S) Go(n int) (string, error) { return x, nil }\n",
        {"S": "type S struct {\n\tA int\n}", "Go": "func (s *S) Go(n int) (string, error)"},
    ),
    "rust": (
        "pub struct S { a: i32 }\nimpl T for S {\n    fn new(a: i32) -> Self { S { a } }\n}\n"
        "mod inner { pub fn f<T>(a: T) -> T { a } }\n",
        {"S": "impl T for S {\n    fn new(a: i32) -> Self;\n}", "f": "pub fn f<T>(a: T) -> T;"},
    ),
    "c": (
        "static const int K = 3;\nint *f(int a) { return 0; }\ntypedef struct foo { int a; } foo_t;\n",
        {
            "K": "static const int K = 3;",
            "f": "int *f(int a);",
            "foo_t": "typedef struct foo { int a; } foo_t;",
        },
    ),
    "cpp": (
        "#ifndef X\n#define X\nnamespace n {\nclass Q : public P {\npublic:\n"
        "  int go(const char* s) { return 1; }\n  int y;\n};\n}\n#endif\n",
        {"Q": "class Q : public P {\n  int go(const char* s);\n  int y;\n}"},
    ),
}


@pytest.mark.parametrize("language", FILES)
def test_a_file_is_told_by_its_signatures(language):
    text, wanted = FILES[language]
    found = {symbol.name: symbol.text for symbol in outline(language, text)}
    assert {name: found.get(name) for name in wanted} == wanted


def test_members_are_known_by_name_and_go_methods_by_their_type():
    (*_, klass, _) = outline("python", FILES["python"][0])
    assert klass.members == {"size", "f", "g"}
    assert outline("go", FILES["go"][0])[1].members == {"S"}


def test_half_written_code_still_tells_what_is_whole():
    text = "class A:\n    def f(self, a): return 1\n\ndef broken(:\n\ndef g(b):\n    return 2\n"
    assert {"A", "g"} <= {symbol.name for symbol in outline("python", text)}


def test_a_long_definition_is_cut_at_a_line_end():
    members = "".join(f"    def method_{i}(self, argument): ...\n" for i in range(100))
    (symbol,) = outline("python", "class A:\n" + members)
    assert len(symbol.text) <= MAX_SYMBOL_CHARS
    assert symbol.text.endswith(": ...")


def test_a_language_without_a_grammar_defines_nothing():
    assert outline("cobol", "x") == ()


def test_a_large_text_is_handed_to_the_parser_in_small_pieces(monkeypatch):
    pieces: list[int] = []

    class Reading:
        def __init__(self, language):
            pass

        def parse(self, read):
            assert callable(read), "a whole text would be parsed without the event loop's getting its turn"
            at = 0
            while piece := read(at, None):
                pieces.append(len(piece))
                at += len(piece)
            return type("Tree", (), {"root_node": "root"})

    monkeypatch.setattr(grammars, "Parser", Reading)
    assert grammars.parse_in_steps("python", "x = 1\n" * 10_000) == "root"
    assert sum(pieces) == 60_000
    assert max(pieces) <= grammars.STEP_BYTES


def test_half_of_a_surrogate_pair_is_shown_as_a_question_mark():
    text = "SIZE = '\ud83d'\n\ndef f(a, b='\ude00é'):\n    return '\ud83d'\n"
    assert [symbol.text for symbol in outline("python", text)] == ["SIZE = '?'", "def f(a, b='?é'): ..."]
