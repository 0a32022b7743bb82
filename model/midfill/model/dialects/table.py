"""The families that fill in the middle: one value a row. Knows no tokenizer and chooses nothing.

Each row names its source; `fim-reference` in a comment means that every prompt id of the evaluation data
was met, on the family's own vocabulary (tests/model/test_fim_prompts.py). No row's order is a guess: a
model that was trained in one order fills badly in the other (arXiv 2207.14255 §4.3).
"""

from dataclasses import replace

from midfill.model.dialects.prompt import FimDialect, Heals, Hole

PREFIX, SUFFIX = Hole.PREFIX, Hole.SUFFIX

# QwenLM/Qwen3-Coder README and examples/Qwen2.5-Coder-fim.py; fim-reference. The README wraps Qwen3-Coder's
# prompt in a chat turn; its base form is the same.
QWEN = FimDialect(
    name="qwen2.5-coder",
    layout=("<|fim_prefix|>", PREFIX, "<|fim_suffix|>", SUFFIX, "<|fim_middle|>"),
    ends=("<|endoftext|>", "<|im_end|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
)
QWEN_SPM = replace(
    QWEN,
    name="qwen2.5-coder-spm",
    layout=("<|fim_prefix|>", "<|fim_suffix|>", SUFFIX, "<|fim_middle|>", PREFIX),
    heals=Heals.IN_LINES,
)
# ai.google.dev/gemma/docs/codegemma (prompt structure); ggml-org/llama.cpp #6689.
CODEGEMMA = FimDialect(
    name="codegemma",
    layout=QWEN.layout,
    bos=True,
    ends=("<|file_separator|>", "<eos>"),
    signs=("<|file_separator|>",),
)
# continuedev/continue AutocompleteTemplate.ts.
GRANITE4 = FimDialect(
    name="granite-4",
    layout=QWEN.layout,
    ends=("<|end_of_text|>", "<|fim_pad|>", "<|filename|>", "<|reponame|>"),
    signs=("<|end_of_text|>",),
)
# facebookresearch/codellama llama/generation.py; fim-reference. Trained on both orders; single lines score
# 83.3 in SPM against 74.1 in PSM (arXiv 2308.12950v3 table 14, 7B), so detection takes SPM. Inside a token
# plain SPM is the weaker (random spans: 39.0 against 59.7), and appendix E asks for PSM there or for
# healing: it is healed, since another order for some keys would cost the whole KV cache at each change.
CODELLAMA_SPM = FimDialect(
    name="codellama",
    layout=("▁<PRE>", "▁<SUF>", SUFFIX, "▁<MID>", PREFIX),
    bos=True,
    ends=("▁<EOT>",),
    heals=Heals.IN_LINES,
)
CODELLAMA_PSM = FimDialect(
    name="codellama-psm",
    layout=("▁<PRE>", PREFIX, "▁<SUF>", SUFFIX, "▁<MID>"),
    bos=True,
    ends=("▁<EOT>",),
)
# The first family's separators, the second's, and what both have: a vocabulary has its own.
STARCODER_ENDS = ("<|endoftext|>", "<fim_pad>", "<filename>", "<reponame>", "<file_sep>", "<repo_name>")
# bigcode-evaluation-harness tasks/santacoder_fim.py; fim-reference. It seldom stops but at a file's end
# (bigcode-project/starcoder2 #10).
STARCODER2 = FimDialect(
    name="starcoder2",
    layout=("<fim_prefix>", PREFIX, "<fim_suffix>", SUFFIX, "<fim_middle>"),
    ends=STARCODER_ENDS,
    signs=("<file_sep>", "<repo_name>"),
)
# bigcode-project/Megatron-LM megatron/data/gpt_dataset.py trains half of its fills in this order. Not the
# default: never measured here.
STARCODER2_SPM = replace(
    STARCODER2,
    name="starcoder2-spm",
    layout=("<fim_prefix>", "<fim_suffix>", SUFFIX, "<fim_middle>", PREFIX),
    heals=Heals.IN_LINES,
)
# Cards of bigcode/starcoder, starcoderbase and tiny_starcoder_py.
STARCODER = FimDialect(
    name="starcoder",
    layout=STARCODER2.layout,
    ends=(*STARCODER_ENDS, "<gh_stars>"),
)
STARCODER_SPM = replace(STARCODER, name="starcoder-spm", layout=STARCODER2_SPM.layout, heals=Heals.IN_LINES)
# ggml-org/llama.cpp #12988. Its vocabulary is StarCoder's with another end.
GRANITE = FimDialect(
    name="granite",
    layout=STARCODER2.layout,
    ends=(*STARCODER_ENDS, "<|end_of_text|>"),
    by_name_only=True,
)
# Card of stabilityai/stable-code-3b; ends by continuedev/continue, less `</code>`, which is HTML too.
STABLE_CODE = FimDialect(
    name="stable-code",
    layout=STARCODER2.layout,
    ends=(*STARCODER_ENDS, "</fim_middle>"),
    by_name_only=True,
)
# arXiv 2510.05788 (suffix, prefix, middle); Ollama's template of JetBrains/Mellum-4b-sft-kotlin.
MELLUM = FimDialect(
    name="mellum",
    layout=("<fim_suffix>", SUFFIX, "<fim_prefix>", PREFIX, "<fim_middle>"),
    ends=STARCODER_ENDS,
    by_name_only=True,
)
# Cards of smallcloudai/Refact-1_6B-fim and bigcode/santacoder (hyphens). bigcode/gpt_bigcode-santacoder
# has the same weights in a form that transformers knows.
REFACT = replace(STARCODER, name="refact", by_name_only=True, needs_remote_code=True)
SANTACODER = FimDialect(
    name="santacoder",
    layout=("<fim-prefix>", PREFIX, "<fim-suffix>", SUFFIX, "<fim-middle>"),
    ends=("<|endoftext|>", "<fim-pad>"),
    needs_remote_code=True,
)
# DeepSeek-Coder README, "Code Insertion"; fim-reference. V2's strings are the same under other ids.
# The bar is U+FF5C, the low line U+2581.
DEEPSEEK = FimDialect(
    name="deepseek-coder",
    layout=("<｜fim▁begin｜>", PREFIX, "<｜fim▁hole｜>", SUFFIX, "<｜fim▁end｜>"),
    bos=True,
    ends=("<｜end▁of▁sentence｜>", "<|EOT|>"),
)
# mistralai/mistral-common tokens/tokenizers/instruct.py `encode_fim`; fim-reference. Suffix first, and
# nothing after the prefix. Every Mistral of that time has the tokens; only Codestral was trained on them.
CODESTRAL = FimDialect(
    name="codestral",
    layout=("[SUFFIX]", SUFFIX, "[PREFIX]", PREFIX),
    bos=True,
    ends=("[MIDDLE]", "</s>"),
    heals=Heals.IN_LINES,
    by_name_only=True,
)
# ByteDance-Seed/Seed-Coder #3.
SEED_CODER = FimDialect(
    name="seed-coder",
    layout=("<[fim-suffix]>", SUFFIX, "<[fim-prefix]>", PREFIX, "<[fim-middle]>"),
    bos=True,
    ends=("<[end▁of▁sentence]>",),
)
# Card of Salesforce/codegen25-7b-multi: the hole's own mark stands where the hole is, and again where it
# is to be filled. Its tokenizer is Python code.
CODEGEN25 = FimDialect(
    name="codegen2.5",
    layout=(PREFIX, "<mask_1>", SUFFIX, "<|endoftext|>", "<sep>", "<mask_1>"),
    ends=("<eom>",),
    by_name_only=True,
    needs_remote_code=True,
)

DIALECTS: tuple[FimDialect, ...] = (
    CODEGEMMA,
    GRANITE4,
    QWEN,
    QWEN_SPM,
    CODELLAMA_SPM,
    CODELLAMA_PSM,
    STARCODER2,
    STARCODER2_SPM,
    STARCODER,
    STARCODER_SPM,
    GRANITE,
    STABLE_CODE,
    MELLUM,
    REFACT,
    SANTACODER,
    DEEPSEEK,
    CODESTRAL,
    SEED_CODER,
    CODEGEN25,
)
"""Detection by vocabulary takes the first that fits: those with signs stand before those without."""

PLAINLY = ("<|", "<｜", "<fim", "</fim", "<[fim")
TEXT_MARKERS: tuple[str, ...] = tuple(
    sorted({m for d in DIALECTS for m in (*d.markers, *d.ends) if m.startswith(PLAINLY)} | {"<|im_start|>"})
)
"""Markers that are plainly markers even when a model spells them out in ordinary tokens. `▁<PRE>`, `</s>`,
`<filename>` and the like are left out: they are HTML or usage too, and as tokens never become text."""
