"""What a single line of code tells by its text, in any language: its column, what it opens, whether control
leaves there. Pure; knows no cursor and no stream."""

import re

TAB_COLUMNS = 4
"""How wide a tab counts when columns are compared."""
COMMENT = re.compile(r"\s(#|//).*$")
OPENER = re.compile(r"([:{(\[]|=>|->|\b(then|do|begin))$|^\s*(def|class|module|function)\b")
CLOSER = re.compile(r"\s*([)\]}]+[;,)\]}]*|end\b[;,]?|</[\w.-]+>)\s*")
CONTINUATION = re.compile(r"\s*(\}\s*)?(else|elif|except|finally|catch|case|default|rescue|ensure|when)\b")
"""A line that goes on with the block that the line above it at the same column began."""
LEAVES = re.compile(r"\s*(return|raise|throw|break|continue)\b(?!\s*[:?=,)\]]|[-.]\w)")
"""Not the keys and properties that begin so: `break-inside: avoid`, `return: () => void`."""
UNLESS = re.compile(r"\b(if|unless|while|until)\b")
"""`return x if done` leaves only sometimes (Ruby, Perl); Python's `a if b else c` always does."""
BRACKETED = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
QUOTED = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`")
TRIPLE = re.compile(r"\"\"\"|'''")
JOINS = re.compile(r"([.,=%&|^<]|(?<!\+)\+|(?<!-)-|(?<![*/])\*|(?<![*/])/|\b(and|or|not|in|is|await|new))$")
"""How a line ends that says nothing yet; not `i++`, nor a comment's end."""


def columns(line: str) -> int:
    """How far a line is indented, tabs counted as `TAB_COLUMNS`."""
    wide = line.expandtabs(TAB_COLUMNS)
    return len(wide) - len(wide.lstrip())


def is_opener(line: str) -> bool:
    """Whether `line` opens a block that the lines below it are indented into."""
    return bool(OPENER.search(COMMENT.sub("", line).rstrip()))


def is_closer(line: str) -> bool:
    """Whether `line` begins with what closes a block or a bracket."""
    return CLOSER.match(line) is not None


def continues_block(line: str) -> bool:
    """`else`, `except`, `case` …: at its header's column and yet part of it."""
    return CONTINUATION.match(line) is not None


def depth(line: str) -> int:
    """Brackets that `line` opens less those it closes, strings and comments left out."""
    code = COMMENT.sub("", QUOTED.sub("", line))
    return sum(code.count(char) for char in "([{") - sum(code.count(char) for char in ")]}")


def leaves(line: str) -> bool:
    """Whether nothing can run below this line in its block: `return x`, `throw e;`, whole on its line."""
    code = COMMENT.sub("", QUOTED.sub("", line)).rstrip()
    if not LEAVES.match(code) or code.endswith("\\") or is_opener(code):
        return False
    if depth(line) != 0 or JOINS.search(code):
        return False
    while (flat := BRACKETED.sub("", code)) != code:  # a comprehension's `if` is none of the line's
        code = flat
    return not UNLESS.search(code) or bool(re.search(r"\belse\b", code))


def is_unfinished(line: str) -> bool:
    """Whether `line` ends in a sign or a word that something must follow."""
    code = line.rstrip()
    return COMMENT.sub("", code) == code and bool(JOINS.search(code))


def triple_quotes(line: str) -> int:
    """How often a triple quote stands in `line`: an odd number leaves a string open, or ends one."""
    return len(TRIPLE.findall(line))
