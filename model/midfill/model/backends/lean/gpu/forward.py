"""The forward pass of Llama- and Qwen2-class models on a GPU: fixed shapes, few kernels, no waiting.

Takes the place of a transformers causal LM for `DecodeLoop`, as the CPU's does (`lean/forward.py`). A few
rows go through a step of fixed shape that `graphs` may capture; blocks of a prompt go through eagerly.
Between the linears all is float32. On a CPU the same code runs uncaptured, for tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.nn.functional import embedding, linear, rms_norm, silu

from midfill.model.backends.lean.gpu.attention import Attend, attend_block, choose_attend, mask_for
from midfill.model.backends.lean.gpu.store import StaticPast, first_bucket, kv_sizes
from midfill.model.backends.lean.shape import Shape


class LayerWeights(NamedTuple):
    """One layer's. Plain tensors, not a module: a function of them is compiled once for all layers."""

    before: torch.Tensor
    """Norms are float32 [hidden]; linears [rows, columns] in the model's format, or quantised."""
    qkv: torch.Tensor
    bias: torch.Tensor | None
    """Of qkv, float32."""
    o: torch.Tensor
    between: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor


@dataclass(frozen=True, slots=True)
class Weights:
    """A whole model's."""

    embed: torch.Tensor
    """[vocabulary, hidden]."""
    layers: tuple[LayerWeights, ...]
    norm: torch.Tensor
    head: torch.Tensor
    """[vocabulary, hidden]; may be `embed` itself."""


Heads = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def enter(
    rows: torch.Tensor, layer: LayerWeights, cos: torch.Tensor, sin: torch.Tensor, dim: int, queries: int,
    epsilon: float,
) -> Heads:  # fmt: skip
    """Everything before attention: rows [n, hidden] to queries [heads, n, dim], keys and values
    [kv_heads, n, dim], in the weights' format; `cos` and `sin` [n, 1, dim], sin's first half negated."""
    normed = rms_norm(rows, rows.shape[-1:], layer.before, epsilon)
    mixed = linear(normed.to(layer.qkv.dtype), layer.qkv)
    dtype = mixed.dtype
    heads = mixed.float()
    if layer.bias is not None:
        heads = heads + layer.bias
    heads = heads.view(rows.shape[0], -1, dim)
    kv = (heads.shape[1] - queries) // 2
    plain = heads[:, : queries + kv]
    swapped = torch.cat((plain[..., dim // 2 :], plain[..., : dim // 2]), dim=-1)
    turned = (plain * cos + swapped * sin).to(dtype).transpose(0, 1)
    values = heads[:, queries + kv :].to(dtype).transpose(0, 1)
    return turned[:queries].contiguous(), turned[queries:], values


def leave(rows: torch.Tensor, seen: torch.Tensor, layer: LayerWeights, epsilon: float) -> torch.Tensor:
    """Everything behind attention: `seen` [heads, n, dim] and rows [n, hidden] to rows [n, hidden]."""
    mixed = linear(seen.transpose(0, 1).reshape(rows.shape[0], -1), layer.o)
    rows = rows + mixed.float()
    normed = rms_norm(rows, rows.shape[-1:], layer.between, epsilon)
    gate, up = linear(normed.to(layer.gate_up.dtype), layer.gate_up).chunk(2, dim=-1)
    return rows + linear(silu(gate) * up, layer.down).float()


@dataclass(frozen=True, slots=True)
class LayerFunctions:
    """`enter` and `leave` with the model's sizes in them, as they are or compiled."""

    enter: Callable[[torch.Tensor, LayerWeights, torch.Tensor, torch.Tensor], Heads]
    leave: Callable[[torch.Tensor, torch.Tensor, LayerWeights], torch.Tensor]


def plain_functions(shape: Shape) -> LayerFunctions:
    """As they are."""
    dim, queries, epsilon = shape.head_dim, shape.heads, shape.epsilon

    def enter_layer(rows: torch.Tensor, layer: LayerWeights, cos: torch.Tensor, sin: torch.Tensor) -> Heads:
        return enter(rows, layer, cos, sin, dim, queries, epsilon)

    def leave_layer(rows: torch.Tensor, seen: torch.Tensor, layer: LayerWeights) -> torch.Tensor:
        return leave(rows, seen, layer, epsilon)

    return LayerFunctions(enter_layer, leave_layer)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a pass says of its last rows. Lies on the device until somebody asks."""

    logits: torch.Tensor
    """[1, kept, vocabulary], float32; overwritten by the next pass."""
    picked: torch.Tensor
    """[2, kept], float32: the likeliest id of each row (exact up to 2 ** 24) and its log-probability."""

    def picks(self) -> list[tuple[int, float]]:
        """`picked` on the host, row by row. Waits until the pass is over; little else is copied for it."""
        on_gpu = self.picked.device.type == "cuda"
        host = torch.empty(self.picked.shape, dtype=torch.float32, pin_memory=on_gpu)
        host.copy_(self.picked, non_blocking=on_gpu)
        if on_gpu:
            torch.cuda.current_stream(self.picked.device).synchronize()
        ids, logprobs = host.tolist()
        return [(int(i) if i == i else -1, logprob) for i, logprob in zip(ids, logprobs, strict=True)]


class Forward:
    """The arithmetic: a step of fixed shape and a block, over weights and a past."""

    def __init__(
        self, shape: Shape, weights: Weights, limit_tokens: int, attend: Attend | None = None
    ) -> None:
        self.shape, self.weights = shape, weights
        self._plain = plain_functions(shape)
        self.functions = self._plain
        """For steps, may be compiled. Blocks always take the plain ones: they are of any length."""
        self.device, self.dtype = weights.embed.device, weights.embed.dtype
        self._group = shape.heads // shape.kv_heads
        self.attend = attend or choose_attend(
            shape.kv_heads, self._group, shape.head_dim, self.dtype, self.device
        )
        self._positions = torch.arange(limit_tokens, device=self.device)
        angles = torch.outer(torch.arange(limit_tokens).float(), shape.rope.frequencies(shape.head_dim))
        cos, sin = angles.cos(), angles.sin()
        self._cos = torch.cat([cos, cos], dim=-1)[:, None].to(self.device)
        self._sin = torch.cat([-sin, sin], dim=-1)[:, None].to(self.device)

    def step(self, past: StaticPast, extent: int, rows: int) -> Scored:
        """`past.ids[:rows]` at the positions from `past.begin` on, reading `extent` of the past.

        Asks nothing of the host: may be captured. Twice is as good as once, and rows too many harm nothing.
        """
        positions = self._positions[:extent]
        places = past.begin + positions[:rows]
        cos, sin = self._cos.index_select(0, places), self._sin.index_select(0, places)
        mask = mask_for(past.begin, positions, rows, self._group, self.dtype)
        state = embedding(past.ids[:rows], self.weights.embed).float()
        for index, layer in enumerate(self.weights.layers):
            queries, keys, values = self.functions.enter(state, layer, cos, sin)
            past.keys[index].index_copy_(1, places, keys)
            past.values[index].index_copy_(1, places, values)
            seen = self.attend(
                queries.view(self.shape.kv_heads, -1, self.shape.head_dim),
                past.keys[index][:, :extent],
                past.values[index][:, :extent],
                mask,
            )
            state = self.functions.leave(state, seen.reshape(queries.shape), layer)
        return self._score(state)

    def block(self, past: StaticPast, ids: torch.Tensor, keep: int) -> Scored:
        """Ids [n] behind what `past` holds, which must have room for them; scores of the last `keep`."""
        begin, end = past.length, past.length + len(ids)
        cos, sin = self._cos[begin:end], self._sin[begin:end]
        state = embedding(ids, self.weights.embed).float()
        for index, layer in enumerate(self.weights.layers):
            queries, keys, values = self._plain.enter(state, layer, cos, sin)
            past.keys[index][:, begin:end] = keys
            past.values[index][:, begin:end] = values
            seen = attend_block(queries, past.keys[index][:, :end], past.values[index][:, :end])
            state = self._plain.leave(state, seen, layer)
        return self._score(state[-keep:])

    def _score(self, state: torch.Tensor) -> Scored:
        weights = self.weights
        normed = rms_norm(state, state.shape[-1:], weights.norm, self.shape.epsilon)
        logits = linear(normed.to(self.dtype), weights.head).float()
        best, ids = logits.max(dim=-1)
        return Scored(logits[None], torch.stack((ids.float(), best - logits.logsumexp(dim=-1))))

    def make_past(self, limit_tokens: int) -> StaticPast:
        """Empty keys and values for one stream of tokens; memory is taken when the first come."""
        sizes = kv_sizes(self.shape, self.dtype, self.device)
        return StaticPast(sizes, limit_tokens, first_bucket(sizes, limit_tokens))


def tensors_of(weights: Weights) -> list[Any]:
    """All of them, each once."""
    found = [weights.embed, weights.norm, weights.head]
    found += [tensor for layer in weights.layers for tensor in layer if tensor is not None]
    return list({id(tensor): tensor for tensor in found}.values())
