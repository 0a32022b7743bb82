"""A whole file and its syntax tree, with offsets in code points as everywhere else. Knows no document.

Parsing takes 10 ms a thousand lines, without the interpreter's lock: run it on a thread, not on the loop.
"""

from dataclasses import dataclass, field

from tree_sitter import Node, Parser, Tree

from midfill.server.syntax import encoded, parser_for

Span = tuple[int, int]
"""(start, end) in code points from the start of the text; the end is exclusive."""


@dataclass(frozen=True, slots=True)
class Source:
    language: str
    text: str = field(repr=False)  # stays out of logs (invariant 7)
    code: bytes = field(repr=False)
    """`text` as the parser read it."""
    tree: Tree = field(repr=False)

    def offset(self, byte: int) -> int:
        """The code point at `byte`, which begins one."""
        return byte if len(self.code) == len(self.text) else len(self.code[:byte].decode())

    def byte(self, offset: int) -> int:
        """Where the code point at `offset` begins in `code`."""
        if len(self.code) == len(self.text):
            return offset
        return len(encoded(self.text[:offset]))

    def span(self, first: Node, last: Node | None = None) -> Span:
        """From the start of `first` to the end of `last`; of `first` itself without one."""
        return self.offset(first.start_byte), self.offset((last or first).end_byte)

    def words(self, node: Node | None) -> str:
        """The node's text on one line; empty for none."""
        return "" if node is None else " ".join(self.code[node.start_byte : node.end_byte].decode().split())


def read_source(language: str, text: str) -> Source | None:
    """Parse `text`; None where no grammar reads the language."""
    shared = parser_for(language)
    if shared is None:
        return None
    code = encoded(text)
    parser = Parser(shared.language)  # the shared one belongs to the event loop
    return Source(language, text, code, parser.parse(code))
