"""Tiny random models and a small tokenizer, made here with fixed seeds; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from midfill.model.backends.lean.load import build_lean
from midfill.model.backends.lean.shape import read_shape

QWEN_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
QWEN_ADDED = (
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Qwen's tokenizers cut before merging."""
CORPUS = [
    "def add(a, b):\n    return a + b\n",
    "for x in range(10):\n    print(x)\n",
    "é 日本 😀 <|fim_middle|>",
]
VOCABULARY = 512
"""Rows of the tiny models' embeddings; the tokenizer has fewer."""


def make_tokenizer() -> Tokenizer:
    """A byte-level BPE with Qwen's markers, the FIM ones "not special" as in Qwen's own file."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 20, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in QWEN_SPECIAL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in QWEN_ADDED])
    return tokenizer


def make_gemma_like() -> Tokenizer:
    """SentencePiece's alphabet without its leading space, and HTML tags among the added tokens."""
    pieces = ["<bos>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"ab<>/_|fimprexos"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens([AddedToken("<bos>", special=True, normalized=False)])
    tokenizer.add_tokens([AddedToken(t, special=False) for t in ("<b>", "</b>", "<|fim_prefix|>")])
    return tokenizer


def make_model(family: str, seed: int = 0, spread: float = 0.5, **sizes: int) -> Any:
    """A two-layer model on the CPU in float32. `spread` makes its argmaxes vary from step to step; `sizes`
    go over those of its config.
    """
    size = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "initializer_range": spread,
        "bos_token_id": None,
        "eos_token_id": None,
        "attn_implementation": "sdpa",
    } | sizes
    torch.manual_seed(seed)
    match family:
        case "qwen2":
            return Qwen2ForCausalLM(Qwen2Config(**size)).eval()
        case "llama":
            return LlamaForCausalLM(LlamaConfig(**size)).eval()
        case "mistral":
            return MistralForCausalLM(MistralConfig(**size, sliding_window=8)).eval()
        case "lean-qwen2" | "lean-llama":
            return make_lean(make_model(family.removeprefix("lean-"), seed, spread))
    raise ValueError(family)


def make_lean(reference: Any, **how: Any) -> Any:
    """The lean model on the weights of a transformers model, which it keeps as `reference`."""
    shape = read_shape(reference.config.to_dict())
    assert shape is not None
    lean = build_lean(reference.state_dict(), shape, **how).eval()
    object.__setattr__(lean, "reference", reference)  # no submodule: its weights are none of ours
    return lean


GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "model.layers": "blk",
}


def write_gguf(path: Path, model: Any, tokenizer: Tokenizer, name: str = "Tiny Coder") -> Path:
    """The tiny Qwen2 as a GGUF file, unquantised, with its tokenizer: what a converter would have made."""
    writer, config = gguf.GGUFWriter(path, "qwen2"), model.config
    writer.add_name(name)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    _add_vocabulary(writer, tokenizer)
    for key, tensor in model.state_dict().items():
        for ours, theirs in GGUF_NAMES.items():
            key = key.replace(ours, theirs)
        writer.add_tensor(key, tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.token_to_id)
    pieces += [f"[PAD{i}]" for i in range(len(pieces), VOCABULARY)]
    added = {*QWEN_SPECIAL, *QWEN_ADDED}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(pieces)
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL if piece in added else kinds.NORMAL for piece in pieces])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_eos_token_id(tokenizer.token_to_id("<|im_end|>"))
    writer.add_bos_token_id(tokenizer.token_to_id("<|endoftext|>"))
