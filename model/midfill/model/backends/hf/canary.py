"""Whether a model really fills: holes with one answer, tried at load where only its vocabulary says so.

OpenCoder and Qwen's models without Coder carry the markers untrained (inference.md §2). Owns the holes and
the verdict; knows no vocabulary.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

from midfill.model.api import Chunk, Event, Finish, FinishReason
from midfill.model.backends.hf.decode import DecodeLoop
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.loader import Loaded
from midfill.model.backends.hf.vocabulary import all_markers
from midfill.model.dialects import Decision, FimDialect, Order, render


@dataclass(frozen=True, slots=True)
class Canary:
    """Code with a hole that has one answer."""

    prefix: str
    suffix: str
    answer: str


CANARIES = (
    Canary("import ", "\n\nwith open(path) as file:\n    data = json.load(file)\n", "json"),
    Canary("def area(width, height):\n    return width", " height\n\n\nassert area(2, 3) == 6\n", "*"),
    Canary("def mean(", "):\n    return sum(values) / len(values)\n", "values"),
    Canary('def greet(name):\n    print("Hello, " +', ')\n\n\ngreet("Ann")\n', "name"),
)
ENOUGH = 2
"""The default model answers all four. With its markers' embeddings replaced (by the mean, noise, or another
token's) it answers none, in either order, and often *ends* at once: an end alone proves nothing."""
ANSWER_TOKENS = 8
"""An answer has one or two. Together the four take 1.7 s on 2 cores for 0.5B (measured)."""
UNTRAINED = "its vocabulary has {name}'s markers, but it answers as if they were never trained"


def try_out(loaded: Loaded, loop: DecodeLoop) -> Generator[None, None, Loaded]:
    """`loaded`, without its dialect if that was taken on trust and the model does not fill by it.

    One forward pass per `next()`. Raises what the loop raises.
    """
    dialect = loaded.dialect
    if dialect is None or not loaded.fim.on_trust:
        return loaded
    if (yield from fills(loaded, dialect, loop)):
        return loaded
    ends = loaded.stop_ids | all_markers(loaded.tokenizer)
    return replace(loaded, fim=Decision(None, UNTRAINED.format(name=dialect.name)), stop_ids=ends)


def fills(loaded: Loaded, dialect: FimDialect, loop: DecodeLoop) -> Generator[None, None, bool]:
    """Whether the model gives enough of the answers."""
    right, cache = 0, TokenCache(loaded.make_past)
    for index, canary in enumerate(CANARIES):
        events: list[Event] = []
        for event in loop.stream(cache, _job(loaded, dialect, canary)):
            events.append(event)
            yield
        right += answers(dialect, canary, events)
        if right == ENOUGH or right + len(CANARIES) - 1 - index < ENOUGH:
            break
    return right >= ENOUGH


def answers(dialect: FimDialect, canary: Canary, events: Iterable[Event]) -> bool:
    """Whether `events` are the right answer, which is not what writing on from the prompt's end would give.

    Behind a suffix that is anything but the answer. Behind a prefix it may well be the answer, then more:
    there only a fill proves it that ends where the suffix begins.
    """
    said, ended = "", False
    for event in events:
        match event:
            case Chunk(text):
                said += text
            case Finish(reason):
                ended = reason is FinishReason.EOT
    if dialect.order is Order.PSM:
        return said.strip().startswith(canary.answer)
    return said.strip() == canary.answer and ended


def _job(loaded: Loaded, dialect: FimDialect, canary: Canary) -> Job:
    tokenizer = loaded.tokenizer
    ids = {marker: i for marker in dialect.markers if (i := tokenizer.marker_id(marker)) is not None}
    prefix_ids, suffix_ids = tokenizer.encode(canary.prefix), tokenizer.encode_continuation(canary.suffix)
    prompt = render(dialect, ids, prefix_ids, suffix_ids, loaded.bos_id)
    return Job(prompt, ANSWER_TOKENS, loaded.stop_ids)
