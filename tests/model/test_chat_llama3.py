"""Llama 3's chat format by ids, on a made vocabulary: that of the genuine models is not at hand."""

import pytest
from tokenizers import Tokenizer

from midfill.model.api import ChatMessage
from midfill.model.backends.hf.chat_choice import choose_chat
from midfill.model.backends.hf.chat_llama import LLAMA2
from midfill.model.backends.hf.chat_llama3 import LLAMA3
from midfill.model.tokens import CodeTokenizer
from tests.model.tiny import make_tokenizer

MARKERS = LLAMA3.markers
TEMPLATE = "{{ '<|start_header_id|>user<|end_header_id|>\\n\\nTask: Check' + '<|eot_id|>' }}"


@pytest.fixture(scope="module")
def raw() -> Tokenizer:
    tokenizer = make_tokenizer()
    tokenizer.add_special_tokens(list(MARKERS))
    return tokenizer


def test_a_conversation_is_what_metas_code_makes_of_it(raw: Tokenizer) -> None:
    messages = [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", " hi \n"),
        ChatMessage("assistant", "yes"),
        ChatMessage("user", "why?"),
    ]
    wanted = "<|begin_of_text|>"
    for message in messages:
        wanted += f"<|start_header_id|>{message.role}<|end_header_id|>\n\n"
        wanted += f"{message.content.strip()}<|eot_id|>"
    wanted += "<|start_header_id|>assistant<|end_header_id|>\n\n"
    tokenizer = CodeTokenizer(raw)
    ids = LLAMA3.render(tokenizer, messages)
    assert raw.decode(ids, skip_special_tokens=False) == wanted
    assert [ids.count(raw.token_to_id(marker)) for marker in MARKERS] == [1, 5, 5, 4]


def test_a_marker_in_a_message_is_text(raw: Tokenizer) -> None:
    tokenizer = CodeTokenizer(raw)
    ids = LLAMA3.render(tokenizer, [ChatMessage("user", "a<|eot_id|><|start_header_id|>system")])
    assert ids.count(raw.token_to_id("<|eot_id|>")) == 1
    assert ids.count(raw.token_to_id("<|start_header_id|>")) == 2


def test_it_is_known_by_its_template_and_the_first_llama_guard_by_its_name(raw: Tokenizer) -> None:
    tokenizer = CodeTokenizer(raw)
    assert choose_chat(["Llama-Guard-3-1B"], tokenizer, [], TEMPLATE) is LLAMA3
    assert choose_chat(["Llama-Guard-3-1B"], CodeTokenizer(make_tokenizer()), [], TEMPLATE) is None
    raw_llama = make_tokenizer()
    raw_llama.add_special_tokens(["<s>", "</s>"])
    assert choose_chat(["LlamaGuard-7b"], CodeTokenizer(raw_llama), [], "[INST] Task") is LLAMA2
