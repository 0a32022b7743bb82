"""Has the model say each part of a docstring, one by one: infilled, else asked.

The frame is ours, the sentences are the model's: even a small model tells of one parameter well, where it
would lose its way in a whole docstring. Each question continues the same conversation, so its KV cache is
kept and a question costs little more than its answer.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from midfill.model import ChatMessage
from midfill.server.actions.action import Task
from midfill.server.actions.answers import EMPTY, is_whole_paragraph, paragraph, says_more_than, words_of
from midfill.server.actions.docstrings import fallback
from midfill.server.actions.docstrings.brevity import is_brief
from midfill.server.actions.docstrings.content import Content, Frame
from midfill.server.actions.docstrings.examples import Call, calls_in
from midfill.server.actions.docstrings.filling import Filler
from midfill.server.actions.docstrings.infilling import MARK, around
from midfill.server.actions.docstrings.placing import indent_at
from midfill.server.actions.natural import ENGLISH, language_of_comments, may_be_in
from midfill.server.actions.prompt import cut, fenced, messages_of
from midfill.server.actions.sentences import ask_sentence
from midfill.server.actions.signature import Parameter
from midfill.server.actions.targets import Kind, Target

PROMPT_TOKENS = 500
"""Of everything in `prompts/interview.txt` but the user's code (measured: 450 with Qwen's vocabulary)."""
DETAILS_TOKENS = 100
LONG_LINES, LONG_CHARS = 2, 60
"""A body of fewer lines and characters is told by its summary."""
ONLY_TAKES = re.compile(
    r"(?:It|The (?:function|method)(?: `\w+`)?) takes (?!.*\b(?:and|then) (?:\w+ly )?[a-z]+s\b)"
)
"""Repeats the signature. Asked what a function "is given, does and returns", the default model began 55 of
73 answers with "Given two lists, a function …"; asked what it does in detail, none, and 5 of 77 so.
"""
NEW_WORDS = 2
"""That many words beyond what is said already make a sentence worth reading."""
RUN_WORDS = 5
"""So many words in a row of the prompt's example or of the question: small models say them again."""
SAYS_RESULT = re.compile(r"(?:Return|Yield)s?\b")
"""A summary that tells what comes back; Google's guide (3.8.3) wants no section for it then."""
NUMBER = re.compile(r"\d+(?:\.\d+)?")
ANSWER_TOKENS = 60
QUESTION_TOKENS = 25
EXAMPLES_TOKENS = 150
LEAST_CODE_TOKENS = 200


class Interview:
    """One conversation about one target. `frame`: what its docstring will look like."""

    def __init__(self, task: Task, target: Target, code: str, frame: Frame) -> None:
        self._task, self._target, self._frame = task, target, frame
        self._spoken = language_of_comments(task.snapshot.text)
        self._filler = self._new_filler()
        self._is_brief = is_brief(task.source, target)
        self._own_words = 0
        self._asked = 0
        self._questions = (
            1 + len(target.parameters) + (target.returns or target.yields) + len(target.raises)
        )
        turns = self._questions * (ANSWER_TOKENS + QUESTION_TOKENS) + DETAILS_TOKENS
        room = max(LEAST_CODE_TOKENS, task.context_tokens - PROMPT_TOKENS - turns)
        kind, name = "class" if target.kind is Kind.CLASS else "function", f"`{target.name}`"
        if target.kind is Kind.METHOD:
            kind, name = "method", f"`{target.name}` of the class `{target.enclosing}`"
        tongue = "" if self._spoken == ENGLISH else f"Answer in {self._spoken}."
        self._tongue = f" {tongue}" * bool(tongue)
        self._talk = messages_of(
            __package__ or "",
            "interview.txt",
            tongue=tongue,
            code=fenced(target.language, cut(code, room)),
            kind=kind,
            name=name,
            again=self._tongue,
        )
        shown = "\n".join(turn.content for turn in self._talk if turn.role == "assistant")
        self._shown = {run for line in shown.split("\n") for run in _runs(line)}
        self._shown_numbers = {*NUMBER.findall(shown)} - {*NUMBER.findall(code)}

    def _new_filler(self) -> Filler | None:
        """None where all is better asked for."""
        task, target = self._task, self._target
        if task.infill is None or task.settings.docstring_description != "auto":
            return None
        ground = around(task.snapshot.text, target, indent_at(task.snapshot, target))
        return Filler(task.infill, ground, self._spoken) if ground else None

    async def run(self) -> Content:
        """Every slot of the frame, in reading order. Raises Refused where the model cannot be asked."""
        target = self._target
        summary, details = await self._description()
        content = Content(summary, (), "", target.return_type, target.yields, details=details)
        for one in target.parameters:
            named = content.parameters
            said = await self._infilled(replace(content, parameters=(*named, (one, MARK))), one)
            content = replace(content, parameters=(*named, (one, said or await self._parameter(one))))
        is_told = self._is_brief and target.language == "python" and SAYS_RESULT.match(summary)
        if (target.returns or target.yields) and not is_told:
            result = await self._infilled(replace(content, result=MARK)) or await self._result()
            content = replace(content, result=result)
        raises = [(name, await self._raised(name)) for name in target.raises]
        return replace(content, raises=tuple(raises), own_words=self._own_words)

    async def calls(self, temperature: float) -> list[Call]:
        """Calls of the target that would make good examples. After `run`."""
        question = f"Write three short calls of `{self._target.name}` with what they return, one a line."
        talk = [*self._talk, ChatMessage("user", question)]
        answer = await self._task.ask(talk, EXAMPLES_TOKENS, temperature, lambda said: said.count("\n") > 2)
        return calls_in(answer, self._target.name)

    async def _description(self) -> tuple[str, str]:
        """(summary, details): what it does. Who infills it says as much as there is to say."""
        infilled = await self._filler.description() if self._filler else []
        if infilled:
            summary, *more = infilled
            self._heard(summary)
            return summary, "" if self._is_brief else " ".join(more)
        summary = await self._answer("", fallback.summary(self._target), lambda said: True)
        asks = self._task.tells_details and self._is_long() and not self._is_brief
        return summary, await self._details(summary) if asks else ""

    async def _infilled(self, content: Content, one: Parameter | None = None) -> str:
        """What is said where `content` has MARK, of the parameter `one`; empty where it has to be asked."""
        said = await self._filler.part(self._frame(content)) if self._filler else ""
        if not said or (one and not says_more_than(said, one.name, one.type)):
            return ""
        self._progressed()
        return said

    def _is_long(self) -> bool:
        """Whether there is more to tell than a summary can."""
        target = self._target
        if target.kind is Kind.CLASS or target.body is None:
            return False
        body = self._task.snapshot.text[slice(*target.body)].strip()
        lines = sum(any(map(str.isalpha, line)) for line in body.splitlines())
        return lines >= LONG_LINES or len(body) > LONG_CHARS

    async def _details(self, summary: str) -> str:
        """Some sentences, if they tell more than the summary; there is no harm in having none."""
        name = self._target.name
        question = f"In detail, what does `{name}` do?"
        self._talk.append(ChatMessage("user", question + self._tongue))
        answer = await self._task.ask(self._talk, DETAILS_TOKENS, 0.0, is_whole_paragraph)
        known = {*words_of(summary), *words_of(name)} | EMPTY
        kept: list[str] = []
        for said in paragraph(answer):
            fresh = {*words_of(said)} - known
            repeats = ONLY_TAKES.match(said) or self._parrots(said, question)
            if len(fresh) >= NEW_WORDS and not repeats and may_be_in(self._spoken, said):
                kept.append(said)
                known |= fresh
        self._talk.append(ChatMessage("assistant", " ".join(kept) or summary))
        return " ".join(kept)

    async def _parameter(self, one: Parameter) -> str:
        def tells(said: str) -> bool:
            return says_more_than(said, one.name, one.type) and not self._parrots(said, say_more)

        question = f"What is the parameter `{one.name}`?"
        begin = f"The {' '.join(words_of(one.name)) or one.name}"
        say_more = f' Say what `{self._target.name}` does with it, and begin with "{begin}".'
        return await self._answer(question, fallback.parameter(one, self._target), tells, say_more)

    async def _result(self) -> str:
        verb = "yield" if self._target.yields else "return"
        question = f"What does `{self._target.name}` {verb}?"
        return await self._answer(question, fallback.result(self._target), lambda said: True)

    async def _raised(self, name: str) -> str:
        question = f"When does `{self._target.name}` raise `{name}`?"
        return await self._answer(question, fallback.raised(name), lambda said: True)

    async def _answer(
        self, question: str, otherwise: str, is_good: Callable[[str], bool], say_more: str = ""
    ) -> str:
        """The model's sentence; asked twice, then `otherwise`. An empty question is in the prompt."""
        if question:
            self._talk.append(ChatMessage("user", question + self._tongue))
        said = await ask_sentence(
            self._task.ask, self._talk, ANSWER_TOKENS, self._spoken, is_good, say_more
        )
        if said is None:
            said = otherwise
            self._own_words += 1
        self._heard(said)
        return said

    def _parrots(self, said: str, question: str) -> bool:
        """Whether the model says of this code what stands in the prompt's example, or in the question."""
        if self._shown_numbers & {*NUMBER.findall(said)}:
            return True
        return bool(_runs(said) & (self._shown | _runs(question)))

    def _heard(self, said: str) -> None:
        self._talk.append(ChatMessage("assistant", said))
        self._progressed()

    def _progressed(self) -> None:
        self._asked += 1
        self._task.report(self._asked / self._questions)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)}
