"""Questions to the Instruct model about one function. Pure: prompt files in, requests out.

What stands before the function is the same in every question, and the function in each of one action's: the
model's KV cache keeps both. Code is data: it is fenced, and nothing in it is a message of its own.
"""

import re
from functools import cache
from pathlib import Path

from midfill.model import ChatMessage, ChatRequest
from midfill.server.actions.unit_tests.case import Result
from midfill.server.actions.unit_tests.function import Function
from midfill.server.actions.unit_tests.styles import Style

PROMPTS = Path(__file__).with_name("prompts")
ASPECTS = (
    "",
    " with edge cases: empty, zero, one element, negative",
    " so that each line of its code runs",
    " with inputs that are longer than usual",
    " with inputs for which a small mistake in its code would show",
)
"""One for each candidate. A small model asked the same twice answers the same; at a temperature, worse."""
NEW_TOKENS = 220
"""Five assertions take about 100; a model that repeats itself is cut here."""
REPAIR_TOKENS = 80
UNRUN_TOKENS = 320
"""Three tests in Go, the most wordy, take about 200."""
MAX_CODE_CHARS = 6000
"""About 1,800 tokens: 7 s of prefill on two cores. Of a longer function the ends are shown."""


def requests(function: Function, context: str, candidates: int) -> list[ChatRequest]:
    """A question for each candidate, at most as many as there are aspects. `context` is the code to show:
    for a method, of its class what makes an object."""
    prompt = "methods" if function.owner else "asserts"
    return [
        ChatRequest(
            _messages(
                prompt, code=_fitted(context), name=function.name, owner=function.owner, aspect=aspect
            ),
            NEW_TOKENS,
        )
        for aspect in ASPECTS[:candidates]
    ]


def repair(function: Function, context: str, result: Result) -> ChatRequest:
    """Ask for a test once more that raised something, with the last line of what it raised."""
    messages = _messages(
        "repair", code=_fitted(context), test=result.case.body, failure=_last_error(result.failure)
    )
    return ChatRequest(messages, REPAIR_TOKENS)


def unrun(language: str, style: Style, code: str, name: str) -> ChatRequest:
    """Ask for tests in another language, as `style` has them."""
    values = {"told": style.told, "example": style.code, "tests": style.tests}
    return ChatRequest(
        _messages("unrun", language=language, code=_fitted(code), name=name, **values), UNRUN_TOKENS
    )


def _last_error(failure: str) -> str:
    said = [line[1:].strip() for line in failure.splitlines() if line.startswith("E ")]
    return said[-1][:300] if said else "It failed."


def _fitted(code: str) -> str:
    """The code without what would end its fence, and no more than fits."""
    code = code.strip("\n").replace("```", "'''")
    if len(code) <= MAX_CODE_CHARS:
        return code
    half = MAX_CODE_CHARS // 2
    return f"{code[:half].rpartition(chr(10))[0]}\n    ...\n{code[-half:].partition(chr(10))[2]}"


def _messages(prompt: str, **values: str) -> tuple[ChatMessage, ...]:
    return tuple(ChatMessage(role, _filled(text, values)) for role, text in _read(prompt))


def _filled(text: str, values: dict[str, str]) -> str:
    """All at once: what stands in the user's code is never filled in."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


@cache
def _read(prompt: str) -> tuple[tuple[str, str], ...]:
    """(role, text) of each message in a prompt file."""
    text = (PROMPTS / f"{prompt}.txt").read_text(encoding="utf-8")
    pieces = re.split(r"^=== (\w+)\n", text, flags=re.MULTILINE)[1:]
    return tuple(
        (role, content.strip("\n")) for role, content in zip(pieces[::2], pieces[1::2], strict=True)
    )
