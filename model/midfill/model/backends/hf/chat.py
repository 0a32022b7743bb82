"""Chat prompts as token ids: what a chat format is, and ChatML, the format of Qwen's Instruct models.

Markers are spliced in as ids and contents encoded as text, so that source code which holds `<|im_end|>`
cannot end its own turn (inference.md §6). Where a format's tags are ordinary text (`[INST]`), the same
tag in a content is encoded in two pieces: it reads the same and is not the tag. Knows no model.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from midfill.model.api import ChatMessage
from midfill.model.errors import UnsupportedModel
from midfill.model.tokens import CodeTokenizer

START, END = "<|im_start|>", "<|im_end|>"
ROLES = ("system", "user", "assistant")
DEFAULT_SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
"""What Qwen2.5's own template puts first where the caller gives no system message."""


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How a family of models wants a conversation. `render` makes the prompt's ids, up to the answer."""

    name: str
    render: Callable[[CodeTokenizer, Sequence[ChatMessage]], list[int]]
    markers: tuple[str, ...]
    """Tokens that the prompt needs as ids."""
    ends: tuple[str, ...]
    """Tokens that end an answer."""
    space_first: bool = False
    """Whether answers may begin with a space that is none of their text, as SentencePiece makes them."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation whose turns alternate, as most formats demand it."""

    system: str | None
    finished: tuple[tuple[str, str], ...]
    """(what the user said, what the assistant answered), oldest first."""
    question: str


def as_dialogue(messages: Sequence[ChatMessage]) -> Dialogue:
    """`messages` as alternating turns. Raises ValueError where they do not alternate or do not end in a
    question.
    """
    for message in messages:
        if message.role not in ROLES:
            raise ValueError(f"unknown role {message.role!r}: known are {', '.join(ROLES)}")
    system = messages[0].content if messages and messages[0].role == "system" else None
    turns = messages[1:] if system is not None else messages
    wanted = ["user", "assistant"] * len(turns)
    if len(turns) % 2 == 0 or [turn.role for turn in turns] != wanted[: len(turns)]:
        raise ValueError("a chat is: perhaps a system message, then user and assistant by turns, user last")
    said = [turn.content for turn in turns]
    return Dialogue(system, tuple(zip(said[:-1:2], said[1::2], strict=True)), said[-1])


def marker_ids(tokenizer: CodeTokenizer, markers: Iterable[str]) -> list[int]:
    """The ids of `markers`. Raises UnsupportedModel where the vocabulary lacks one."""
    ids = [i for marker in markers if (i := tokenizer.marker_id(marker)) is not None]
    if len(ids) < len(tuple(markers)):
        raise UnsupportedModel("this model has no chat format that Midfill knows")
    return ids


def split_tags(text: str, tags: Sequence[str]) -> list[str]:
    """`text` cut in the middle of every tag in it: [`text`] where there is none."""
    halves = [(tag[: len(tag) // 2], tag[len(tag) // 2 :]) for tag in tags]
    return re.split("|".join(f"(?<={re.escape(a)})(?={re.escape(b)})" for a, b in halves), text)


def encode_parts(tokenizer: CodeTokenizer, *parts: Sequence[str]) -> list[int]:
    """The ids of all `parts` as one text, cut where a part has a cut and nowhere else."""
    pieces = [""]
    for first, *rest in parts:
        pieces[-1] += first
        pieces += rest
    ids = tokenizer.encode(pieces[0])
    for piece in pieces[1:]:
        ids += tokenizer.encode_continuation(piece)
    return ids


def _render_qwen(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    if not messages or messages[0].role != "system":
        messages = (ChatMessage("system", DEFAULT_SYSTEM), *messages)
    return _render_chatml(tokenizer, messages)


def _render_chatml(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    start, end = marker_ids(tokenizer, (START, END))
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


CHATML = ChatFormat("chatml", _render_chatml, markers=(START, END), ends=(END,))
QWEN_CHATML = ChatFormat("chatml-qwen2.5", _render_qwen, markers=(START, END), ends=(END,))
