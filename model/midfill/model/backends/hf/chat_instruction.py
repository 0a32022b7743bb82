"""Chat formats with headings: `### Instruction`, `### Response`. The headings are ordinary text, so the
same heading in a content is encoded in pieces.
"""

from collections.abc import Sequence

from midfill.model.api import ChatMessage
from midfill.model.backends.hf.chat import ChatFormat, as_dialogue, encode_parts, marker_ids, split_tags
from midfill.model.tokens import CodeTokenizer

TAGS = ("### Instruction", "### Response")
DEEPSEEK_BOS, DEEPSEEK_END = "<｜begin▁of▁sentence｜>", "<|EOT|>"
DEEPSEEK_SYSTEM = (
    "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by Deepseek "
    "Company, and you only answer questions related to computer science. For politically sensitive "
    "questions, security and privacy issues, and other non-computer science questions, you will "
    "refuse to answer\n"
)
"""What the template of deepseek-coder-instruct puts first where the caller gives no system message."""
STARCODER2_END = "<|endoftext|>"
STARCODER2_SYSTEM = (
    "You are an exceptionally intelligent coding assistant that consistently delivers accurate and "
    "reliable responses to user instructions.\n\n"
)
"""What the template of starcoder2-15b-instruct always puts first."""


def _render_deepseek(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    """The template of deepseek-ai/deepseek-coder-6.7b-instruct; a system message gets the line end that
    the template leaves to the caller.
    """
    bos, end = marker_ids(tokenizer, (DEEPSEEK_BOS, DEEPSEEK_END))
    dialogue = as_dialogue(messages)
    system = DEEPSEEK_SYSTEM if dialogue.system is None else dialogue.system.rstrip("\n") + "\n"
    ids, lead = [bos], split_tags(system, TAGS)
    for question, answer in dialogue.finished:
        asked, reply = split_tags(question, TAGS), split_tags(answer, TAGS)
        head = [f"{TAGS[0]}:\n"]
        ids += encode_parts(tokenizer, lead, head, asked, [f"\n{TAGS[1]}:\n"], reply, ["\n"])
        ids.append(end)
        lead = ["\n"]
    asked = split_tags(dialogue.question, TAGS)
    return ids + encode_parts(tokenizer, lead, [f"{TAGS[0]}:\n"], asked, [f"\n{TAGS[1]}:\n"])


def _render_starcoder2(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    """The template of bigcode/starcoder2-15b-instruct-v0.1, which refuses system messages: one goes before
    the first question.
    """
    (end,) = marker_ids(tokenizer, (STARCODER2_END,))
    dialogue = as_dialogue(messages)
    said = [text for turn in dialogue.finished for text in turn] + [dialogue.question]
    if dialogue.system:
        said[0] = f"{dialogue.system}\n\n{said[0]}"
    ids, lead = [end], STARCODER2_SYSTEM
    for asked, reply in zip(said[:-1:2], said[1::2], strict=True):
        head, between = [f"{lead}{TAGS[0]}\n"], [f"\n\n{TAGS[1]}\n"]
        ids += encode_parts(tokenizer, head, split_tags(asked, TAGS), between, split_tags(reply, TAGS))
        ids.append(end)
        lead = "\n\n"
    asked_last = split_tags(said[-1], TAGS)
    return ids + encode_parts(tokenizer, [f"{lead}{TAGS[0]}\n"], asked_last, [f"\n\n{TAGS[1]}\n"])


DEEPSEEK_INSTRUCT = ChatFormat(
    "deepseek-coder", _render_deepseek, markers=(DEEPSEEK_BOS, DEEPSEEK_END), ends=(DEEPSEEK_END,)
)
STARCODER2_INSTRUCT = ChatFormat(
    "starcoder2", _render_starcoder2, markers=(STARCODER2_END,), ends=(STARCODER2_END,)
)
