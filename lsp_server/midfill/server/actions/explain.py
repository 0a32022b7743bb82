"""`midfill.explain`: a comment above the selection that says what it does."""

import asyncio

from tree_sitter import Node

from midfill.server.actions.action import KIND, Outcome, Refused, Task
from midfill.server.actions.directives import is_directive
from midfill.server.actions.docstrings.wrapping import width_of, wrapped
from midfill.server.actions.edits import Edit, FileEdit
from midfill.server.actions.first_lines import end_of_first_lines
from midfill.server.actions.natural import ENGLISH, language_of_comments
from midfill.server.actions.prompt import cut, fenced, messages_of
from midfill.server.actions.sentences import ask_sentence
from midfill.server.actions.source import Source, Span

PROMPT_TOKENS = 250
ANSWER_TOKENS = 80
NOTHING = "the model had nothing of use to say about this"
IN_COMMENT = "a comment has no place inside another one"
ABOVE_ALL = "this has to come first in the file, so there is no place for a comment above it"


class Explain:
    command = "midfill.explain"
    kind = f"{KIND}.explain"

    def title(self, source: Source, selection: Span) -> str | None:
        """Offered for a selection only: a cursor selects nothing that could be meant."""
        return "explain the selection in a comment" if source.text[slice(*selection)].strip() else None

    async def run(self, task: Task) -> Outcome:
        text = task.snapshot.text
        first = end_of_first_lines(task.snapshot.language, text)
        selected, end = _lines(text, task.selection, first)
        if not text[selected:end].strip():
            raise Refused(ABOVE_ALL)
        # All of a long file takes milliseconds to look at.
        start, spoken, widest = await asyncio.to_thread(
            lambda: (
                max(first, _place(task.source, selected)),
                language_of_comments(text),
                width_of(text),
            )
        )
        room = task.context_tokens - PROMPT_TOKENS - ANSWER_TOKENS
        code = text[start:end].replace("\r\n", "\n").replace("\r", "\n")
        messages = messages_of(
            "midfill.server.actions",
            "explain.txt",
            tongue="" if spoken == ENGLISH else f" Answer in {spoken}.",
            code=fenced(task.snapshot.language, cut(code, room)),
        )
        said = await ask_sentence(task.ask, messages, ANSWER_TOKENS, spoken)
        if said is None:
            raise Refused(NOTHING)
        line = text[start:end]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        mark = "#" if task.snapshot.language == "python" else "//"
        width = max(40, widest - len(indent))
        above = "".join(f"{indent}{one}{task.snapshot.eol}" for one in wrapped(said, width, f"{mark} "))
        edit = FileEdit(task.snapshot.uri, (Edit((start, start), above),), (start, end))
        return Outcome((edit,), "Midfill: explanation")


def _lines(text: str, selection: Span, first: int) -> Span:
    """The selection as whole lines, without blank ones before it and what stands before `first`."""
    start, end = max(first, selection[0]), max(first, selection[1])
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return _line_start(text, start), end


def _place(source: Source, start: int) -> int:
    """The line that a comment can stand above: `start`, or one that it belongs to. Raises Refused."""
    while start > 0:
        around = _text_around(source, start)
        if around is not None and "comment" in around.type:
            raise Refused(IN_COMMENT)
        end = start - (2 if source.text.endswith("\r\n", 0, start) else 1)
        above = _line_start(source.text, end)
        if around is not None:
            start = _line_start(source.text, source.offset(around.start_byte))
        elif _goes_on(source, above, end):
            start = above
        else:
            break
    return start


def _goes_on(source: Source, start: int, end: int) -> bool:
    """Whether the line from `start` to `end` belongs to the next: by a backslash or as a directive."""
    line = source.text[start:end]
    if line.endswith("\\"):
        around = _text_around(source, end - 1)
        return around is None or "comment" not in around.type
    return is_directive(source.language, line.strip())


def _text_around(source: Source, offset: int) -> Node | None:
    """The string, template or comment, the outermost, that a line which begins there would begin in."""
    at = source.byte(offset)
    found, node = None, source.tree.root_node.descendant_for_byte_range(at, at)
    while node is not None:
        if ("string" in node.type or "comment" in node.type) and node.start_byte < at < node.end_byte:
            found = node
        node = node.parent
    return found


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
