"""`midfill.docstring`: document the function, method or class at the cursor."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from midfill.server.actions.action import KIND, Outcome, Refused, Task
from midfill.server.actions.docstrings.comment_style import doc_comment
from midfill.server.actions.docstrings.content import Content, Frame
from midfill.server.actions.docstrings.examples import (
    MOST,
    TEMPERATURES,
    Call,
    Example,
    can_have_examples,
    chosen,
)
from midfill.server.actions.docstrings.interview import Interview
from midfill.server.actions.docstrings.placing import indent_at, place
from midfill.server.actions.docstrings.python_style import docstring, quotes_of, style_of
from midfill.server.actions.docstrings.trying import Trial
from midfill.server.actions.docstrings.wrapping import width_of
from midfill.server.actions.edits import Edit, FileEdit
from midfill.server.actions.safety import Unsafe
from midfill.server.actions.source import Source, Span
from midfill.server.actions.targets import Kind, Target, find_target, targets_of

TAB_COLUMNS = 4
NOTHING_HERE = "there is no function, method or class here"


class WriteDocstring:
    """`trial` opens a place to run examples in, or has none; without it there are no examples."""

    command = "midfill.docstring"
    kind = f"{KIND}.docstring"

    def __init__(self, trial: Callable[[Task], Awaitable[Trial | None]] | None = None) -> None:
        self._open_trial = trial

    def title(self, source: Source, selection: Span) -> str | None:
        target = find_target(source, *selection)
        if target is None:
            return None
        doing = "write" if target.doc is None else "replace"
        what = "docstring" if target.language == "python" else "doc comment"
        return f"{doing} the {what} of `{target.name}`"

    async def run(self, task: Task) -> Outcome:
        # Looking at all of a long file takes milliseconds: on a thread, as parsing does.
        target, frame, interview = await asyncio.to_thread(_prepared, task)
        content = await interview.run()
        content = replace(content, examples=await self._examples(task, target, interview))
        edit = await asyncio.to_thread(_edit, task, target, frame, content)
        guard = _guard(target, edit)
        return Outcome(
            (FileEdit(task.snapshot.uri, (edit,), guard),),
            f"Midfill: docstring of {target.name}",
            _remark(content),
        )

    async def _examples(self, task: Task, target: Target, interview: Interview) -> tuple[Example, ...]:
        """Calls with what they returned; none where running is not allowed."""
        if self._open_trial is None or task.settings.docstring_examples == "off":
            return ()
        if not can_have_examples(target):
            return ()
        trial = await self._open_trial(task)
        if trial is None:
            return ()
        calls, results = dict[str, Call](), list[str]()
        found: tuple[Example, ...] = ()
        for temperature in TEMPERATURES:
            try:
                new = [call for call in await interview.calls(temperature) if call.code not in calls]
            except Unsafe:
                raise
            except Refused:  # the docstring is good without
                break
            task.say("running the examples")
            results += await asyncio.to_thread(trial.results, new) if new else []
            calls |= {call.code: call for call in new}
            found = chosen([*calls.values()], results)
            if len(found) == MOST:
                break
        return found


def _prepared(task: Task) -> tuple[Target, Frame, Interview]:
    target = find_target(task.source, *task.selection)
    if target is None:
        raise Refused(NOTHING_HERE)
    frame = frame_of(task, target)  # refuses before the model is asked
    return target, frame, Interview(task, target, code_of(task.source, target), frame)


def _edit(task: Task, target: Target, frame: Frame, content: Content) -> Edit:
    return place(task.snapshot, target, frame(content))


def code_of(source: Source, target: Target) -> str:
    """What the model is shown: the code with its doc comment; of a class, methods without their bodies."""
    start = min(target.span[0], target.doc[0] if target.doc else target.span[0])
    if target.kind is not Kind.CLASS:
        return _normal(source.text[start : target.span[1]])
    inside = [
        one
        for one in targets_of(source, target.span)
        if one.kind is not Kind.CLASS and one.body and target.span[0] < one.span[0] < target.span[1]
    ]
    pieces, at = [], start
    for one in inside:
        if one.body is None or one.body[0] < at:
            continue  # a function in a method
        pieces.append(source.text[at : one.body[0]] + ("..." if one.language == "python" else "{ }"))
        at = one.body[1]
    return _normal("".join(pieces) + source.text[at : target.span[1]])


def frame_of(task: Task, target: Target) -> Frame:
    """In the style of the file. Raises Refused where `target` can have no docstring."""
    text = _normal(task.snapshot.text)
    indent = indent_at(task.snapshot, target).replace("\t", " " * TAB_COLUMNS)
    width = width_of(text) - len(indent)
    if target.language != "python":
        return lambda content: doc_comment(content, target, text, width)
    style = style_of(_without(task.snapshot.text, target.doc), task.settings.docstring_style)
    quotes = quotes_of(text)
    return lambda content: docstring(content, style, quotes, width)


def _guard(target: Target, edit: Edit) -> Span:
    """The signature, what documents it, and where the edit goes: the body may change meanwhile."""
    spans = [target.signature, edit.span, *([target.doc] if target.doc else [])]
    return min(start for start, _ in spans), max(end for _, end in spans)


def _remark(content: Content) -> str:
    if not content.own_words:
        return ""
    texts = (
        "a sentence is a placeholder"
        if content.own_words == 1
        else (f"{content.own_words} sentences are placeholders")
    )
    return f"{texts} made from names and types: the model had nothing of use to say there"


def _without(text: str, span: Span | None) -> str:
    return text if span is None else text[: span[0]] + text[span[1] :]


def _normal(text: str) -> str:
    """As models read text: with `\\n` line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
