"""Which chat format a model takes: by name, by vocabulary, by its template's text."""

import pytest
from tokenizers import AddedToken

from midfill.model.backends.hf.chat import DEFAULT_SYSTEM
from midfill.model.backends.hf.chat_choice import choose_chat
from midfill.model.tokens import CodeTokenizer
from tests.model.tiny import make_tokenizer

LLAMA2_TEMPLATE = "{{ bos_token + '[INST] <<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + user + ' [/INST]' }}"
BIG_TEMPLATE = (
    "{{ bos_token + 'Source: user\\n\\n ' + user + ' <step> Source: assistant\\nDestination: user' }}"
)
DEEPSEEK_TEMPLATE = "{{ '### Instruction:\\n' + user + '\\n### Response:\\n' + answer + '\\n<|EOT|>\\n' }}"
STARCODER2_TEMPLATE = "{{ '### Instruction\\n' + user + '\\n\\n### Response\\n' + answer + eos_token }}"
ATOM_TEMPLATE = "{{'<s>Human: ' + message['content'] + '\\n</s><s>Assistant: '}}"
MARKERS = ("<s>", "</s>", "<｜begin▁of▁sentence｜>", "<|EOT|>")


def tokenizer(*markers: str) -> CodeTokenizer:
    """The tiny vocabulary, which has ChatML's markers, with `markers` added."""
    raw = make_tokenizer()
    raw.add_special_tokens([AddedToken(marker, special=True, normalized=False) for marker in markers])
    return CodeTokenizer(raw)


def chosen(name: str, words: CodeTokenizer, ends: tuple[str, ...] = (), template: str = "") -> str | None:
    eos_ids = {i for i in map(words.marker_id, ends) if i is not None}
    chat = choose_chat(["something", name], words, eos_ids, template)
    return chat.name if chat else None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CodeLlama-7b-Instruct-hf", "llama-2"),
        ("code_llama_34b_instruct", "llama-2"),
        ("CodeLlama-70b-Instruct-hf", "codellama-70b"),
        ("CodeLlama-70b-hf", None),
        ("Llama-2-7b-chat-hf", "llama-2"),
        ("Atom-7B-Chat", "atom"),
        ("Llama2-Chinese-7b-Chat", "atom"),
        ("deepseek-coder-1.3b-instruct", "deepseek-coder"),
        ("DeepSeek-Coder-V2-Lite-Instruct", None),
        ("starcoder2-15b-instruct-v0.1", "starcoder2"),
    ],
)
def test_a_known_name_decides(name: str, expected: str | None) -> None:
    assert chosen(name, tokenizer(*MARKERS, "<step>"), ("<|im_end|>",)) == expected


def test_a_name_whose_markers_are_missing_does_not_chat() -> None:
    assert chosen("CodeLlama-7b-Instruct-hf", tokenizer(), ("<|im_end|>",)) is None


def test_the_step_token_means_code_llama_70bs_format() -> None:
    assert chosen("my-model", tokenizer("<s>", "</s>", "<step>")) == "codellama-70b"
    assert chosen("my-model", tokenizer("<s>", "</s>")) is None


def test_only_models_that_end_turns_speak_chatml() -> None:
    assert chosen("my-model", tokenizer(), ("<|im_end|>", "<|endoftext|>")) == "chatml-qwen2.5"
    assert chosen("my-model", tokenizer(), ("<|endoftext|>",)) is None
    with_template = chosen(
        "my-model", tokenizer(), ("<|endoftext|>",), "'<|im_start|>' + role + '<|im_end|>'"
    )
    assert with_template is None  # Qwen's base models ship the template too


def test_qwen2_5s_system_message_is_for_models_whose_template_has_it() -> None:
    turn = "{{ '<|im_start|>' + role + content + '<|im_end|>' }}"
    assert chosen("Qwen3-Coder", tokenizer(), ("<|im_end|>",), turn) == "chatml"
    assert chosen("my-model", tokenizer(), ("<|im_end|>",), f"{DEFAULT_SYSTEM}{turn}") == "chatml-qwen2.5"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (LLAMA2_TEMPLATE, "llama-2"),
        (BIG_TEMPLATE, None),
        (ATOM_TEMPLATE, "atom"),
        (DEEPSEEK_TEMPLATE, "deepseek-coder"),
        (DEEPSEEK_TEMPLATE.replace("\\n", "\n"), "deepseek-coder"),
        (STARCODER2_TEMPLATE, "starcoder2"),
        ("{{ 'User: ' + message['content'] + '\\n\\nAssistant:' }}", None),
        ("{{ '[INST] ' + message['content'] + ' [/INST]' }}", None),
        ("", None),
    ],
)
def test_a_template_counts_only_if_its_family_is_known(template: str, expected: str | None) -> None:
    assert chosen("my-model", tokenizer(*MARKERS), (), template) == expected
