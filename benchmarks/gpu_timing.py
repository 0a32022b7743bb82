"""What the GPU's benchmark times: the device's own limits, our loop on a model, transformers beside it."""

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from midfill.model.api import Chunk, Finish
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.lean.gpu.model import GpuModel
from midfill.model.backends.lean.gpu.store import MAX_ROWS

NEW_TOKENS, ROUNDS = 64, 3
LINE_TOKENS = 24
"""About a line of code."""
COPY_BYTES = {"cuda": 4 << 30, "cpu": 64 << 20}
MATRIX = {"cuda": 8192, "cpu": 512}


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(run: Callable[[], object], device: torch.device, rounds: int = ROUNDS) -> float:
    """The best of so many, after one to warm up; each over when the device is idle."""
    times = []
    for _ in range(rounds + 1):
        wait_for(device)
        began = perf_counter()
        run()
        wait_for(device)
        times.append(perf_counter() - began)
    return min(times[1:])


def bandwidth(device: torch.device) -> float:
    """Bytes a second, read and written, of a copy much larger than any cache."""
    source = torch.zeros(COPY_BYTES[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source), device, 5)


def matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Multiplications and additions a second of one large product."""
    n = MATRIX[device.type]
    left, right = (torch.ones(n, n, dtype=dtype, device=device) for _ in range(2))
    return 2 * n**3 / seconds(lambda: left @ right, device, 5)


class Timed:
    """Our loop on a model: each answer is a row of figures."""

    def __init__(self, model: GpuModel, vocabulary: int, context: int) -> None:
        self.model, self.device = model, model.passes.device
        self.loop = DecodeLoop(model, lambda i: b"x", context)
        self.cache = TokenCache(model.make_past)
        self._vocabulary = vocabulary

    def warm_up(self) -> float:
        """Seconds until everything is compiled and recorded, and a first answer is written."""
        wait_for(self.device)
        began = perf_counter()
        past: Any = self.cache.past
        for _ in self.model.warm_up(past):
            pass
        self.answer(self.prompt(64), 4)
        wait_for(self.device)
        return perf_counter() - began

    def prompt(self, tokens: int, seed: int = 0) -> list[int]:
        """So many random ids."""
        random = torch.Generator().manual_seed(seed)
        return torch.randint(0, self._vocabulary, (tokens,), generator=random).tolist()

    def answer(self, prompt: list[int], new: int) -> tuple[float, float, list[float]]:
        """Milliseconds until the first token, milliseconds in all, and those of each pass."""
        began = last = perf_counter()
        passes: list[float] = []
        first = math.nan
        for event in self.loop.stream(self.cache, Job(prompt, new, frozenset())):
            now = perf_counter()
            passes.append(1000 * (now - last))
            if math.isnan(first) and isinstance(event, Chunk) and event.text:
                first = 1000 * (now - began)
            last = now
        return first, 1000 * (perf_counter() - began), passes

    def decode_ms(self, context: int) -> tuple[float, float]:
        """Milliseconds a token behind `context` tokens, and milliseconds that these took to prefill."""
        decode = prefill = math.inf
        for seed in range(ROUNDS):
            prompt = self.prompt(context, seed)
            self.cache.rewind(0)
            *_, finish = self.loop.stream(self.cache, Job(prompt, NEW_TOKENS + 1, frozenset()))
            assert isinstance(finish, Finish)
            decode = min(decode, finish.usage.decode_ms / NEW_TOKENS)
            prefill = min(prefill, finish.usage.prefill_ms)
        return decode, prefill

    def keystrokes(self, context: int) -> dict[str, float]:
        """A key typed behind `context` tokens, medians: first token with and without reuse, and a line."""
        reused, cold, lines = [], [], []
        for seed in range(5):
            prompt = self.prompt(context + 8, seed)
            self.cache.rewind(0)
            cold.append(self.answer(prompt[:context], 1)[0])
            for more in range(1, 5):
                first, whole, _ = self.answer(prompt[: context + more], LINE_TOKENS)
                reused.append(first)
                lines.append(whole)
        return {name: sorted(each)[len(each) // 2] for name, each in
                (("ttft reuse ms", reused), ("ttft cold ms", cold), ("line ms", lines))}  # fmt: skip

    def cancel_ms(self, context: int) -> float:
        """The longest that anything took which a cancel must wait for: a block or a step, then silence."""
        self.cache.rewind(0)
        _, _, passes = self.answer(self.prompt(context), 32)
        return max(passes) + 1000 * seconds(lambda: None, self.device)

    def rows_ratio(self, context: int) -> float:
        """How much longer a step of MAX_ROWS rows takes than one of a single row."""
        past = self.model.make_past()
        prompt = torch.tensor([self.prompt(context)], device=self.device)
        with torch.inference_mode():
            for block in torch.split(prompt, 512, dim=1):
                self.model(block, past, logits_to_keep=1)

            def step(rows: int) -> float:
                def run() -> None:
                    past.rewind(context)
                    self.model(prompt[:, :rows], past).picks()

                return seconds(run, self.device, 10)

            return step(MAX_ROWS) / step(1)


def generate_ms(model: Any, vocabulary: int, context: int, static: bool) -> float:
    """Milliseconds a token of transformers' `generate()` behind `context` tokens, prefill taken off.
    `static`: its static cache, for which it compiles its steps by itself on a GPU."""
    device = next(model.parameters()).device
    random = torch.Generator().manual_seed(0)
    batch = torch.randint(0, vocabulary, (1, context), generator=random).to(device)
    how: dict[str, Any] = {"cache_implementation": "static"} if static else {}

    def run(new: int) -> None:
        model.generate(
            batch, attention_mask=torch.ones_like(batch), max_new_tokens=new, min_new_tokens=new,
            do_sample=False, pad_token_id=0, **how,
        )  # fmt: skip

    one = seconds(lambda: run(1), device, 2)
    return 1000 * (seconds(lambda: run(NEW_TOKENS + 1), device, 2) - one) / NEW_TOKENS
