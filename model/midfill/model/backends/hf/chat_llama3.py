"""The chat format of the Llama 3 family and of Llama Guard from 2 on: markers around roles.

Source: `ChatFormat` in llama3/llama/tokenizer.py, which encodes header, gap and content each alone.
"""

from collections.abc import Sequence

from midfill.model.api import ChatMessage
from midfill.model.backends.hf.chat import ROLES, ChatFormat, marker_ids
from midfill.model.tokens import CodeTokenizer

BEGIN, OPEN, CLOSE, END = "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"


def _render_llama3(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    begin, before, after, end = marker_ids(tokenizer, (BEGIN, OPEN, CLOSE, END))

    def header(role: str) -> list[int]:
        return [before, *tokenizer.encode(role), after, *tokenizer.encode("\n\n")]

    ids = [begin]
    for message in messages:
        if message.role not in ROLES:
            raise ValueError(f"unknown role {message.role!r}: known are {', '.join(ROLES)}")
        ids += [*header(message.role), *tokenizer.encode(message.content.strip()), end]
    return [*ids, *header("assistant")]


LLAMA3 = ChatFormat("llama-3", _render_llama3, markers=(BEGIN, OPEN, CLOSE, END), ends=(END,))
