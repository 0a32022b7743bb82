"""Which quantised kernels serve: decided from the settings, the model and what this machine can do."""

import logging

import torch

from midfill.model.backends.lean.kernels import INT4, is_scalar
from midfill.model.backends.lean.schemes import NATIVE, SCHEMES, Scheme
from midfill.model.backends.lean.shape import Shape
from midfill.model.config import ModelConfig
from midfill.model.errors import BadConfig

log = logging.getLogger(__name__)

BEST = "int4"
"""By measurement on the default model (`make bench-worker`): the quickest whose quality passes."""


def choose_scheme(config: ModelConfig, device: torch.device, shape: Shape | None) -> Scheme | None:
    """The kernels for decoding; None: weights are served as stored. `shape`: None for other architectures.

    Only a `quantization` that was asked for by name is refused (BadConfig); `auto` takes what there is, and
    leaves weights alone whose number format was asked for.
    """
    name = config.quantization
    if name == "none" or (name == "auto" and config.dtype != "auto"):
        return None
    if name not in ("auto", *SCHEMES):
        raise BadConfig(f"unknown quantization {name!r}: known are auto, none, {', '.join(SCHEMES)}")
    obstacle = _obstacle(device, shape)
    if obstacle and name == "auto":
        return None
    wanted = BEST if name == "auto" else name
    if not obstacle and NATIVE[wanted].works():
        return NATIVE[wanted]
    scheme = SCHEMES[wanted]
    if not obstacle and not scheme.works():
        obstacle = "this machine's torch has no kernel for it that computes right"
    if not obstacle and name == "auto" and is_scalar(INT4):
        obstacle = "this machine has no vector instructions for it"
    if not obstacle:
        return scheme
    if name == "auto":
        log.info("weights are not quantised: %s", obstacle)
        return None
    raise BadConfig(f"quantization {name!r} cannot be had here: {obstacle}; use auto or none")


def _obstacle(device: torch.device, shape: Shape | None) -> str:
    if device.type != "cpu":
        return f"the device is {device}, and it is there for CPUs alone"
    if shape is None:
        return "it is there for models of Llama's and Qwen2's architecture alone"
    return ""
