"""One sentence from the chat model: asked for, read strictly, in the language of the file's comments."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from midfill.model import ChatMessage
from midfill.server.actions.action import Ask, Refused
from midfill.server.actions.answers import is_complete, sentence
from midfill.server.actions.natural import may_be_in

TEMPERATURES = (0.0, 0.7, 1.0)
"""Of the first try and of those after answers that were of no use."""
FOREIGN = "the model does not answer in {}, the language of this file's comments, so nothing was inserted"


async def ask_sentence(
    ask: Ask,
    messages: Sequence[ChatMessage],
    most_tokens: int,
    language: str,
    is_good: Callable[[str], bool] = lambda said: True,
    otherwise: str = "",
) -> str | None:
    """The answer's first sentence; None where three answers had nothing of use.

    `otherwise` is added to the question after an answer that is not good. Raises Refused where the model
    does not keep to `language` though it is told to once again.
    """
    foreign = 0
    *before, question = messages
    added = ""
    for temperature in TEMPERATURES:
        asked = [*before, replace(question, content=question.content + added)]
        said = sentence(await ask(asked, most_tokens, temperature, is_complete))
        if said is None:
            continue
        if not may_be_in(language, said):
            foreign += 1
            added = f"\nAnswer in {language} and in no other language."
            if foreign > 1:
                raise Refused(FOREIGN.format(language))
        elif is_good(said):
            return said
        else:
            added = otherwise
    return None
