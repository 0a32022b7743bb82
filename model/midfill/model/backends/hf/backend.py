"""The `transformers` backend: a request becomes token ids, and the decode loop writes the answer.

Puts the pieces together; what each does is in `loader`, `decode`, `kv`, `chat` and in the tables beside
`model/`. Runs on the worker's thread alone.
"""

import gc
from collections.abc import Generator
from time import perf_counter
from typing import Any

import torch

from midfill.model.api import ChatRequest, Event, FimRequest, Finish, ModelInfo, Request
from midfill.model.backends.base import Report, load_whole
from midfill.model.backends.hf.canary import try_out
from midfill.model.backends.hf.chatting import Chats
from midfill.model.backends.hf.conversations import Conversations, most_chats
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.device import CHATS_BYTES, choose_kv_bytes
from midfill.model.backends.hf.documents import Document, Documents
from midfill.model.backends.hf.job import Drafter, Job
from midfill.model.backends.hf.kv import Past
from midfill.model.backends.hf.loader import Loaded, load_model
from midfill.model.backends.hf.speculation import Speculation
from midfill.model.budget import room_tokens
from midfill.model.config import ModelConfig
from midfill.model.errors import GenerationError, OutOfMemory, UnsupportedModel
from midfill.model.prompting import Prompt, Prompts
from midfill.model.stops import StopScanner
from midfill.model.store.local import LocalModel

FIRST_PASS_TOKENS = 16
"""More than go through the kernels for few rows; a quarter of the time that a block of 128 takes."""


class TransformersBackend:
    """See `Backend`. Every document and every chat has a KV cache of its own: none disturbs another."""

    def __init__(self, config: ModelConfig, local: LocalModel | None = None) -> None:
        self._config = config
        self._local = local
        self._loaded: Loaded | None = None
        self._loop: DecodeLoop | None = None
        self._documents = Documents(self._make_past)
        self._chat, self._apart = Conversations(self._make_past), Conversations(self._make_past)
        self._speculation: Speculation | None = None
        self._prompts: Prompts | None = None
        self._chats: Chats | None = None
        self._name, self._began = "", 0.0

    def load(self, report: Report) -> ModelInfo:
        """Find, convert if need be, load and try out the model of the configuration. Raises ModelError.

        What fails or is abandoned leaves nothing behind: the next load begins anew.
        """
        try:
            return load_whole(self, report)
        except BaseException:
            self.close()
            raise

    def read(self, report: Report) -> None:
        """See `TwoStep.read`."""
        self._began = perf_counter()
        local = self._local or _find(self._config.model)
        loaded = self._loaded = load_model(local, self._config, report)
        self._loop = DecodeLoop(
            loaded.model, loaded.tokenizer.token_bytes, loaded.context_tokens, device=loaded.device
        )
        self._prompts = _make_prompts(loaded)
        self._chats = Chats(loaded, self._prompts)
        # Where steps are recorded, they are for one cache: others' first requests would be slow.
        budget = 0 if hasattr(loaded.model, "warm_up") else choose_kv_bytes(loaded.device)
        self._documents = Documents(self._make_past, budget)
        chats_bytes = choose_kv_bytes(loaded.device, CHATS_BYTES)
        self._chat.most = self._apart.most = most_chats(loaded.model, loaded.context_tokens, chats_bytes)
        self._name = local.name

    def warm_up(self) -> Generator[float | None, None, ModelInfo]:
        """See `TwoStep.warm_up`."""
        loaded, loop, prompts = self._ready()
        yield from self._first_passes()
        cache = self._documents.take((), "").cache
        if hasattr(loaded.model, "warm_up"):  # has steps to record, for the cache that will use them
            yield from loaded.model.warm_up(cache.past)
        if self._config.speculation != "off":
            speculation = Speculation(loaded.tokenizer)
            yield from speculation.measure(loop, cache)
            self._speculation = speculation
        tried = yield from try_out(loaded, loop)
        if tried is not loaded:
            loaded = self._loaded = tried
            self._prompts = _make_prompts(loaded)
            self._chats = Chats(loaded, self._prompts)
            self._prompts.prefill_per_s = prompts.prefill_per_s
        parameters, memory = _size(loaded.model)
        return ModelInfo(
            name=self._name,
            device=str(loaded.device),
            dtype=loaded.served,
            dialect=loaded.dialect.name if loaded.dialect else "",
            context_tokens=loaded.context_tokens,
            left_to_right=loaded.fim.reason,
            can_chat=loaded.chat is not None,
            parameters=parameters,
            memory_bytes=memory,
            note=loaded.note,
            load_ms=(perf_counter() - self._began) * 1000,
        )

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """See `Backend.stream`. A model without a dialect continues the prefix and ignores the suffix."""
        loaded, loop, _ = self._ready()
        match request:
            case FimRequest(apart=True):
                # Static buffers on a GPU are too large to have once more; there, prefilling again is fast.
                chats = self._apart if loaded.device.type == "cpu" else self._chat
                yield from chats.stream(loop, self._apart_job(loaded, request))
            case FimRequest():
                yield from self._complete(loop, *self._fim_job(loaded, request))
            case ChatRequest(to_filter=True):  # or a model would judge itself
                raise UnsupportedModel("no safety filter is loaded: restart the model")
            case ChatRequest():
                yield from self._chat.stream(loop, self._chat_job(request))

    @property
    def most_chats(self) -> int:
        """See `most_chats_of`."""
        return self._chat.most

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, markers in it counted as text."""
        return len(self._ready()[0].tokenizer.encode(text))

    def close(self) -> None:
        """Free the device. Idempotent; the backend may be loaded again."""
        self._loaded = self._loop = self._prompts = self._chats = self._speculation = None
        for kept in (self._documents, self._chat, self._apart):
            kept.drop()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def fim_prompt(self, request: FimRequest) -> Prompt:
        """What `request` becomes: see `Prompts.make`."""
        return self._ready()[2].make(request, self._documents.held)

    def _complete(self, loop: DecodeLoop, document: Document, job: Job) -> Generator[Event, None, None]:
        """Where memory runs out, all caches go that nobody uses, and the next prompt is half as long."""
        headroom = self._ready()[2].headroom
        try:
            for event in loop.stream(document.cache, job):
                if isinstance(event, Finish):
                    headroom.went_well(self._ready()[0].context_tokens)
                yield event
        except OutOfMemory:
            headroom.ran_out(len(job.prompt))
            for kept in (self._documents, self._chat, self._apart):
                kept.drop()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise

    def _fim_job(self, loaded: Loaded, request: FimRequest) -> tuple[Document, Job]:
        _, answer = room_tokens(loaded.context_tokens, request.max_new_tokens, 0)
        prompt = self.fim_prompt(request)
        document, drafter = self._documents.take(prompt.ids, request.path), None
        if self._speculation and not request.prefill_only:
            drafter = self._speculation.for_fim(request, document.lookup)
            document.lookup = drafter.lookup
        return document, _job(request, prompt, answer, loaded, drafter)

    def _apart_job(self, loaded: Loaded, request: FimRequest) -> Job:
        _, answer = room_tokens(loaded.context_tokens, request.max_new_tokens, 0)
        return _job(request, self._ready()[2].apart(request), answer, loaded, None)

    def _chat_job(self, request: ChatRequest) -> Job:
        assert self._chats is not None, "made with the prompts"
        drafter = self._speculation.for_chat(request) if self._speculation else None
        return self._chats.job(request, drafter)

    def _first_passes(self) -> Generator[None, None, None]:
        """A block, timed, and a token: kernels are chosen and weights mapped in before anybody waits."""
        loaded, loop, prompts = self._ready()
        block = FimRequest("x = 1\n" * loop.block_tokens, "", max_new_tokens=1, prefill_only=True)
        whole = min(loop.block_tokens, loaded.context_tokens // 2)
        for room in (min(FIRST_PASS_TOKENS, whole), whole):  # the first only maps weights in
            prompt = prompts.fitted(block, room).ids
            cache = self._documents.take(prompt, "").cache
            began = perf_counter()
            for _ in loop.stream(cache, Job(prompt, 1, loaded.stop_ids, prefill_only=True)):
                pass  # one pass: the prompt is no longer than a block
            prompts.prefill_per_s = len(prompt) / (perf_counter() - began)
            self._documents.drop()
            yield
        for _ in self.stream(FimRequest("def ", "\n", max_new_tokens=2)):
            yield
        self._documents.drop()

    def _make_past(self) -> Past:
        return self._ready()[0].make_past()

    def _ready(self) -> tuple[Loaded, DecodeLoop, Prompts]:
        if self._loaded is None or self._loop is None or self._prompts is None:
            raise GenerationError("the model is not loaded")
        return self._loaded, self._loop, self._prompts


def _job(
    request: FimRequest, prompt: Prompt, answer_tokens: int, loaded: Loaded, drafter: Drafter | None
) -> Job:
    return Job(
        prompt=prompt.ids,
        constraint=prompt.constraint,
        hidden_bytes=prompt.hidden_bytes,
        snippets=prompt.snippets,
        max_new_tokens=answer_tokens,
        stop_ids=loaded.stop_ids,
        scanner=StopScanner(request.stop),
        temperature=request.temperature,
        prefill_only=request.prefill_only,
        background=request.prefill_only,
        drafter=drafter,
    )


def _size(model: Any) -> tuple[int, int]:
    """How many weights a model has, and the bytes of all the tensors it keeps for them."""
    if hasattr(model, "parameter_count"):  # one of the lean ones
        return model.parameter_count, model.memory_bytes()
    sizes = [(p.numel(), p.element_size()) for p in model.parameters()]
    return sum(count for count, _ in sizes), sum(count * size for count, size in sizes)


def _make_prompts(loaded: Loaded) -> Prompts:
    return Prompts(
        loaded.tokenizer,
        loaded.dialect,
        loaded.bos_id,
        loaded.context_tokens,
        on_cpu=loaded.device.type == "cpu",
        stop_ids=loaded.stop_ids,
    )


def _find(spec: str) -> LocalModel:
    from midfill.model.store.store import Store  # here: trials and tests bring a model of their own

    return Store().find(spec)
