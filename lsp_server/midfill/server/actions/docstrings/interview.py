"""Asks the chat model for each part of a docstring, one short question after the other.

The frame is ours, the sentences are the model's: even a small model answers a question about one parameter
well, where it would lose its way in a whole docstring. Each question continues the same conversation, so
its KV cache is kept and a question costs little more than its answer.
"""

import re
from collections.abc import Callable

from midfill.model import ChatMessage
from midfill.server.actions.action import Task
from midfill.server.actions.answers import EMPTY, is_complete, says_more_than, sentence, words_of
from midfill.server.actions.docstrings import fallback
from midfill.server.actions.docstrings.content import Content
from midfill.server.actions.natural import ENGLISH, language_of_comments
from midfill.server.actions.prompt import cut, fenced, messages_of
from midfill.server.actions.signature import Parameter
from midfill.server.actions.targets import Kind, Target

PROMPT_TOKENS = 400
"""Of everything in `prompts/interview.txt` but the user's code (measured: 340 with Qwen's vocabulary)."""
DETAILS_TOKENS = 100
LONG_LINES = 3
"""A body of fewer is told by its summary."""
ONLY_TAKES = re.compile(r"The (?:function|method) `\w+` takes (?!.*\b(?:and|then) (?:\w+ly )?[a-z]+s\b)")
"""Repeats the signature: seen in one of five answers of the default model."""
NEW_WORDS = 3
"""That many words beyond the summary make details worth reading."""
ANSWER_TOKENS = 60
QUESTION_TOKENS = 25
LEAST_CODE_TOKENS = 200
TEMPERATURES = (0.0, 0.7)
"""Of the first try and of the one after an answer that was of no use."""


class Interview:
    """One conversation about one target."""

    def __init__(self, task: Task, target: Target, code: str) -> None:
        self._task, self._target = task, target
        self._spoken = language_of_comments(task.snapshot.text)
        self._own_words = 0
        self._asked = 0
        self._questions = (
            1 + len(target.parameters) + (target.returns or target.yields) + len(target.raises)
        )
        turns = self._questions * (ANSWER_TOKENS + QUESTION_TOKENS)
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

    async def run(self) -> Content:
        """Every slot of the frame, in reading order. Raises Refused where the model cannot be asked."""
        target = self._target
        summary = await self._answer("", fallback.summary(target), lambda said: True)
        details = await self._details(summary) if self._is_long() else ""
        parameters = [(one, await self._parameter(one)) for one in target.parameters]
        result = await self._result() if target.returns or target.yields else ""
        raises = [(name, await self._raised(name)) for name in target.raises]
        return Content(
            summary,
            tuple(parameters),
            result,
            target.return_type,
            target.yields,
            tuple(raises),
            details,
            self._own_words,
        )

    def _is_long(self) -> bool:
        """Whether there is more to tell than a summary can."""
        target = self._target
        if target.kind is Kind.CLASS or target.body is None:
            return False
        body = self._task.snapshot.text[slice(*target.body)]
        return sum(any(map(str.isalpha, line)) for line in body.splitlines()) >= LONG_LINES

    async def _details(self, summary: str) -> str:
        """A longer sentence, if it tells more than the summary; there is no harm in having none."""
        question = f"Explain in one long sentence, with all conditions, what `{self._target.name}` does."
        self._talk.append(ChatMessage("user", question + self._tongue))
        answer = await self._task.ask(self._talk, DETAILS_TOKENS, 0.0, is_complete)
        said = sentence(answer)
        self._talk.append(ChatMessage("assistant", said or summary))
        fresh = (
            set(words_of(said or "")) - set(words_of(summary)) - set(words_of(self._target.name)) - EMPTY
        )
        tells = said is not None and len(fresh) >= NEW_WORDS and not ONLY_TAKES.match(said)
        return said or "" if tells else ""

    async def _parameter(self, one: Parameter) -> str:
        def tells(said: str) -> bool:
            return says_more_than(said, one.name, one.type)

        question = f"What is the parameter `{one.name}`?"
        return await self._answer(question, fallback.parameter(one), tells)

    async def _result(self) -> str:
        verb = "yield" if self._target.yields else "return"
        question = f"What does `{self._target.name}` {verb}?"
        return await self._answer(question, fallback.result(self._target), lambda said: True)

    async def _raised(self, name: str) -> str:
        question = f"When does `{self._target.name}` raise `{name}`?"
        return await self._answer(question, fallback.raised(name), lambda said: True)

    async def _answer(self, question: str, otherwise: str, is_good: Callable[[str], bool]) -> str:
        """The model's sentence; asked twice, then `otherwise`. An empty question is in the prompt."""
        if question:
            self._talk.append(ChatMessage("user", question + self._tongue))
        for temperature in TEMPERATURES:
            answer = await self._task.ask(self._talk, ANSWER_TOKENS, temperature, is_complete)
            said = sentence(answer)
            if said is not None and is_good(said):
                break
        else:
            said = otherwise
            self._own_words += 1
        self._talk.append(ChatMessage("assistant", said))
        self._asked += 1
        self._task.report(self._asked / self._questions)
        return said
