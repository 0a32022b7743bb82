"""A causal language model for `DecodeLoop` on a GPU: which pass serves what, and what it must be told once.

Puts `forward`, `graphs` and `fusion` together. Knows nothing of files and settings.
"""

from collections.abc import Generator
from pathlib import Path

import torch

from midfill.model.backends.lean.gpu.forward import Forward, Scored, Weights, tensors_of
from midfill.model.backends.lean.gpu.fusion import fuse
from midfill.model.backends.lean.gpu.graphs import Capture, CudaCapture, Steps
from midfill.model.backends.lean.gpu.store import MAX_ROWS, StaticPast, bucket
from midfill.model.backends.lean.shape import Shape


class GpuModel(torch.nn.Module):
    """Batch of one. The same call as a transformers causal LM, with a past of `make_past`."""

    def __init__(
        self,
        shape: Shape,
        weights: Weights,
        context_tokens: int,
        served: str,
        capture: Capture | None = None,
        fusing: Path | None = None,
    ) -> None:
        super().__init__()
        self._fusing = fusing
        """Where what is compiled is kept, until it is compiled; None: nothing is."""
        self.context_tokens = context_tokens
        """As long as what it is called with may become; its positions end there."""
        self.served = served
        """What decoding multiplies, for the status."""
        self.passes = Forward(shape, weights, bucket(context_tokens, context_tokens))
        self.steps = Steps(self.passes, capture)
        self.weight = torch.nn.Parameter(weights.embed, requires_grad=False)
        self.parameter_count = sum(tensor.numel() for tensor in tensors_of(weights))

    def memory_bytes(self) -> int:
        """All weights, each once, as they are held."""
        return sum(held_bytes(tensor) for tensor in tensors_of(self.passes.weights))

    def make_past(self) -> StaticPast:
        """Empty keys and values for one stream of tokens."""
        return self.passes.make_past(self.context_tokens)

    def get_input_embeddings(self) -> "GpuModel":
        """As transformers: what has a `weight` of a row for each token."""
        return self

    def warm_up(self, past: StaticPast) -> Generator[float, None, None]:
        """Compile what is to be compiled, and record the steps that `past` will need. Yields the share that
        is done, after each; may be abandoned."""
        if self._fusing is not None:
            fuse(self.passes, self._fusing)
            self._fusing = None
            yield 0.0
        yield from self.steps.warm_up(past)

    def forward(
        self,
        input_ids: torch.Tensor,
        past_key_values: StaticPast,
        use_cache: bool = True,
        logits_to_keep: int = 0,
    ) -> Scored:
        """Scores of the last `logits_to_keep` (0: all) of `input_ids` [1, n].

        Few ids go through a step, which reads the past in whole steps and is captured; more are a block.
        """
        ids, past = input_ids[0], past_key_values
        keep = logits_to_keep or len(ids)
        if len(ids) <= MAX_ROWS:
            scored = self.steps(past, ids)
            return Scored(scored.logits[:, -keep:], scored.picked[:, -keep:])
        past.reserve(len(ids))
        scored = self.passes.block(past, ids, keep)
        past.length += len(ids)
        return scored


def cuda_capture(device: torch.device) -> Capture | None:
    """How steps are captured on `device`; None: there is nothing to capture with."""
    return CudaCapture(device) if device.type == "cuda" else None


def held_bytes(tensor: torch.Tensor) -> int:
    """What a tensor keeps; a quantised one (a subclass over plain tensors) says less in `nbytes`."""
    flatten = getattr(tensor, "__tensor_flatten__", None)
    if flatten is None:
        return tensor.nbytes
    names, _ = flatten()
    return sum(getattr(tensor, name).nbytes for name in names)
