"""From a model's folder to the prompt's ids: the families' genuine vocabularies under tiny weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.model.api import FimRequest
from midfill.model.dialects import Heals
from midfill.model.prompting import CPU_SUFFIX_TOKENS
from tests.model.backends import loaded
from tests.model.evaluation_data import fim_reference
from tests.model.tiny import make_model
from tests.model.vocabularies import code_tokenizer

FAMILIES = {
    "CodeLlama-7b-hf": ("codellama-reconstructed", "codellama_spm", "<s>"),
    "Codestral-22B-v0.1": ("codestral", "codestral_spm", "<s>"),
    "deepseek-coder-1.3b-base": ("deepseek-coder", "deepseek-coder_psm", "<｜begin▁of▁sentence｜>"),
    "starcoder2-3b": ("starcoder2", "starcoder2_psm", "<|endoftext|>"),
    "my-own-starcoder": ("starcoder2", "starcoder2_psm", "<|endoftext|>"),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_loaded_model_makes_the_references_prompt(save_model: Callable[..., Path], name: str) -> None:
    vocabulary, format, bos = FAMILIES[name]
    words = code_tokenizer(vocabulary)
    model = make_model("llama")
    model.resize_token_embeddings(words.size, mean_resizing=False)
    model.config.bos_token_id = words.marker_id(bos)
    folder = save_model(model, words._tokenizer, name)
    backend, info = loaded(folder, name)
    assert info.dialect
    rows = [row for row in fim_reference() if len(words.encode_continuation(row[1])) <= CPU_SUFFIX_TOKENS]
    backend._ready()[2]._heals = Heals.NEVER  # the references encode prefixes whole
    wrong = [p for p, s, ids in rows if backend.fim_prompt(FimRequest(p, s)).ids != ids[format]]
    assert wrong == []
    assert len(rows) > 50
    if "starcoder" in name:  # StarCoder2 seldom ends but with a file
        assert words.marker_id("<file_sep>") in backend._ready()[0].stop_ids
