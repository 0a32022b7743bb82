"""The safety filter around an action's model: a classifier reads each question and each answer.

What goes in and comes out is Llama Guard 3's public format (llama.com, model cards and prompt formats; the
categories are MLCommons' with Meta's S14). Fails closed: what is not called safe, for whatever reason, is
refused. Sits at the one place where all actions ask (`runner.py`); completions have no filter.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midfill.model import ChatMessage
from midfill.server.actions.action import Ask, Refused
from midfill.server.actions.asking import Asker
from midfill.server.actions.prompt import messages_of
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings

VERDICT_TOKENS = 24
"""`unsafe` and a line of categories: at most all 14."""
TAG = re.compile(r"<(?=(?:BEGIN|END) (?:CONVERSATION|UNSAFE CONTENT CATEGORIES)>)")
ROLE = re.compile(r"^([ \t]*(?:User|Agent)):", re.MULTILINE | re.IGNORECASE)
CATEGORIES = re.compile(r"S\d{1,2}(?:\s*,\s*S\d{1,2})*")
QUESTION, ANSWER = "what would be asked", "what the model answered"


@dataclass(frozen=True, slots=True)
class Verdict:
    safe: bool
    categories: tuple[str, ...] = ()
    """As `S1`, as the classifier named them."""


def verdict_of(answer: str) -> Verdict | None:
    """What a classifier answered; None for anything but `safe`, or `unsafe` with or without categories."""
    first, _, second = (line.strip() for line in answer.strip().partition("\n"))
    if first == "safe" and not second:
        return Verdict(True)
    if first != "unsafe" or (second and not CATEGORIES.fullmatch(second)):
        return None
    return Verdict(False, tuple(re.findall(r"S\d+", second)))


def question_of(said: Sequence[str]) -> list[ChatMessage]:
    """What the classifier is asked about the last text in `said`: user and model by turns, user first."""
    turns = [f"{role_of(number)}: {_tame(text)}" for number, text in enumerate(said)]
    conversation = "\n\n".join(turns)
    role = role_of(len(said) - 1)
    return messages_of("midfill.server.actions", "llama_guard.txt", role=role, conversation=conversation)


def _tame(text: str) -> str:
    """`text` that neither ends the conversation around it nor begins another turn."""
    return ROLE.sub(r"\1 -", TAG.sub("< ", text.strip()))


def role_of(number: int) -> str:
    return "Agent" if number % 2 else "User"


class Unsafe(Refused):
    """The filter did not call something safe."""


def asker_for(
    model: ModelHost, settings: Settings, on_text: Callable[[int], None] = lambda _: None
) -> "Asker | SafetyFilter":
    """What an action asks, with the filter around it that `settings` want."""
    asker = Asker(model, on_text)
    if not settings.safety_model:
        return asker
    return SafetyFilter(asker, Asker(model, to_filter=True), settings.safety_model)


class SafetyFilter:
    """An `Ask` that lets through what `classify`, another one, calls safe. `name` is for the user.

    Raises Refused as `model` does, and where a question or an answer is not called safe.
    """

    def __init__(self, model: Asker, classify: Ask, name: str) -> None:
        self._ask, self._infill, self._classify, self._name = model, model.infill, classify, name
        self._passed: set[str] = set()
        """Questions that were called safe: a second try is not read again."""

    async def __call__(
        self,
        messages: Sequence[ChatMessage],
        max_new_tokens: int = 512,
        temperature: float = 0.0,
        enough: Callable[[str], bool] | None = None,
    ) -> str:
        question = messages[-1].content
        if question not in self._passed:
            await self._check([question], QUESTION)
            self._passed.add(question)
        answer = await self._ask(messages, max_new_tokens, temperature, enough)
        if answer.strip():
            await self._check([question, answer], ANSWER)
        return answer

    async def infill(
        self,
        prefix: str,
        suffix: str,
        max_new_tokens: int,
        enough: Callable[[str], bool] | None = None,
    ) -> str:
        """See `Infill`: the code around the hole is the question."""
        await self._check([prefix + suffix], QUESTION)
        answer = await self._infill(prefix, suffix, max_new_tokens, enough)
        if answer.strip():
            await self._check([prefix + suffix, answer], ANSWER)
        return answer

    async def _check(self, said: Sequence[str], what: str) -> None:
        try:
            verdict = verdict_of(await self._classify(question_of(said), VERDICT_TOKENS))
        except Refused as refused:
            raise Unsafe(f"the safety filter ({self._name}) could not read {what}: {refused}") from refused
        if verdict is None:
            raise Unsafe(f"the safety filter ({self._name}) gave no verdict on {what}")
        if not verdict.safe:
            named = f" ({', '.join(verdict.categories)})" if verdict.categories else ""
            raise Unsafe(f"the safety filter ({self._name}) calls {what} unsafe{named}")
