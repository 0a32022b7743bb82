"""The default model in float32, by our own pass and loop: token for token what `generate()` writes.

One copy of the weights, transformers' own, serves both: 2.5 GB; 4.2 at most, with the mapped file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.lean.forward import LeanModel
from midfill.model.backends.lean.load import build_lean, load_lean, read_config
from midfill.model.backends.lean.shape import Shape, read_shape
from midfill.model.tokens import CodeTokenizer
from tests.model.evaluation_data import shared_rows
from tests.model.looping import in_turns, make_cache, tokens

pytestmark = pytest.mark.real_model

ROWS, NEW_TOKENS, TOGETHER = 50, 6, 4
"""As many at once as chats are: they share passes, which saves time as well."""
GENERATED = 8
"""Of them, by `generate()` itself; the others by what one pass over prompt and answer likes most at each
place, which is the same for less than half of the time.
"""
PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 80, 40
"""About 37 tokens, of which each takes 20 ms of this machine's arithmetic, twice."""
BLOCK_TOKENS = 16
"""So that most prompts are computed in several blocks, with a cache between them."""
ROWS_AT_ONCE = 8192
"""Of a weight, made float32 to be compared: 29 MB of 896 columns, not 545 of the whole head."""
TIE = 1e-4
"""Logits closer than this (of a spread of ~20) may fall either way: a block and one token are not summed in
the same order."""


def test_50_real_prompts_are_continued_as_generate_continues_them(default_folder: Path) -> None:
    from tokenizers import Tokenizer

    folder = default_folder
    shape = read_shape(read_config(folder))
    assert shape is not None
    tokenizer = CodeTokenizer(Tokenizer.from_file(str(folder / "tokenizer.json")))
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    lean = sharing_weights(theirs, folder, shape)
    loop = DecodeLoop(lean, lambda i: f"{i} ".encode(), 2048, BLOCK_TOKENS)
    caches = [make_cache(lean) for _ in range(TOGETHER)]
    rows = shared_rows("HumanEval-SingleLineInfilling")
    prompts = [
        prompt_ids(tokenizer, row["prompt"], row["suffix"]) for row in rows[:: len(rows) // ROWS][:ROWS]
    ]
    ties = 0
    for at in range(0, ROWS, TOGETHER):
        some = prompts[at : at + TOGETHER]
        jobs = [Job(prompt, NEW_TOKENS, frozenset(), background=True) for prompt in some]
        found = in_turns([loop.stream(cache, job) for cache, job in zip(caches, jobs, strict=False)])
        for prompt, ours in zip(some, map(tokens, found), strict=True):
            tied = parted_at_a_tie(theirs, prompt, ours)
            assert tied or at >= GENERATED or ours == generated(theirs, prompt)
            ties += tied
    assert ties <= 1


def sharing_weights(theirs: Any, folder: Path, shape: Shape) -> LeanModel:
    """Our model over the tensors of transformers', which are those that ours reads from the folder."""
    lean = build_lean(theirs.state_dict(), shape)
    large = {weight.data_ptr() for weight in lean.parameters() if weight.dim() == 2}
    assert large <= {weight.data_ptr() for weight in theirs.parameters()}  # or memory holds them twice
    stored = load_lean(folder, shape, None, torch.bfloat16, keep=None)  # mapped, not copied
    for ours, read in zip(lean.parameters(), stored.parameters(), strict=True):
        for piece, same in zip(ours.split(ROWS_AT_ONCE), read.split(ROWS_AT_ONCE), strict=True):
            assert torch.equal(piece, same.float())
    return lean


def prompt_ids(tokenizer: CodeTokenizer, prefix: str, suffix: str) -> list[int]:
    """The end of the prefix and the beginning of the suffix, as Qwen2.5-Coder fills."""
    marker = {name: tokenizer.marker_id(f"<|fim_{name}|>") for name in ("prefix", "suffix", "middle")}
    ids = [
        marker["prefix"], *tokenizer.encode(prefix[-PREFIX_CHARACTERS:]),
        marker["suffix"], *tokenizer.encode(suffix[:SUFFIX_CHARACTERS]), marker["middle"],
    ]  # fmt: skip
    assert None not in ids
    return [i for i in ids if i is not None]


def parted_at_a_tie(model: Any, prompt: Sequence[int], ours: Sequence[int]) -> bool:
    """False: each of `ours` is what the model likes most behind `prompt` and those before it. True: one is
    not, and the model nearly chose it.
    """
    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *ours[:-1]]])).logits[0, len(prompt) - 1 :].float()
    for i, mine in enumerate(ours):
        other = int(logits[i].argmax())
        if mine != other:
            gap = float(logits[i, other] - logits[i, mine])
            assert gap < TIE, f"token {i}, {gap} apart: {ours} against {other} there"
            return True
    return False


def generated(model: Any, prompt: Sequence[int]) -> list[int]:
    out = model.generate(
        torch.tensor([list(prompt)]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        eos_token_id=None,
    )
    return out[0, len(prompt) :].tolist()
