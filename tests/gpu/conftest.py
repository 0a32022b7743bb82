"""Fixtures of the GPU's tests: what they are made of is in `places.py`."""

import pytest

from midfill.model.backends.lean.gpu.model import GpuModel
from tests.gpu.places import PLACES, make_gpu
from tests.model.conftest import save_model  # noqa: F401 — the same fixture serves here


@pytest.fixture(params=["qwen2", "llama"])
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=PLACES)
def model(request: pytest.FixtureRequest, family: str) -> GpuModel:
    return make_gpu(request.param, family)


@pytest.fixture(params=PLACES)
def qwen2(request: pytest.FixtureRequest) -> GpuModel:
    return make_gpu(request.param)
