"""Chat prompts as token ids: ChatML, the format of Qwen's Instruct models. Knows no model.

Markers are spliced in as ids and contents encoded as text, so that source code which holds
`<|im_end|>` cannot end its own turn (inference.md §6).
"""

from collections.abc import Collection, Sequence

from midfill.model.api import ChatMessage
from midfill.model.errors import UnsupportedModel
from midfill.model.tokens import CodeTokenizer

START, END = "<|im_start|>", "<|im_end|>"
ROLES = ("system", "user", "assistant")
DEFAULT_SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
"""What Qwen2.5's own template puts first where the caller gives no system message."""


def can_chat(tokenizer: CodeTokenizer, eos_ids: Collection[int]) -> bool:
    """Whether a model answers in ChatML: base models have its markers too, but end texts, not turns."""
    return tokenizer.is_marker(START) and tokenizer.marker_id(END) in eos_ids


def render_chat(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    """The prompt's ids, up to where the assistant's answer begins.

    Raises UnsupportedModel where the vocabulary has no ChatML, ValueError for an unknown role.
    """
    start, end = tokenizer.marker_id(START), tokenizer.marker_id(END)
    if start is None or end is None:
        raise UnsupportedModel("this model has no chat format that Midfill knows")
    if not messages or messages[0].role != "system":
        messages = (ChatMessage("system", DEFAULT_SYSTEM), *messages)
    ids: list[int] = []
    for message in messages:
        if message.role not in ROLES:
            raise ValueError(f"unknown role {message.role!r}: known are {', '.join(ROLES)}")
        ids += [
            start,
            *tokenizer.encode(f"{message.role}\n{message.content}"),
            end,
            *tokenizer.encode("\n"),
        ]
    return [*ids, start, *tokenizer.encode("assistant\n")]
