"""`midfill.explain`: a comment above the selection that says what it does."""

import asyncio

from midfill.server.actions.action import KIND, Outcome, Refused, Task
from midfill.server.actions.docstrings.wrapping import width_of, wrapped
from midfill.server.actions.edits import Edit, FileEdit
from midfill.server.actions.natural import ENGLISH, language_of_comments
from midfill.server.actions.prompt import cut, fenced, messages_of
from midfill.server.actions.sentences import ask_sentence
from midfill.server.actions.source import Source, Span

PROMPT_TOKENS = 250
ANSWER_TOKENS = 80
NOTHING = "the model had nothing of use to say about this"
IN_TEXT = "a comment has no place inside a string or a comment"


class Explain:
    command = "midfill.explain"
    kind = f"{KIND}.explain"

    def title(self, source: Source, selection: Span) -> str | None:
        """Offered for a selection only: a cursor selects nothing that could be meant."""
        return "explain the selection in a comment" if source.text[slice(*selection)].strip() else None

    async def run(self, task: Task) -> Outcome:
        start, end = _lines(task.snapshot.text, task.selection)
        text = task.snapshot.text
        if not text[start:end].strip():
            raise Refused("nothing is selected")
        if _is_inside_text(task.source, start):
            raise Refused(IN_TEXT)
        # All of a long file takes milliseconds to look at.
        spoken, widest = await asyncio.to_thread(lambda: (language_of_comments(text), width_of(text)))
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


def _lines(text: str, selection: Span) -> Span:
    """The selection as whole lines, without blank ones before it."""
    start, end = selection
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1, end


def _is_inside_text(source: Source, offset: int) -> bool:
    """Whether a line that begins there would begin in a string, a template or a comment."""
    at = source.byte(offset)
    node = source.tree.root_node.descendant_for_byte_range(at, at)
    while node is not None:
        if ("string" in node.type or "comment" in node.type) and node.start_byte < at < node.end_byte:
            return True
        node = node.parent
    return False
