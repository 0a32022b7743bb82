"""What a Python function does, infilled between its signature and its body: the holes, and what came. Pure.

Behind the opening quotes and one space, as in the Code Llama paper's appendix E, but with closing quotes
before the body: a small model writes fewer words of the body again, and more of what it does. Where it
leaves that hole empty it may fill the paper's.
"""

import re
from dataclasses import dataclass

from midfill.server.actions.answers import paragraph
from midfill.server.actions.prompt import cut
from midfill.server.actions.targets import Kind, Target
from midfill.server.completion.cursor import normalize

BEFORE_CHARS = 300
"""Of the file before the function: its words. Of 1,200 a small model repeats what the docstring of the
function before says, though this one does something else."""
BODY_TOKENS = 900
"""Of a longer function the ends would be shown: there it is better asked for."""
TOKENS = 90
"""Of one answer, the likeliest. Of seven (six at temperature 0.7) the one that the others are nearest to,
or that makes the body likeliest, is no better: over 98 functions `own` changed by less than its noise."""
MOST_CHARS = 600
SECTION = re.compile(
    r"^\s*(?:(?:args|arguments|param\w*|returns?|yields?|raises?|examples?|notes?|usage|input|output)\b[^.]*:"
    r"|:\w+|>>>|@\w+|-{3,}|={3,}|\w+ ?(?:\([^)\n]*\))? ?:\s)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a docstring goes on to what the frame has its own places for."""
NO_SENTENCE = re.compile(r"\s(?:[=|]|::=|->)\s")
"""Grammars and formulas, which some functions have for a docstring."""
UNENDED = re.compile(r"(?<=[^\s.!?]):?[ \t]*\n\s*\n")
"""The end of a paragraph whose last sentence has no full stop."""
CALL = re.compile(r"[\w.]+\(.*\)\.")
"""The signature once more, as docstrings of C functions begin."""
QUOTES = re.compile(r"\"{3}|'{3}")


@dataclass(frozen=True, slots=True)
class Hole:
    prefix: str
    suffix: str
    body: str
    """The function's, which the suffix ends with."""


def holes(text: str, target: Target, indent: str) -> tuple[Hole, ...]:
    """Where to infill the description, which `indent` is before: one after the other, until one is filled.
    No hole where it is better asked for: of a class, of a long function, and where there is a docstring
    already, which tells what the code does not.

    So the safety filter, which reads prefix and suffix, reads all the code that is asked about later.
    """
    if target.language != "python" or target.kind is Kind.CLASS or target.doc or target.body is None:
        return ()
    start, end = target.span[0], target.signature[1]
    before = text[max(0, start - BEFORE_CHARS) : start]
    if len(before) == BEFORE_CHARS:
        before = normalize(before).partition("\n")[2]
    body = normalize(text[end : target.span[1]]) + "\n"
    if cut(body, BODY_TOKENS) != body:
        return ()
    prefix = f'{normalize(_class_of(text, target, before) + before + text[start:end])}\n{indent}""" '
    return Hole(prefix, f'\n{indent}"""{body}', body), Hole(prefix, body, body)


def _class_of(text: str, target: Target, before: str) -> str:
    """The line that opens the method's class, unless `before` has it: its name tells what it is about."""
    name = re.escape(target.enclosing.rpartition(".")[2])
    opening = re.compile(rf"^[ \t]*class {name}\b.*\n", re.MULTILINE)
    if not name or opening.search(before):
        return ""
    found = list(opening.finditer(text, 0, target.span[0]))
    return found[-1][0] if found else ""


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
    sentences = UNENDED.sub(".\n", text[: section.start()] if section else text)
    said = paragraph(re.sub(r"\n\s*\n", "\n", sentences))
    said = [one for one in said if not CALL.fullmatch(one)]
    return [] if said and NO_SENTENCE.search(said[0]) else said
