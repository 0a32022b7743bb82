"""A chat request becomes a job: the prompt in the model's own format, what ends the answer, what it may be.

Knows no loop and no KV cache. How a format renders a conversation is in `chat` and beside it.
"""

from collections.abc import Sequence

from midfill.model.api import ChatRequest
from midfill.model.backends.hf.chat import ChatFormat, marker_ids
from midfill.model.backends.hf.job import Drafter, Job
from midfill.model.backends.hf.loader import Loaded
from midfill.model.choices import OneOf, one_of
from midfill.model.errors import GenerationError, UnsupportedModel
from midfill.model.prompting import Prompts


class Chats:
    """Makes the jobs of one loaded model."""

    def __init__(self, loaded: Loaded, prompts: Prompts) -> None:
        """`prompts` are of the same model: the table of its vocabulary is shared."""
        self._loaded, self._prompts = loaded, prompts

    def job(self, request: ChatRequest, drafter: Drafter | None = None) -> Job:
        """What `request` asks of the model.

        Raises UnsupportedModel where it does not chat or cannot spell a choice, GenerationError where no
        room is left for one, ValueError for messages that are no conversation.
        """
        chat, tokenizer = self._loaded.chat, self._loaded.tokenizer
        if chat is None:
            raise UnsupportedModel("this model completes code but does not chat: choose an Instruct model")
        prompt = chat.render(tokenizer, request.messages)
        stop_ids = self._loaded.stop_ids.union(marker_ids(tokenizer, chat.ends))
        constraint, new_tokens = None, request.max_new_tokens
        if request.choices:
            texts = _spelled(chat, request.choices)
            new_tokens = max(map(len, texts)) + 1  # were every byte a token, and the end
            constraint = self._one_of(texts, stop_ids)
            if len(prompt) + new_tokens > self._loaded.context_tokens:
                raise GenerationError(
                    f"a prompt of {len(prompt)} tokens leaves no room for the choices in a context of "
                    f"{self._loaded.context_tokens}"
                )
        return Job(
            prompt=prompt,
            max_new_tokens=new_tokens,
            stop_ids=stop_ids,
            temperature=request.temperature,
            constraint=constraint,
            space_first=chat.space_first,
            drafter=drafter,
        )

    def _one_of(self, texts: Sequence[bytes], stop_ids: frozenset[int]) -> OneOf:
        constraint = one_of(self._prompts.trie, texts, stop_ids)
        if constraint is None:
            raise UnsupportedModel("this model's vocabulary cannot spell one of the choices")
        return constraint


def _spelled(chat: ChatFormat, choices: Sequence[str]) -> list[bytes]:
    """The bytes that are the choices: where a space goes before an answer, it may stand there or not. A
    choice that begins with a space itself needs it, or it would lose its own.
    """
    try:
        plain = [choice.encode("utf-8") for choice in choices]
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise UnsupportedModel("one of the choices is no text that can be spelled") from error
    if not chat.space_first:
        return plain
    return [b" " + text for text in plain] + [text for text in plain if not text.startswith(b" ")]
