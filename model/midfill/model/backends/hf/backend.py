"""The `transformers` backend: a request becomes token ids, and the decode loop writes the answer.

Puts the pieces together; what each does is in `loader`, `decode`, `kv`, `chat` and in the tables beside
`model/`. Runs on the worker's thread alone.
"""

import gc
from collections.abc import Generator
from time import perf_counter
from typing import Any

import torch

from midfill.model.api import ChatRequest, Event, FimRequest, LoadProgress, ModelInfo, Request
from midfill.model.backends.base import Report
from midfill.model.backends.hf.chat import marker_ids
from midfill.model.backends.hf.decode import DecodeLoop, Job
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.loader import Loaded, load_model
from midfill.model.backends.lean.forward import LeanModel
from midfill.model.budget import fit, room_tokens
from midfill.model.config import ModelConfig
from midfill.model.dialects import overhead_tokens, render
from midfill.model.errors import GenerationError, UnsupportedModel
from midfill.model.stops import StopScanner
from midfill.model.store.local import LocalModel
from midfill.model.tokens import common_prefix

CPU_SUFFIX_TOKENS = 128
"""In PSM every key typed computes the suffix again: 0.2–0.6 s for so many on 2 cores (measured)."""
GPU_SUFFIX_SHARE = 0.2
"""Of the budget. Continue gives at most 20 %."""
COLD_PREFILL_S = 1.0
"""How long a text that is not in the KV cache may be prefilled while somebody waits for a completion."""
MIN_COLD_TOKENS = 256
"""Less context than this makes suggestions worse than waiting does (a guess; issue 4 measures it)."""


class TransformersBackend:
    """See `Backend`. FIM and chat have a KV cache each, so that neither disturbs the other."""

    def __init__(self, config: ModelConfig, local: LocalModel | None = None) -> None:
        self._config = config
        self._local = local
        self._loaded: Loaded | None = None
        self._loop: DecodeLoop | None = None
        self._fim, self._chat = TokenCache(), TokenCache()
        self._prefill_per_s = 0.0
        """Tokens a second, measured at load."""

    def load(self, report: Report) -> ModelInfo:
        """Find, convert if need be, load and try out the model of the configuration. Raises ModelError."""
        began = perf_counter()
        local = self._local or _find(self._config.model)
        loaded = self._loaded = load_model(local, self._config, report)
        self._loop = DecodeLoop(loaded.model, loaded.tokenizer.token_bytes, loaded.context_tokens)
        report(LoadProgress("warm-up", "first tokens"))
        self._warm_up()
        parameters, memory = _size(loaded.model)
        return ModelInfo(
            name=local.name,
            device=str(loaded.device),
            dtype=loaded.served,
            dialect=loaded.dialect.name if loaded.dialect else "",
            context_tokens=loaded.context_tokens,
            can_chat=loaded.chat is not None,
            parameters=parameters,
            memory_bytes=memory,
            load_ms=(perf_counter() - began) * 1000,
        )

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """See `Backend.stream`. A model without a dialect continues the prefix and ignores the suffix."""
        loaded, loop = self._ready()
        match request:
            case FimRequest():
                yield from loop.stream(self._fim, self._fim_job(loaded, request))
            case ChatRequest():
                yield from loop.stream(self._chat, self._chat_job(loaded, request))

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, markers in it counted as text."""
        return len(self._ready()[0].tokenizer.encode(text))

    def close(self) -> None:
        """Free the device. Idempotent; the backend may be loaded again."""
        self._loaded = self._loop = None
        self._fim, self._chat = TokenCache(), TokenCache()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def fim_prompt(self, request: FimRequest) -> list[int]:
        """The ids that `request` becomes: what fits of it, in the model's dialect.

        A slow machine gets less of a text that it has not prefilled yet: somebody is waiting. Prefilling
        ahead takes all of it, and what is prefilled costs nothing.
        """
        loaded = self._ready()[0]
        overhead = overhead_tokens(loaded.dialect) if loaded.dialect else 1
        room, _ = room_tokens(loaded.context_tokens, request.max_new_tokens, overhead)
        prompt = self._fitted(loaded, request, room)
        fresh = len(prompt) - common_prefix(self._fim.tokens, prompt)
        bearable = max(MIN_COLD_TOKENS, int(self._prefill_per_s * COLD_PREFILL_S))
        if request.prefill_only or fresh <= bearable:
            return prompt
        return self._fitted(loaded, request, min(room, bearable))

    def _fitted(self, loaded: Loaded, request: FimRequest, room: int) -> list[int]:
        """The prompt with at most `room` tokens of the user's text."""
        dialect, tokenizer = loaded.dialect, loaded.tokenizer
        on_cpu = loaded.device.type == "cpu"
        suffix_max = CPU_SUFFIX_TOKENS if on_cpu else int(room * GPU_SUFFIX_SHARE)
        suffix = request.suffix if dialect else ""
        fitted = fit(tokenizer, request.prefix, suffix, room, suffix_max)
        if dialect is None:
            return self._left_to_right(loaded, fitted.prefix_ids)
        ids = {marker: tokenizer.marker_id(marker) for marker in dialect.markers}
        known = {marker: i for marker, i in ids.items() if i is not None}
        return render(dialect, known, fitted.prefix_ids, fitted.suffix_ids, loaded.bos_id)

    def _left_to_right(self, loaded: Loaded, prefix_ids: tuple[int, ...]) -> list[int]:
        starts_with_bos = loaded.bos_id is not None and (loaded.tokenizer.leading_space or not prefix_ids)
        return (
            [loaded.bos_id, *prefix_ids] if starts_with_bos and loaded.bos_id is not None else [*prefix_ids]
        )

    def _fim_job(self, loaded: Loaded, request: FimRequest) -> Job:
        _, answer = room_tokens(loaded.context_tokens, request.max_new_tokens, 0)
        return Job(
            prompt=self.fim_prompt(request),
            max_new_tokens=answer,
            stop_ids=loaded.stop_ids,
            scanner=StopScanner(request.stop),
            temperature=request.temperature,
            prefill_only=request.prefill_only,
        )

    def _chat_job(self, loaded: Loaded, request: ChatRequest) -> Job:
        chat, tokenizer = loaded.chat, loaded.tokenizer
        if chat is None:
            raise UnsupportedModel("this model completes code but does not chat: choose an Instruct model")
        return Job(
            prompt=chat.render(tokenizer, request.messages),
            max_new_tokens=request.max_new_tokens,
            stop_ids=loaded.stop_ids.union(marker_ids(tokenizer, chat.ends)),
            temperature=request.temperature,
        )

    def _warm_up(self) -> None:
        """A block, timed, and a token: kernels are chosen and weights mapped in before anybody waits."""
        loaded, loop = self._ready()
        block = FimRequest("x = 1\n" * loop.block_tokens, "", max_new_tokens=1, prefill_only=True)
        prompt = self._fitted(loaded, block, min(loop.block_tokens, loaded.context_tokens // 2))
        for _ in range(2):  # the first pass allocates
            began = perf_counter()
            for _ in loop.stream(self._fim, Job(prompt, 1, loaded.stop_ids, prefill_only=True)):
                pass
            self._prefill_per_s = len(prompt) / (perf_counter() - began)
            self._fim.drop()
        for _ in self.stream(FimRequest("def ", "\n", max_new_tokens=2)):
            pass
        self._fim.drop()

    def _ready(self) -> tuple[Loaded, DecodeLoop]:
        if self._loaded is None or self._loop is None:
            raise GenerationError("the model is not loaded")
        return self._loaded, self._loop


def _size(model: Any) -> tuple[int, int]:
    """How many weights a model has, and the bytes of all the tensors it keeps for them."""
    if isinstance(model, LeanModel):
        return model.parameter_count, model.memory_bytes()
    sizes = [(p.numel(), p.element_size()) for p in model.parameters()]
    return sum(count for count, _ in sizes), sum(count * size for count, size in sizes)


def _find(spec: str) -> LocalModel:
    from midfill.model.store.store import Store  # here: trials and tests bring a model of their own

    return Store().find(spec)
