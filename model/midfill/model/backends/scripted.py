"""A backend without a model: deterministic, never empty, each forward pass as long as it is told.

For tests of everything around the model, in this repository and in editors' own. Ships in the wheel.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Generator

from midfill.model.api import (
    ChatRequest,
    Chunk,
    Event,
    FimRequest,
    Finish,
    FinishReason,
    LoadProgress,
    ModelInfo,
    Request,
    Scope,
    Usage,
)
from midfill.model.backends.base import Report, load_whole
from midfill.model.config import ModelConfig

CHARS_PER_TOKEN = 4
"""The usual rough figure for code; here it is exact."""
PREFILL_BLOCK_TOKENS = 512
CONTEXT_TOKENS = 16_384


class ScriptedBackend:
    """Writes `config.scripted_text`, or words made from the prompt when that is empty; answers chats with
    `config.scripted_answers`, if there are any.

    The KV cache is imitated: characters shared with the last FIM prompt's prefix count as reused.
    """

    def __init__(self, config: ModelConfig, sleep: Callable[[float], None] = time.sleep) -> None:
        self._config = config
        self._sleep = sleep
        self._cached = ""
        self._answered = 0

    def load(self, report: Report) -> ModelInfo:
        return load_whole(self, report)

    def read(self, report: Report) -> None:
        report(LoadProgress("load", "loading the script", 1.0))

    def warm_up(self) -> Generator[None, None, ModelInfo]:
        yield
        return ModelInfo(
            name="scripted",
            device="none",
            dtype="none",
            dialect="scripted",
            context_tokens=self._config.context_tokens or CONTEXT_TOKENS,
            can_chat=True,
        )

    def stream(self, request: Request) -> Generator[Event, None, None]:
        prompt = _prompt(request)
        counts = isinstance(request, FimRequest) and not request.apart
        reused = self._reuse(prompt) if counts else 0
        prompt_tokens = self.count_tokens(prompt)
        fresh = max(1, prompt_tokens - reused)
        for _ in range(0, fresh, PREFILL_BLOCK_TOKENS):
            self._pass()
            yield Chunk()
        if isinstance(request, FimRequest):
            self._cached = prompt if counts else self._cached
            if request.prefill_only:
                snippets = len(request.snippets)
                yield Finish(FinishReason.LENGTH, Usage(prompt_tokens, reused, snippets=snippets))
                return
        pieces = self._answer(request)
        self._answered += isinstance(request, ChatRequest)
        for piece in pieces:
            self._pass()
            yield Chunk(piece, (-0.1,))
        limited = len(pieces) == request.max_new_tokens and not _choices(request)
        reason = FinishReason.LENGTH if limited else FinishReason.EOT
        snippets = len(request.snippets) if isinstance(request, FimRequest) else 0
        yield Finish(reason, Usage(prompt_tokens, reused, len(pieces), snippets=snippets))

    def count_tokens(self, text: str) -> int:
        return -(-len(text) // CHARS_PER_TOKEN)

    def close(self) -> None:
        self._cached = ""

    def _pass(self) -> None:
        if self._config.scripted_step_ms > 0:
            self._sleep(self._config.scripted_step_ms / 1000)

    def _reuse(self, prompt: str) -> int:
        limit = range(min(len(prompt), len(self._cached)) + 1)
        shared = bisect_right(limit, 0, key=lambda n: prompt[:n] != self._cached[:n]) - 1
        return shared // CHARS_PER_TOKEN

    def _answer(self, request: Request) -> list[str]:
        text = self._config.scripted_text or _made_up(request)
        said = self._config.scripted_answers
        if said and isinstance(request, ChatRequest):
            text = said[min(self._answered, len(said) - 1)]
        choices = _choices(request)
        if choices and text not in choices:
            text = choices[0]
        if isinstance(request, FimRequest) and request.stop.scope is Scope.SINGLE_LINE:
            text = text.partition("\n")[0]
        pieces = [text[i : i + CHARS_PER_TOKEN] for i in range(0, len(text), CHARS_PER_TOKEN)]
        return pieces if choices else pieces[: request.max_new_tokens]


def _prompt(request: Request) -> str:
    if isinstance(request, ChatRequest):
        return "".join(message.content for message in request.messages)
    others = "".join(snippet.text for snippet in request.snippets)
    return others + request.prefix + request.suffix


def _choices(request: Request) -> tuple[str, ...]:
    return request.choices if isinstance(request, ChatRequest) else ()


def _made_up(request: Request) -> str:
    """As many four-character words as the request allows: `a000a001a002…`, lettered by the prompt; other
    ones for each tenth of temperature."""
    letter = chr(ord("a") + (len(_prompt(request)) + round(10 * request.temperature)) % 26)
    return "".join(f"{letter}{i:03d}" for i in range(request.max_new_tokens))
