"""Which chat format a model takes: by what it is called, then by its vocabulary, then by its template.

A template's text is only looked at for the family it belongs to; it is never run.
"""

import re
from collections.abc import Collection, Iterable

from midfill.model.backends.hf.chat import CHATML, DEFAULT_SYSTEM, QWEN_CHATML, ChatFormat
from midfill.model.backends.hf.chat_instruction import DEEPSEEK_INSTRUCT, STARCODER2_INSTRUCT
from midfill.model.backends.hf.chat_llama import ATOM, CODELLAMA_70B, LLAMA2, STEP
from midfill.model.backends.hf.chat_llama3 import CLOSE, END, LLAMA3, OPEN
from midfill.model.dialects import plain_names
from midfill.model.tokens import CodeTokenizer

# First match wins. None: does not chat, or in a way that is not done here.
BY_NAME: tuple[tuple[str, ChatFormat | None], ...] = (
    (r"code-?llama.*70b.*instruct", CODELLAMA_70B),
    (r"code-?llama.*70b", None),  # the base model has `<step>` in its vocabulary too
    (r"code-?llama.*instruct", LLAMA2),
    (r"\batom-.*chat|llama-?2-chinese.*chat", ATOM),
    (r"llama-?2.*chat", LLAMA2),
    (r"llama-?guard-7b", LLAMA2),  # the first one; later ones have Llama 3's markers
    (r"deepseek-coder-?v2", None),
    (r"deepseek-coder.*instruct", DEEPSEEK_INSTRUCT),
    (r"starcoder-?2.*instruct", STARCODER2_INSTRUCT),
)
# All of these strings in a template's text name its family.
BY_TEMPLATE: tuple[tuple[tuple[str, ...], ChatFormat], ...] = (
    (("Source: ", "Destination: ", STEP), CODELLAMA_70B),
    (("[INST]", "[/INST]", "<<SYS>>"), LLAMA2),
    ((OPEN, CLOSE, END), LLAMA3),
    (("Human: ", "</s><s>Assistant: "), ATOM),
    (("Human: ", "<s>Assistant: ", "\\n</s>"), ATOM),
    (("### Instruction:\\n", "### Response:\\n", "<|EOT|>"), DEEPSEEK_INSTRUCT),
    (("### Instruction\\n", "### Response\\n", "eos_token"), STARCODER2_INSTRUCT),
)


def choose_chat(
    names: Iterable[str], tokenizer: CodeTokenizer, eos_ids: Collection[int], template: str = ""
) -> ChatFormat | None:
    """The chat format of a model that goes by `names`; None where it does not chat or nothing is known.

    `eos_ids` tell Instruct models from base models, which have ChatML's markers and template too but end
    texts, not turns. A format whose markers are not all there is never chosen.
    """
    plain = plain_names(names)
    for pattern, chat in BY_NAME:
        if any(re.search(pattern, name) for name in plain):
            return chat if chat and _fits(chat, tokenizer) else None
    if tokenizer.is_marker(STEP) and _fits(CODELLAMA_70B, tokenizer):
        return CODELLAMA_70B
    if _fits(CHATML, tokenizer) and tokenizer.marker_id(CHATML.ends[0]) in eos_ids:
        return QWEN_CHATML if not template or DEFAULT_SYSTEM in template else CHATML
    plain_template = template.replace("\n", "\\n")
    for texts, chat in BY_TEMPLATE:
        if all(text in plain_template for text in texts) and _fits(chat, tokenizer):
            return chat
    return None


def _fits(chat: ChatFormat, tokenizer: CodeTokenizer) -> bool:
    return all(tokenizer.marker_id(marker) is not None for marker in chat.markers)
