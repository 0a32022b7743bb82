"""A folder with config.json and safetensors to a lean model. Weights are mapped, not copied, where they
are stored in the format they are served in; quantised ones come from `packed`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from midfill.model.backends.lean.forward import (
    Attention,
    Layer,
    LeanBody,
    LeanModel,
    Mlp,
    Norm,
    Output,
)
from midfill.model.backends.lean.kernels import Packed, agrees
from midfill.model.backends.lean.linears import QuantisedLinear, StoredLinear
from midfill.model.backends.lean.memory import MappedWeights
from midfill.model.backends.lean.native.layer import (
    BLOCKS,
    NativeLayer,
    NativeLinear,
    NativeOutput,
    make_native,
    suits,
)
from midfill.model.backends.lean.native.library import library
from midfill.model.backends.lean.native.stack import NativeStack
from midfill.model.backends.lean.packed import packed_dir, packed_once
from midfill.model.backends.lean.schemes import SCHEMES, Scheme
from midfill.model.backends.lean.shape import Shape
from midfill.model.errors import DamagedModel

EMBED = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
PARTS = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "o": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
"""Our linears → the stored ones that each is made of."""
CACHED_FROM = 64_000_000
"""Weights: fewer are quantised in about half a second, at every start."""

Tensors = Mapping[str, torch.Tensor]


def load_lean(
    folder: Path, shape: Shape, scheme: Scheme | None, dtype: torch.dtype, keep: Path | None
) -> LeanModel:
    """The model in `folder`; quantised weights are kept beside the path `keep` (None: not kept).

    Raises DamagedModel for weights that cannot be read or are not those of `shape`.
    """
    tensors = _map_weights(folder)
    try:
        return build_lean(tensors, shape, scheme, dtype, keep)
    except KeyError as error:
        raise DamagedModel(f"{folder.name}: its tensor {error} is missing") from error
    except DamagedModel as error:
        raise DamagedModel(f"{folder.name}: {error}") from error


def build_lean(
    tensors: Tensors,
    shape: Shape,
    scheme: Scheme | None = None,
    dtype: torch.dtype = torch.float32,
    keep: Path | None = None,
) -> LeanModel:
    """A model of `tensors`, named as transformers saves them. Many rows are computed in `dtype`.

    Raises KeyError for a tensor that is missing, DamagedModel for one of the wrong size.
    """
    sources = _sources(tensors, shape)
    if scheme and scheme.native and not suits(scheme, sources, shape):
        scheme = SCHEMES[scheme.name] if SCHEMES[scheme.name].works() else None
    packed = _pack(sources, scheme, keep) if scheme else {}

    def make_linear(name: str) -> torch.nn.Module:
        if scheme and scheme.native:
            return make_native(scheme, packed, name)
        if scheme and name in packed:
            # A head sees the last row of a block alone: it is never multiplied as stored.
            stored = None if name == "head" else StoredLinear([w.to(dtype) for w in sources[name]])
            return QuantisedLinear(scheme.kernels[part_of(name)], packed[name], stored)
        return StoredLinear([weight.to(dtype) for weight in sources[name]])

    layers = [
        _layer(tensors, shape, index, make_linear, bool(scheme and scheme.native))
        for index in range(shape.layers)
    ]
    norm = Norm(tensors["model.norm.weight"], shape.epsilon)
    served = scheme.title if scheme else str(dtype).removeprefix("torch.")
    body = LeanBody(shape, tensors[EMBED], layers, norm)
    if scheme and scheme.native:
        native = [layer for layer in layers if isinstance(layer, NativeLayer)]
        body.few_rows = NativeStack(library(), shape, native)
    output = NativeOutput if scheme and scheme.native else Output
    return LeanModel(body, make_linear("head"), served, _count(tensors), _block_weights(body), output)


def _block_weights(body: LeanBody) -> MappedWeights:
    """What few rows can do without: weights of blocks of linears that have others for few rows, and the
    embeddings, of which a token needs one row and the system maps 64 KiB around it (2,000 tokens: 60 MiB).
    """
    stored: list[torch.Tensor] = []
    for module in body.modules():
        match module:
            case QuantisedLinear(stored=StoredLinear(weights=weights)):
                stored += weights
            case NativeLinear(packed=few, blocks=many) if few is not many:
                stored += (many.numbers, many.scales)
    return MappedWeights([*stored, body.weight] if stored else [])


def read_config(folder: Path) -> dict[str, Any]:
    """The model's config.json. The loader has seen that it is there and can be read."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def part_of(name: str) -> str:
    """`3.down` is the `down` of layer 3, `head` is itself."""
    return name.rpartition(".")[2]


def _sources(tensors: Tensors, shape: Shape) -> dict[str, list[torch.Tensor]]:
    """The stored weights of each linear, by our name for it."""
    sources = {
        f"{index}.{part}": [tensors[f"model.layers.{index}.{name}.weight"] for name in names]
        for index in range(shape.layers)
        for part, names in PARTS.items()
    }
    sources["head"] = [tensors[EMBED if shape.tied else HEAD]]
    q, kv, hidden = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim, shape.hidden
    for index in range(shape.layers):
        sizes = [tuple(weight.shape) for weight in (*sources[f"{index}.qkv"], *sources[f"{index}.o"])]
        if sizes != [(q, hidden), (kv, hidden), (kv, hidden), (hidden, q)]:
            raise DamagedModel(f"layer {index} of the weights is not of the size that its config says")
    if tuple(tensors[EMBED].shape) != (shape.vocabulary, hidden):
        raise DamagedModel("the embeddings are not of the size that the config says")
    return sources


def _pack(sources: dict[str, list[torch.Tensor]], scheme: Scheme, keep: Path | None) -> dict[str, Packed]:
    kernels = {name: scheme.kernels[part_of(name)] for name in sources if part_of(name) in scheme.kernels}
    if scheme.blocks:
        kernels |= {
            f"{BLOCKS}{name}": scheme.blocks
            for name, kernel in kernels.items()
            if kernel is not scheme.blocks and name != "head"
        }
    fitting = {
        name: weights
        for name, kernel in kernels.items()
        if all(map(kernel.fits, weights := sources[name.removeprefix(BLOCKS)]))
    }

    def make() -> dict[str, Packed]:
        return {
            name: kernels[name].pack(weights[0] if len(weights) == 1 else torch.cat(weights))
            for name, weights in fitting.items()
        }

    def right(found: Mapping[str, Packed]) -> bool:
        return found.keys() == fitting.keys() and all(
            agrees(kernels[name], found[name], fitting[name][0], torch.randn(4, fitting[name][0].shape[1]))
            for name in ("0.o", "0.down")  # of one weight each, and small: 10 ms
            if name in fitting
        )

    count = sum(weight.numel() for weights in fitting.values() for weight in weights)
    if keep is None or count < CACHED_FROM:
        return make()
    return packed_once(packed_dir(keep, scheme.key), make, right)


def _layer(tensors: Tensors, shape: Shape, index: int, make_linear: Any, native: bool) -> torch.nn.Module:
    def stored(name: str) -> torch.Tensor:
        return tensors[f"model.layers.{index}.{name}"]

    bias = None
    if shape.biased:
        bias = torch.cat([stored(f"{name}.bias") for name in PARTS["qkv"]])
    linears = {part: make_linear(f"{index}.{part}") for part in PARTS}
    before = Norm(stored("input_layernorm.weight"), shape.epsilon)
    between = Norm(stored("post_attention_layernorm.weight"), shape.epsilon)
    if native:
        return NativeLayer(library(), shape, index, linears, bias, (before, between))
    attention = Attention(shape, index, linears["qkv"], bias, linears["o"])
    return Layer(attention, Mlp(linears["gate_up"], linears["down"]), before, between)


def _count(tensors: Tensors) -> int:
    return sum(
        tensor.numel() for tensor in {tensor.data_ptr(): tensor for tensor in tensors.values()}.values()
    )


def _map_weights(folder: Path) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    try:
        for path in sorted(folder.glob("*.safetensors")):
            with safe_open(path, framework="pt") as file:
                tensors |= {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DamagedModel(f"{folder.name}: its weights cannot be read ({error})") from error
    return tensors
