"""A Python docstring, infilled between signature and body: the holes, and what came. Pure.

What the function does goes behind the opening quotes and one space, as in the Code Llama paper's appendix
E, but with closing quotes before the body: a small model writes fewer words of the body again, and more of
what it does. Where it leaves that hole empty it may fill the paper's.

Then each parameter and what is returned, behind their names in the docstring so far. Asked in a chat, the
default model says vaguer things: of 90 texts that differed a reader who did not know which was which
preferred the infilled one 48 times, the other 23 times.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from midfill.server.actions.answers import paragraph, sentence
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
PART_TOKENS = 50
"""Of the text of one parameter."""
MARK = "\ufffc"
"""Stands in a docstring's lines where a text is to be infilled."""
MOST_CHARS = 600
SECTION = re.compile(
    r"^\s*(?:(?:args|arguments|param\w*|returns?|yields?|raises?|examples?|notes?|usage|input|output)\b[^.]*:"
    r"|:\w+|>>>|@\w+|-{3,}|={3,}|\*{0,2}\w+ ?(?:\([^)\n]*\))? ?:\s)",
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
BLANK = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Hole:
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Around:
    """What is before and behind a docstring that is still to be written, as a model is shown it."""

    before: str
    """Of the file, up to the end of the signature's line."""
    indent: str
    """Of the docstring."""
    body: str
    """The function's."""

    def description(self) -> tuple[Hole, ...]:
        """Where to infill what the function does: one after the other, until one is filled."""
        prefix = f'{self.before}{self.indent}""" '
        return Hole(prefix, f'\n{self.indent}"""{self.body}'), Hole(prefix, self.body)

    def part(self, lines: Sequence[str]) -> Hole:
        """Where `lines`, a docstring without indentation, have MARK; what is behind it is not shown."""
        begun = "\n".join(self.indent + line if line else "" for line in lines).partition(MARK)[0]
        return Hole(self.before + begun.rstrip(" "), f"\n{self.indent}{lines[-1][-3:]}{self.body}")


def around(text: str, target: Target, indent: str) -> Around | None:
    """What is around the docstring of `target`, which `indent` is before; None where it is better asked
    for: of a class, of a long function, and where there is a docstring already, which tells what the code
    does not.

    So the safety filter, which reads prefix and suffix, reads all the code that is asked about later.
    """
    if target.language != "python" or target.kind is Kind.CLASS or target.doc or target.body is None:
        return None
    start, end = target.span[0], target.signature[1]
    before = text[max(0, start - BEFORE_CHARS) : start]
    if len(before) == BEFORE_CHARS:
        before = normalize(before).partition("\n")[2]
    body = normalize(text[end : target.span[1]]) + "\n"
    if cut(body, BODY_TOKENS) != body:
        return None
    shown = normalize(_class_of(text, target, before) + before + text[start:end])
    return Around(f"{shown}\n", indent, body)


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
    if _is_code(text, body):
        return []
    section = SECTION.search(text)
    sentences = UNENDED.sub(".\n", text[: section.start()] if section else text)
    said = paragraph(re.sub(r"\n\s*\n", "\n", sentences))
    said = [one for one in said if not CALL.fullmatch(one)]
    return [] if said and NO_SENTENCE.search(said[0]) else said


def is_whole_part(answer: str) -> bool:
    """Whether `answer`, still being written, holds all that `part` would take of it."""
    begun = answer.lstrip(" \t")
    return _part_of(begun) != begun


def part(answer: str, body: str) -> str | None:
    """The sentence that came for one parameter, or for what is returned; None if it is none."""
    text = _part_of(answer.lstrip(" \t"))
    return None if _is_code(text, body) else sentence(text)


def _part_of(text: str) -> str:
    """`text` up to where the docstring goes on to something else."""
    second = text.find("\n") + 1
    section = SECTION.search(text, second) if second else None
    ends = [found.start() for found in (QUOTES.search(text), BLANK.search(text), section) if found]
    return text[: min(ends, default=len(text))]


def _is_code(text: str, body: str) -> bool:
    """Whether the `body` is begun once more."""
    return text.partition("\n")[0].strip() in {line.strip() for line in body.splitlines()}
