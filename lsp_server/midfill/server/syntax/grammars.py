"""Which tree-sitter grammar reads which language, loaded when first asked for. Knows no document.

One wheel a language, each with its grammar compiled inside. A language without one, or whose wheel is not
installed, is read by its indentation alone: nothing here ever downloads.
"""

import importlib
import logging
from functools import cache

from tree_sitter import Language, Node, Parser

log = logging.getLogger(__name__)

STEP_BYTES = 4096
"""Half a millisecond of parsing."""

GRAMMARS: dict[str, tuple[str, str]] = {
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "cuda-cpp": ("tree_sitter_cpp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "javascriptreact": ("tree_sitter_javascript", "language"),
    "python": ("tree_sitter_python", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "typescriptreact": ("tree_sitter_typescript", "language_tsx"),
}
"""LSP language identifier → the package and the function of it that hands the grammar out."""


@cache
def parser_for(language: str) -> Parser | None:
    """The parser of an LSP language identifier; None where indentation has to do.

    Loading takes a millisecond or two, once. Parsers belong to the thread that uses them: the event loop.
    """
    found = _grammar(language)
    return Parser(found) if found else None


def encoded(text: str) -> bytes:
    """What a parser reads: UTF-8. Half of a surrogate pair, which has no UTF-8, is a question mark: one
    character becomes one, so code points and bytes still find each other."""
    return text.encode("utf-8", "replace")


def parse_in_steps(language: str, text: str) -> Node | None:
    """The root of `text`'s tree, for other threads; None where no grammar reads it.

    A parser holds the GIL while it reads one piece: of 250 kB at once the event loop would wait 60 ms.
    Between the pieces that this hands over it gets its turn (`worker.SWITCH_INTERVAL_S`).
    """
    found = _grammar(language)
    data = encoded(text)
    return Parser(found).parse(lambda at, _: data[at : at + STEP_BYTES]).root_node if found else None


@cache
def _grammar(language: str) -> Language | None:
    if language not in GRAMMARS:
        return None
    package, function = GRAMMARS[language]
    try:
        return Language(getattr(importlib.import_module(package), function)())
    except (ImportError, AttributeError, ValueError) as error:  # ValueError: an ABI this tree-sitter lacks
        log.warning("%s is read by its indentation: %s", language, error)
        return None
