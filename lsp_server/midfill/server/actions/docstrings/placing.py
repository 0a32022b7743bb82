"""Where a docstring goes: one edit to the file. Pure; never touches a character of code.

`lines` come without indentation; the file's own is put before them, and its line ends between.
"""

import re

from midfill.server.actions.action import Refused
from midfill.server.actions.edits import Edit
from midfill.server.actions.targets import Target
from midfill.server.text import DocumentSnapshot

AFTER_DOC = re.compile(r"[ \t]*;?[ \t]*(?=[^\s#])")
INLINE = "this does not begin its line, so there is no place for a comment above it"
NO_BODY = "this has no body to put a docstring into"


def indent_at(snapshot: DocumentSnapshot, target: Target) -> str:
    """What the docstring's lines begin with."""
    if target.language != "python":
        return target.indent
    if target.body is None:
        raise Refused(NO_BODY)
    before = _before(snapshot.text, target.body[0])
    return before if not before.strip() else target.indent + _unit(snapshot.text)


def place(snapshot: DocumentSnapshot, target: Target, lines: list[str]) -> Edit:
    """The edit that puts `lines` where they belong, in place of what documents `target` now.

    Raises Refused where there is no such place.
    """
    indent = indent_at(snapshot, target)
    if target.language == "python":
        return _python(snapshot, target, lines, indent)
    text = _joined(lines, snapshot.eol, indent)
    if target.doc is not None:
        return Edit(target.doc, text)
    if _before(snapshot.text, target.top).strip():
        raise Refused(INLINE)
    return Edit((target.top, target.top), text + snapshot.eol + indent)


def _python(snapshot: DocumentSnapshot, target: Target, lines: list[str], indent: str) -> Edit:
    assert target.body is not None, "indent_at refused"
    text, eol = snapshot.text, snapshot.eol
    written = _joined(lines, eol, indent)
    own_line = not _before(text, target.body[0]).strip()
    if own_line and target.doc is not None:
        return Edit(target.doc, written)
    if own_line:
        at = _line_end(text, target.signature[1])
        return Edit((at, at), eol + indent + written)
    # def f(self): return 1
    start, end = target.signature[1], target.body[0]
    if target.doc is not None:
        more = AFTER_DOC.match(text, target.doc[1], target.span[1])
        end = more.end() if more else target.doc[1]
        if not more:
            return Edit((start, end), eol + indent + written)
    return Edit((start, end), eol + indent + written + eol + indent)


def _joined(lines: list[str], eol: str, indent: str) -> str:
    """The first line stands behind an indentation that is there already."""
    first, *rest = lines
    return eol.join([first, *[indent + line if line else "" for line in rest]])


def _before(text: str, offset: int) -> str:
    """What stands before `offset` on its line."""
    return text[max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1 : offset]


def _line_end(text: str, offset: int) -> int:
    ends = [at for at in (text.find("\n", offset), text.find("\r", offset)) if at >= 0]
    return min(ends, default=len(text))


def _unit(text: str) -> str:
    """One step of the file's indentation."""
    found = re.search(r"^(\t+| +)\S", text, re.M)
    if found is None:
        return "    "
    return "\t" if found[1][0] == "\t" else " " * min(len(found[1]), 8)
