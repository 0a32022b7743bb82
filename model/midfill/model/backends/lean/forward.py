"""The forward pass of Llama- and Qwen2-class models, without what a CPU at one row spends its time on.

Takes the place of a transformers causal LM for `DecodeLoop`: the same call, the same cache. Knows nothing
of files, settings and which kernels its linears use. float32 between the linears.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import embedding, rms_norm, scaled_dot_product_attention, silu

from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.memory import MappedWeights
from midfill.model.backends.lean.past import BatchPast, GrowingPast, Part
from midfill.model.backends.lean.shape import Shape

FIRST_POSITIONS = 256
RELEASE_AFTER_ROWS = 512
"""Rows of blocks between two releases of the stored weights: letting go of 683 MiB and mapping it again
takes 33–42 ms of one core (measured), 512 rows more than a second. Below 4 % in the worst case."""


@dataclass(frozen=True)
class Output:
    """As transformers' `CausalLMOutput`, of which the loop reads this."""

    logits: torch.Tensor
    """[1, kept, vocabulary]."""


@dataclass(frozen=True, slots=True)
class Place:
    """What all layers share in one pass: turns of the new positions, and which keys each may see."""

    cos: torch.Tensor
    """[n, 1, head_dim]."""
    sin: torch.Tensor
    """[n, 1, head_dim], its first half negated: see `rotate`."""
    masks: Sequence[torch.Tensor | None]
    """For each part [group * rows, all its positions], 0 or -inf; None for one new position, which sees
    everything."""


class Norm(torch.nn.Module):
    """RMSNorm (arXiv 1910.07467) in float32."""

    def __init__(self, weight: torch.Tensor, epsilon: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight.float(), requires_grad=False)
        self.epsilon = epsilon

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rms_norm(rows, self.weight.shape, self.weight, self.epsilon)


class Attention(torch.nn.Module):
    """Grouped-query attention (arXiv 2305.13245): the heads of a group are queries of one key head."""

    def __init__(
        self, shape: Shape, index: int, qkv: torch.nn.Module, bias: torch.Tensor | None, o: torch.nn.Module
    ) -> None:
        super().__init__()
        self.qkv, self.o = qkv, o
        self.bias = None if bias is None else torch.nn.Parameter(bias.float(), requires_grad=False)
        self._index, self._shape = index, shape

    def forward(self, rows: torch.Tensor, parts: Sequence[Part], place: Place) -> torch.Tensor:
        """[n, hidden] to [n, hidden]; appends the keys and values of each part to its past."""
        shape, n = self._shape, rows.shape[0]
        mixed = self.qkv(rows).float()
        if self.bias is not None:
            mixed = mixed + self.bias
        heads = mixed.view(n, -1, shape.head_dim)
        turned = rotate(heads[:, : shape.heads + shape.kv_heads], place)
        counts = [part.rows for part in parts]
        each = zip(parts, torch.split(turned, counts), torch.split(heads, counts), place.masks, strict=True)
        seen = [self._seen(*one) for one in each]
        out: torch.Tensor = self.o(torch.cat(seen) if len(seen) > 1 else seen[0])
        return out

    def _seen(
        self, part: Part, turned: torch.Tensor, heads: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """What the rows of `part` see of its positions: [rows, heads * head_dim]."""
        shape, n = self._shape, part.rows
        group = shape.heads // shape.kv_heads
        queries = turned[:, : shape.heads].reshape(n, shape.kv_heads, group, shape.head_dim)
        queries = queries.permute(1, 2, 0, 3).reshape(1, shape.kv_heads, group * n, shape.head_dim)
        keys, values = part.past.update(
            turned[:, shape.heads :].transpose(0, 1)[None],
            heads[:, shape.heads + shape.kv_heads :].transpose(0, 1)[None],
            self._index,
        )
        seen = scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        seen = seen.view(shape.kv_heads, group, n, shape.head_dim).permute(2, 0, 1, 3)
        return seen.reshape(n, -1)


class Mlp(torch.nn.Module):
    """SwiGLU (arXiv 2002.05202), gate and up in one product."""

    def __init__(self, gate_up: torch.nn.Module, down: torch.nn.Module) -> None:
        super().__init__()
        self.gate_up, self.down = gate_up, down

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        gate, up = self.gate_up(rows).chunk(2, dim=-1)
        out: torch.Tensor = self.down(silu(gate) * up)
        return out


class Layer(torch.nn.Module):
    def __init__(self, attention: Attention, mlp: Mlp, before: Norm, between: Norm) -> None:
        super().__init__()
        self.attention, self.mlp, self.before, self.between = attention, mlp, before, between

    def forward(self, rows: torch.Tensor, parts: Sequence[Part], place: Place) -> torch.Tensor:
        rows = rows + self.attention(self.before(rows), parts, place)
        out: torch.Tensor = rows + self.mlp(self.between(rows))
        return out


class LeanBody(torch.nn.Module):
    """Everything but the head."""

    def __init__(
        self, shape: Shape, embed: torch.Tensor, layers: Sequence[torch.nn.Module], norm: Norm
    ) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(embed, requires_grad=False)
        self.layers = torch.nn.ModuleList(layers)
        self.norm = norm
        self.few_rows: Callable[[torch.Tensor, Sequence[Part], Place], torch.Tensor] | None = None
        """Takes few rows through all layers at once, where there is such a way."""
        self.shape = shape
        self._turns = shape.rope.frequencies(shape.head_dim)
        self._cos = self._sin = torch.empty(0, 1, shape.head_dim)

    def forward(self, ids: torch.Tensor, past: GrowingPast | BatchPast) -> torch.Tensor:
        """Ids [n] behind what `past` holds: [n, hidden] before the head."""
        parts = past.split(len(ids))
        place = self._place(parts)
        rows = embedding(ids, self.weight).float()
        if self.few_rows is not None and len(ids) <= FEW_ROWS:
            return self.few_rows(rows, parts, place)
        for layer in self.layers:
            rows = layer(rows, parts, place)
        return rows

    def _place(self, parts: Sequence[Part]) -> Place:
        spans = [(begin := part.past.get_seq_length(), begin + part.rows) for part in parts]
        longest = max(end for _, end in spans)
        if longest > len(self._cos):
            self._cos, self._sin = self._table(max(FIRST_POSITIONS, longest, 2 * len(self._cos)))
        cos = [self._cos[begin:end] for begin, end in spans]
        sin = [self._sin[begin:end] for begin, end in spans]
        masks = [self._mask(begin, end) for begin, end in spans]
        if len(parts) == 1:
            return Place(cos[0], sin[0], masks)
        return Place(torch.cat(cos), torch.cat(sin), masks)

    def _mask(self, begin: int, end: int) -> torch.Tensor | None:
        if end - begin == 1 or self.few_rows is not None:
            return None  # where few rows have a way of their own, no layer needs one
        mask = torch.full((end - begin, end), float("-inf")).triu_(begin + 1)
        return mask.repeat(self.shape.heads // self.shape.kv_heads, 1)

    def _table(self, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
        angles = torch.outer(torch.arange(positions).float(), self._turns)
        sin = angles.sin()
        return torch.cat([angles.cos()] * 2, dim=-1)[:, None], torch.cat([-sin, sin], dim=-1)[:, None]


class LeanModel(torch.nn.Module):
    """A causal language model for `DecodeLoop` on the CPU: one stream of tokens, or several at once."""

    def __init__(
        self,
        body: LeanBody,
        lm_head: torch.nn.Module,
        served: str,
        parameters: int,
        block_weights: MappedWeights | None = None,
        output: type[Output] = Output,
    ) -> None:
        """`block_weights`: those that only blocks of more than `FEW_ROWS` rows are multiplied by."""
        super().__init__()
        self.model, self.lm_head = body, lm_head
        self.served, self.parameter_count = served, parameters
        """What its weights are multiplied as, and how many the model has: for the status."""
        self._block_weights = block_weights
        self._output = output
        self._rows_since_release = RELEASE_AFTER_ROWS  # the first block maps everything: warm-up's

    def memory_bytes(self) -> int:
        """All weights it keeps, each once: as stored (mapped from disk, if unchanged) and quantised."""
        kept = [parameter.data for parameter in self.parameters()]
        for module in self.modules():
            packed = getattr(module, "packed", None)
            kept += [packed.numbers, packed.scales] if packed else []
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in kept}.values())

    @property
    def kv_bytes_per_token(self) -> int:
        """Of keys and values in all layers, in float32."""
        shape = self.model.shape
        return 2 * shape.layers * shape.kv_heads * shape.head_dim * torch.float32.itemsize

    def make_past(self) -> GrowingPast:
        """Empty keys and values for one stream of tokens."""
        return GrowingPast(len(self.model.layers))

    def batch(self, parts: Sequence[tuple[GrowingPast, int]]) -> BatchPast:
        """For one pass over rows of several streams: (past, how many rows are its own) in order."""
        return BatchPast([Part(*part) for part in parts])

    def get_input_embeddings(self) -> "LeanBody":
        """As transformers: what has a `weight` of a row for each token."""
        return self.model

    def forward(
        self, input_ids: torch.Tensor, past_key_values: Any, use_cache: bool = True, logits_to_keep: int = 0
    ) -> Output:
        """Logits of the last `logits_to_keep` (0: all) of `input_ids` [1, n], in float32."""
        self._release_block_weights(input_ids.shape[1])
        rows = self.model(input_ids[0], past_key_values)
        logits = self.lm_head(self.model.norm(rows[-logits_to_keep:]))
        return self._output(logits.float()[None])

    def _release_block_weights(self, n: int) -> None:
        """When few rows follow on many, the weights for many are not needed for a while, and they are more
        than half of all memory. They stay in the system's file cache.
        """
        if n > FEW_ROWS:
            self._rows_since_release += n
        elif self._block_weights and self._rows_since_release > RELEASE_AFTER_ROWS:
            self._block_weights.release()
            self._rows_since_release = 0


def rotate(heads: torch.Tensor, place: Place) -> torch.Tensor:
    """Turn [n, heads, head_dim]: the halves of a head are the two coordinates of each pair."""
    n, count, dim = heads.shape
    swapped = heads.view(n, count, 2, dim // 2).flip(2).view(n, count, dim)
    return torch.addcmul(heads * place.cos, swapped, place.sin)
