"""Code as its grammar has it: frames of text around a cursor and what a parser says of them."""

from midfill.server.syntax.brackets import first_stray, unclosed
from midfill.server.syntax.frame import frame
from midfill.server.syntax.grammars import GRAMMARS, encoded, parser_for
from midfill.server.syntax.tree import begins_block, is_whole, unreached

__all__ = [
    "GRAMMARS",
    "begins_block",
    "encoded",
    "first_stray",
    "frame",
    "is_whole",
    "parser_for",
    "unclosed",
    "unreached",
]
