"""Attention of a few new rows to a long past, and of a block of rows; for fixed shapes on a GPU.

One query row leaves most of a GPU idle: flash kernels take a block of threads for each head. Cutting the
keys into pieces and joining what each says (Flash-Decoding, Dao et al. 2023) keeps all of it busy.
"""

import logging
from collections.abc import Callable

import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention

log = logging.getLogger(__name__)

THREAD_BLOCKS = 256
"""Pieces × key heads: about two for each of an H100's 132 multiprocessors."""
PIECE_TOKENS = 128
"""At least: the kernels read keys 64 or 128 at a time."""
TOLERANCE = 0.03
"""Largest error of a probe, as a share of its size. bfloat16 alone costs 0.004."""

Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Queries [kv_heads, group * rows, head_dim], keys and values [kv_heads, extent, head_dim], mask
[group * rows, extent] that is added: to [kv_heads, group * rows, head_dim]."""


def mask_for(
    begin: torch.Tensor, positions: torch.Tensor, rows: int, group: int, like: torch.dtype
) -> torch.Tensor:
    """Which of `positions` [extent] each row may see when the first is at `begin` [1]: to add to scores,
    [group * rows, extent].

    Numbers are as small as the format has them, not -inf: a piece in which all are hidden then comes out as
    something finite of no weight, not as NaN.
    """
    last = begin + positions[:rows]
    hidden = positions[None, :] > last[:, None]
    mask = torch.zeros(hidden.shape, dtype=like, device=positions.device)
    return mask.masked_fill_(hidden, torch.finfo(like).min).repeat(group, 1)


def attend_whole(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """In one piece: always right, slow for long pasts and few heads. The heads of a group are rows of one
    key head, since on a GPU `enable_gqa` and a mask exclude each other (inference.md §3.3)."""
    return scaled_dot_product_attention(queries[None], keys[None], values[None], attn_mask=mask)[0]


def attend_split(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """In pieces, each a batch of its own; joined by the weight of each, exp of its log-sum-exp."""
    heads, extent, dim = keys.shape
    pieces = piece_count(extent, heads)
    if pieces == 1:
        return attend_whole(queries, keys, values, mask)
    rows = queries.shape[1]
    out, weight = _with_weights(
        queries.expand(pieces, heads, rows, dim),
        keys.view(heads, pieces, -1, dim).transpose(0, 1),
        values.view(heads, pieces, -1, dim).transpose(0, 1),
        mask.view(rows, pieces, -1).transpose(0, 1)[:, None].expand(pieces, heads, rows, -1),
    )
    shares = torch.softmax(weight[:, :, :rows].float(), dim=0)[..., None]
    return (out * shares).sum(dim=0).to(queries.dtype)


def _with_weights(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """[pieces, heads, rows, head_dim], and the log-sum-exp [pieces, heads, rows or more] of the scores."""
    if queries.device.type == "cuda":
        out, weight, *_ = torch.ops.aten._scaled_dot_product_efficient_attention(
            queries, keys, values, mask, compute_log_sumexp=True
        )
    else:
        out, weight = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            queries, keys, values, attn_mask=mask
        )
    return out, weight


def piece_count(extent: int, heads: int) -> int:
    """A power of two that cuts `extent` into whole multiples of 8 (a mask's alignment on a GPU)."""
    pieces = 1
    while (
        2 * pieces * heads <= THREAD_BLOCKS
        and extent % (16 * pieces) == 0
        and extent // (2 * pieces) >= PIECE_TOKENS
    ):
        pieces *= 2
    return pieces


def attend_block(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """A block at the end of what is known: queries [heads, n, dim], keys and values [kv_heads, end, dim].

    Returns [heads, n, dim]. Without a mask of its own, so that a GPU's flash kernel serves it.
    """
    n, end = queries.shape[1], keys.shape[1]
    if queries.device.type != "cuda":
        group = queries.shape[0] // keys.shape[0]
        positions = torch.arange(end, device=keys.device)
        mask = mask_for(positions[end - n : end - n + 1], positions, n, group, queries.dtype)
        folded = queries.reshape(keys.shape[0], group * n, -1)
        return attend_whole(folded, keys, values, mask).reshape(queries.shape)
    out: torch.Tensor = scaled_dot_product_attention(
        queries[None],
        keys[None],
        values[None],
        attn_mask=causal_lower_right(n, end),  # is_causal alone would align to the upper left
        enable_gqa=queries.shape[0] != keys.shape[0],
    )
    return out[0]


def choose_attend(
    kv_heads: int, group: int, head_dim: int, dtype: torch.dtype, device: torch.device
) -> Attend:
    """`attend_split` where this machine computes right with it, else `attend_whole`."""
    random = torch.Generator(device).manual_seed(0)
    extent, rows = 16 * PIECE_TOKENS, 2

    def draw(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=random, device=device).to(dtype)

    queries = draw(kv_heads, group * rows, head_dim)
    keys, values = draw(kv_heads, extent, head_dim), draw(kv_heads, extent, head_dim)
    positions = torch.arange(extent, device=device)
    mask = mask_for(positions[300:301], positions, rows, group, dtype)  # later pieces are hidden whole
    try:
        wanted = attend_whole(*(tensor.float() for tensor in (queries, keys, values, mask)))
        got = attend_split(queries, keys, values, mask).float()
    except RuntimeError as error:
        log.info("attention in pieces is not to be had here: %s", str(error).partition("\n")[0])
        return attend_whole
    error_share = float((got - wanted).norm() / wanted.norm())
    if not error_share <= TOLERANCE:  # NaN counts as wrong
        log.info("attention in pieces is off by %.3f here: not used", error_share)
        return attend_whole
    return attend_split
