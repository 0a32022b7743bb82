"""Machines without a kernel, or without its instructions: they serve what they can, and none crashes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.model.backends.lean.schemes import SCHEMES
from tests.model.platform import MACHINES, serve

REQUEST = {"prefix": "def f(a, b):\n    return ", "suffix": "\n\nf(1, 2)\n", "max_new_tokens": 12}
HOLE = {
    "prefix": "def add(a, b):\n    return a ",
    "suffix": "\n\n\nprint(add(1, 2))\n",
    "max_new_tokens": 2,
}
INT4, INT8 = "_weight_int4pack_mm_for_cpu", "_weight_int8pack_mm"
STORED = ("float32", "bfloat16")


def test_in_float32_every_machine_says_the_same(save_model: Callable[..., Path]) -> None:
    folder = save_model()
    found = {machine: serve(folder, REQUEST, machine, dtype="float32") for machine in MACHINES}
    for machine, each in found.items():
        assert machine == "this" or each["cpu"].lower() == machine
        assert each["served"] == "float32"
        assert len(each["said"]) > 12
        assert each["said"] == found["this"]["said"]


@pytest.mark.parametrize("machine", ["avx2", "default"])
def test_each_machine_serves_what_it_is_good_at_and_says_so(
    save_model: Callable[..., Path], machine: str
) -> None:
    found = serve(save_model(), REQUEST, machine)
    assert found["said"]
    if machine == "default":
        assert found["served"] in STORED
    elif machine == "avx2" and SCHEMES["int4"].works():
        assert found["served"] == SCHEMES["int4"].title


@pytest.mark.parametrize("lacking", [("_convert_weight_to_int4pack_for_cpu",), (INT4, INT8), (INT8,)])
def test_a_torch_without_the_operators_serves_weights_as_stored(
    save_model: Callable[..., Path], lacking: tuple[str, ...]
) -> None:
    found = serve(save_model(), REQUEST, lacking=lacking)
    assert found["served"] in STORED
    assert found["said"]


@pytest.mark.real_model
@pytest.mark.parametrize(
    ("machine", "quantization", "served"),
    [
        ("avx2", "int8", (SCHEMES["int8"].title,)),  # packing int4 anew would take a minute
        ("default", "auto", STORED),
    ],
)
def test_the_default_model_fills_on_lesser_machines(
    default_model: str, default_folder: Path, machine: str, quantization: str, served: tuple[str, ...]
) -> None:
    found = serve(default_folder, HOLE, machine, name=default_model, quantization=quantization)
    assert found["said"].strip().startswith("+ b")
    assert found["served"] in served
