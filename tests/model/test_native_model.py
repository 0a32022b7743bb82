"""Models on the compiled kernels, against the same models as stored."""

from typing import Any

import pytest
import torch

from midfill.model.backends.lean.linears import FEW_ROWS
from midfill.model.backends.lean.load import build_lean
from midfill.model.backends.lean.native.layer import NativeLayer
from midfill.model.backends.lean.native.library import library
from midfill.model.backends.lean.schemes import NATIVE, SCHEMES
from midfill.model.backends.lean.shape import read_shape
from tests.model.looping import random_ids
from tests.model.tiny import make_model

pytestmark = pytest.mark.usefixtures("native")
SIZES = {
    "hidden_size": 128, "intermediate_size": 192, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32,
}  # fmt: skip


@pytest.fixture(scope="module")
def native() -> None:
    try:
        library()
    except RuntimeError as error:
        pytest.skip(f"no compiled kernels here: {error}")


def models(family: str, name: str = "int8") -> tuple[Any, Any]:
    """One of tensors as stored, and one with the compiled kernels."""
    reference = make_model(family, spread=0.2, **SIZES)
    shape = read_shape(reference.config.to_dict())
    assert shape is not None
    tensors = dict(reference.state_dict())
    return build_lean(tensors, shape), build_lean(tensors, shape, NATIVE[name])


@pytest.mark.parametrize("family", ["qwen2", "llama"])
@pytest.mark.parametrize("name", NATIVE)
def test_a_native_model_computes_about_what_the_stored_one_does(family: str, name: str) -> None:
    exact, rounded = models(family, name)
    assert isinstance(rounded.model.layers[0], NativeLayer)
    pasts = exact.make_past(), rounded.make_past()
    for seed, count in enumerate((40, 1, FEW_ROWS, FEW_ROWS + 1, 3)):  # each behind those before
        ids = torch.tensor([random_ids(count, seed)])
        theirs, ours = (
            model(ids, past).logits for model, past in zip((exact, rounded), pasts, strict=True)
        )
        likeness = torch.cosine_similarity(theirs, ours, dim=-1)
        assert float(likeness.min()) > (0.98 if name == "int8" else 0.9), count


def test_a_rewound_past_is_written_again() -> None:
    _, model = models("qwen2")
    past, fresh = model.make_past(), model.make_past()
    model(torch.tensor([random_ids(20, 1)]), past)
    past.rewind(12)
    again = model(torch.tensor([random_ids(5, 2)]), past).logits
    model(torch.tensor([random_ids(20, 1)[:12]]), fresh)
    torch.testing.assert_close(again, model(torch.tensor([random_ids(5, 2)]), fresh).logits)


def test_guesses_are_verified_by_the_very_numbers_that_plain_steps_compute() -> None:
    _, model = models("qwen2", "int4")
    ids, past = random_ids(FEW_ROWS, 3), model.make_past()
    together = model(torch.tensor([ids]), model.make_past()).logits[0]
    apart = torch.cat([model(torch.tensor([[i]]), past).logits[0] for i in ids])
    assert torch.equal(together, apart)


@pytest.mark.parametrize("stacked", [True, False])
def test_rows_of_several_streams_come_out_as_in_passes_of_their_own(stacked: bool) -> None:
    _, model = models("qwen2", "int4")
    if not stacked:  # as blocks go: layer by layer
        model.model.few_rows = None
    rows = (1, 3, 2)
    ids = [random_ids(count, 10 + count) for count in rows]
    apart, together = [[model.make_past() for _ in ids] for _ in range(2)]
    for seed, pasts in enumerate(zip(apart, together, strict=True)):
        for past in pasts:  # streams of different lengths
            model(torch.tensor([random_ids(5 + 7 * seed, seed)]), past)
    alone = [model(torch.tensor([each]), past).logits[0] for each, past in zip(ids, apart, strict=True)]
    batch = model.batch(list(zip(together, rows, strict=True)))
    found = model(torch.tensor([[token for each in ids for token in each]]), batch).logits[0]
    assert torch.equal(found, torch.cat(alone))
    assert [past.get_seq_length() for past in together] == [past.get_seq_length() for past in apart]
    for ours, theirs in zip(together, apart, strict=True):  # by what was stored
        assert torch.equal(*(model(torch.tensor([[7]]), past).logits for past in (ours, theirs)))


def test_a_model_whose_sizes_do_not_suit_gets_torchs_kernels() -> None:
    reference = make_model("qwen2", **SIZES | {"intermediate_size": 160})  # no multiple of 64
    shape = read_shape(reference.config.to_dict())
    assert shape is not None
    model = build_lean(dict(reference.state_dict()), shape, NATIVE["int4"])
    assert model.served == SCHEMES["int4"].title
    ids = torch.tensor([random_ids(20)])
    assert model(ids, model.make_past()).logits.isfinite().all()


def test_all_layers_at_once_compute_what_each_does_alone() -> None:
    _, model = models("qwen2", "int4")
    ids = torch.tensor([random_ids(20, 4)])
    at_once, one_by_one = model.make_past(), model.make_past()
    for past in (at_once, one_by_one):
        model(ids, past)
    stack, model.model.few_rows = model.model.few_rows, None
    alone = [model(torch.tensor([[i, i + 1]]), one_by_one).logits for i in (3, 5)]
    model.model.few_rows = stack
    together = [model(torch.tensor([[i, i + 1]]), at_once).logits for i in (3, 5)]
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
    assert at_once.get_seq_length() == one_by_one.get_seq_length() == 24
