"""A folder with config.json and safetensors to a model on a GPU, tensor by tensor: never two copies of all.

Takes stored weights as `lean/load.py` does, and checks them as it does. A CPU will do, for tests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from midfill.model.backends.lean.gpu.forward import LayerWeights, Weights
from midfill.model.backends.lean.load import EMBED, HEAD, PARTS
from midfill.model.backends.lean.shape import Shape
from midfill.model.errors import DamagedModel

Quantise = Callable[[torch.Tensor], torch.Tensor]
"""A weight [rows, columns] on the device to what multiplies in its place."""
Get = Callable[[str], torch.Tensor]


def read_weights(
    folder: Path, shape: Shape, dtype: torch.dtype, device: torch.device, quantise: Quantise | None
) -> Weights:
    """All weights of `folder`, on `device` in `dtype`; linears through `quantise`, where given.

    Raises DamagedModel for weights that cannot be read or are not those of `shape`.
    """
    try:
        with _opened(folder, device) as get:
            return place_weights(get, shape, dtype, device, quantise)
    except DamagedModel as error:
        raise DamagedModel(f"{folder.name}: {error}") from error
    except KeyError as error:
        raise DamagedModel(f"{folder.name}: its tensor {error} is missing") from error
    except (SafetensorError, OSError) as error:
        raise DamagedModel(f"{folder.name}: its weights cannot be read ({error})") from error


def place_weights(
    get: Get,
    shape: Shape,
    dtype: torch.dtype,
    device: torch.device,
    quantise: Quantise | None = None,
) -> Weights:
    """What `get(name)` has under transformers' names, as the forward pass wants it. Raises KeyError for a
    tensor that is missing, DamagedModel for one of the wrong size."""
    q, kv, hidden = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim, shape.hidden

    def linear(names: tuple[str, ...], rows: tuple[int, ...], columns: int) -> torch.Tensor:
        parts = [
            sized(get(name), (count, columns)).to(device, dtype)
            for name, count in zip(names, rows, strict=True)
        ]
        whole = parts[0] if len(parts) == 1 else torch.cat(parts)
        return quantise(whole) if quantise else whole

    def norm(name: str) -> torch.Tensor:
        return sized(get(name), (hidden,)).to(device, torch.float32)

    def layer(index: int) -> LayerWeights:
        base = f"model.layers.{index}."
        names = {part: tuple(f"{base}{name}.weight" for name in each) for part, each in PARTS.items()}
        inner = get(names["down"][0]).shape[-1]
        bias = None
        if shape.biased:
            pieces = [get(f"{base}{name}.bias") for name in PARTS["qkv"]]
            bias = torch.cat([piece.to(device, torch.float32) for piece in pieces])
        return LayerWeights(
            before=norm(f"{base}input_layernorm.weight"),
            qkv=linear(names["qkv"], (q, kv, kv), hidden),
            bias=bias,
            o=linear(names["o"], (hidden,), q),
            between=norm(f"{base}post_attention_layernorm.weight"),
            gate_up=linear(names["gate_up"], (inner, inner), hidden),
            down=linear(names["down"], (hidden,), inner),
        )

    embed = sized(get(EMBED), (shape.vocabulary, hidden)).to(device, dtype)
    head = embed if shape.tied and not quantise else None
    layers = tuple(layer(index) for index in range(shape.layers))
    if head is None:
        head = linear((EMBED if shape.tied else HEAD,), (shape.vocabulary,), hidden)
    return Weights(embed, layers, norm("model.norm.weight"), head)


def sized(tensor: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """`tensor`, which must be of `size`: DamagedModel if it is not."""
    if tuple(tensor.shape) != size:
        raise DamagedModel(f"a weight is {tuple(tensor.shape)}, where its config says {size}")
    return tensor


@contextmanager
def _opened(folder: Path, device: torch.device) -> Iterator[Get]:
    """Reads a tensor by its name, from whichever file has it, straight to the device."""
    where: dict[str, Path] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            where |= dict.fromkeys(file.keys(), path)
    files = {path: safe_open(path, framework="pt", device=str(device)) for path in set(where.values())}

    def get(name: str) -> torch.Tensor:
        tensor: torch.Tensor = files[where[name]].get_tensor(name)  # type: ignore[no-untyped-call]
        return tensor

    yield get
