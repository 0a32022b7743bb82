"""What a Python function does, infilled between its signature and its body: the hole, and what came. Pure.

As in the Code Llama paper, appendix E: behind the opening quotes and one space, without the closing ones.
"""

import re

from midfill.server.actions.answers import paragraph
from midfill.server.actions.prompt import cut
from midfill.server.actions.targets import Kind, Target
from midfill.server.completion.cursor import normalize

BEFORE_CHARS = 1200
"""Of the file before the function: its words and the docstrings beside it."""
BODY_TOKENS = 900
"""Of a longer function the ends would be shown: there it is better asked for."""
TOKENS = 90
MOST_CHARS = 600
SECTION = re.compile(
    r"^\s*(?:(?:args|arguments|param\w*|returns?|yields?|raises?|examples?|notes?|usage|input|output)\b[^.]*:"
    r"|:\w+|>>>|@\w+|-{3,}|={3,}|\w+ ?(?:\([^)\n]*\))? ?:\s)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a docstring goes on to what the frame has its own places for."""
NO_SENTENCE = re.compile(r"\s(?:[=|]|::=|->)\s")
"""Grammars and formulas, which some functions have for a docstring."""
QUOTES = re.compile(r"\"{3}|'{3}")


def hole(text: str, target: Target, indent: str) -> tuple[str, str] | None:
    """(prefix, suffix) of the description, which `indent` is before. None where it is better asked for: of
    a class, of a long function, and where there is a docstring already, which tells what the code does not.

    So the safety filter, which reads prefix and suffix, reads all the code that is asked about later.
    """
    if target.language != "python" or target.kind is Kind.CLASS or target.doc or target.body is None:
        return None
    start, end = target.span[0], target.signature[1]
    before = text[max(0, start - BEFORE_CHARS) : start]
    if len(before) == BEFORE_CHARS:
        before = normalize(before).partition("\n")[2]
    body = normalize(text[end : target.span[1]])
    if cut(body, BODY_TOKENS) != body:
        return None
    return f'{normalize(before + text[start:end])}\n{indent}""" ', body + "\n"


def is_described(answer: str) -> bool:
    """Whether `answer`, still being written, holds all that `described` would take of it."""
    begun = answer.lstrip()
    return bool(QUOTES.search(begun) or SECTION.search(begun)) or len(begun) > MOST_CHARS


def described(answer: str, body: str) -> list[str]:
    """The sentences that came; none if it is no prose, or begins to write the `body` once more."""
    text = QUOTES.split(answer.lstrip())[0]
    code = {line.strip() for line in body.splitlines()}
    if text.partition("\n")[0].strip() in code:
        return []
    section = SECTION.search(text)
    said = paragraph(re.sub(r"\n\s*\n", "\n", text[: section.start()] if section else text))
    return [] if said and NO_SENTENCE.search(said[0]) else said
