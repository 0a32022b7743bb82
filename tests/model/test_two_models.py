"""Two tiny models in one process: each answers as it does alone, and neither disturbs the other."""

from collections.abc import Callable
from pathlib import Path

from midfill.model.api import Chunk
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.pair import PairBackend
from tests.model.backends import CONFIG, QUESTION, REQUEST, as_local, ignore, loaded, text
from tests.model.tiny import make_model


def test_each_of_two_models_answers_as_it_does_alone(save_model: Callable[..., Path]) -> None:
    fim = save_model(name="fim")
    chat = save_model(make_model("llama", seed=7), name="chat")
    alone = text(list(loaded(fim)[0].stream(REQUEST)))
    # A Llama by its shape, a Qwen by its name and markers: the chat format goes by those.
    chat_alone = text(list(loaded(chat)[0].stream(QUESTION)))
    assert alone
    assert chat_alone
    pair = PairBackend(
        lambda: TransformersBackend(CONFIG, as_local(fim)),
        lambda: TransformersBackend(CONFIG, as_local(chat)),
        "chat",
    )
    info = pair.load(ignore)
    assert (info.dialect, info.can_chat) == ("qwen2.5-coder", True)
    stream, answer = pair.stream(QUESTION), ""
    for event in stream:
        answer += event.text if isinstance(event, Chunk) else ""
        if event != Chunk():  # while it writes; while it loads, once in a while would do as well
            assert text(list(pair.stream(REQUEST))) == alone
    assert answer == chat_alone
    pair.close()
