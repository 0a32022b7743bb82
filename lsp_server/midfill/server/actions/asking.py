"""The chat model as an action asks it: one request on the chat lane, awaited, cancelled with its task.

Event loop only. Completions go before it between any two tokens: the worker's lanes see to that.
"""

import asyncio
from collections.abc import Callable, Sequence

from midfill.model import (
    CancelReason,
    CancelToken,
    ChatMessage,
    ChatRequest,
    Event,
    FimRequest,
    Finish,
    FinishReason,
    Lane,
    ModelInfo,
)
from midfill.model.api import Scope, StopRules
from midfill.model.stops import STOP_RULES
from midfill.server.actions.action import Refused
from midfill.server.loop import on_loop
from midfill.server.model_host import ModelHost

NO_CHAT = (
    "this model completes code but does not chat: set `midfill.instructModel` to an Instruct model, "
    "such as qwen2.5-coder-0.5b-instruct"
)
SILENCES = {
    "model-starting": "the model is not loaded yet: try again in a moment",
    "model-loading": "the model is still loading: try again in a moment",
    "model-downloading": "the model is still being downloaded",
    "model-off": "there is no model: `midfill model pull` gets one",
    "model-failed": "the model could not be loaded: `midfill doctor` says why",
}


INFILLING = ("qwen2.5-coder", "codellama")
"""Dialects whose models describe code better between signature and body than when they are asked: by
`make bench-actions`, and by the Code Llama paper's appendix E (arXiv 2308.12950v3)."""


def infills(info: ModelInfo) -> bool:
    return info.dialect.startswith(INFILLING)


SMALL_PARAMETERS = 3_000_000_000
"""Asked for more than a sentence about a function, the default model narrates its code: of 36 such
paragraphs a reader found 15 to say what is not so, 7 nothing new. Not measured for larger models."""


def tells_details(info: ModelInfo) -> bool:
    """Whether the model may be asked how a function does what it does."""
    return not 0 < info.parameters < SMALL_PARAMETERS


def why_not(model: ModelHost) -> str:
    """Why no action can run now, as a sentence; empty when one can."""
    if model.silence:
        return SILENCES.get(model.silence, f"the model cannot be asked now ({model.silence})")
    return "" if model.info is not None and model.info.can_chat else NO_CHAT


class Asker:
    """An `Ask` for one action. `on_text` hears how many characters have come so far, in all its answers.
    `to_filter`: it asks the safety filter's model."""

    def __init__(
        self, model: ModelHost, on_text: Callable[[int], None] = lambda _: None, to_filter: bool = False
    ) -> None:
        self._model = model
        self._on_text = on_text
        self._to_filter = to_filter
        self._characters = 0

    async def __call__(
        self,
        messages: Sequence[ChatMessage],
        max_new_tokens: int = 512,
        temperature: float = 0.0,
        enough: Callable[[str], bool] | None = None,
    ) -> str:
        request = ChatRequest(tuple(messages), max_new_tokens, temperature, to_filter=self._to_filter)
        return await self._answer(request, enough)

    async def infill(
        self,
        prefix: str,
        suffix: str,
        max_new_tokens: int,
        enough: Callable[[str], bool] | None = None,
    ) -> str:
        """See `Infill`. No rule about code ends the text: only `enough` and the model itself."""
        stop = StopRules(Scope.BLOCK, off=frozenset(STOP_RULES))
        request = FimRequest(prefix, suffix, stop=stop, max_new_tokens=max_new_tokens, apart=True)
        return await self._answer(request, enough)

    async def _answer(self, request: ChatRequest | FimRequest, enough: Callable[[str], bool] | None) -> str:
        reason = why_not(self._model)
        if reason:
            raise Refused(reason)
        loop, token, pieces = asyncio.get_running_loop(), CancelToken(), list[str]()
        ended: asyncio.Future[Finish] = loop.create_future()

        def take(event: Event) -> None:
            if ended.done():
                return
            if isinstance(event, Finish):
                ended.set_result(event)
                return
            if event.text:
                pieces.append(event.text)
                self._characters += len(event.text)
                self._on_text(self._characters)
                if enough is not None and enough("".join(pieces)):
                    token.cancel(CancelReason.ENOUGH)
                    ended.set_result(Finish(FinishReason.STOP))

        self._model.submit(request, token, lambda event: on_loop(loop, take, event), Lane.CHAT)
        try:
            finish = await ended
        except asyncio.CancelledError:
            token.cancel(CancelReason.CLIENT)
            raise
        if finish.reason is FinishReason.ERROR:
            raise Refused(finish.message or "the model failed")
        if finish.reason is FinishReason.CANCELLED:
            raise Refused("the model was stopped meanwhile")
        return "".join(pieces)
