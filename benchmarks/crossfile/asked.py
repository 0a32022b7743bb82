"""What the server asks the default model with some sources of context, and what the model writes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from benchmarks.crossfile.tasks import Task
from midfill.model import Chunk, FimRequest
from midfill.server.completion.cursor import Trigger, read_cursor
from midfill.server.completion.request import build_request
from midfill.server.context.candidate import Source
from midfill.server.context.gather import Gatherer, Job
from midfill.server.settings import Settings

MODEL = "qwen2.5-coder-0.5b-instruct"
MAX_CHARS = 16_384
"""Of each side: `asking.CHARS_PER_CONTEXT_TOKEN` for a CPU's context."""


def loaded() -> Any:
    """The default model, as it is served."""
    from midfill.model.backends.hf.backend import TransformersBackend
    from midfill.model.config import ModelConfig

    backend = TransformersBackend(ModelConfig(model=MODEL))
    backend.load(lambda _: None)
    return backend


def request_for(task: Task, sources: Iterable[Source]) -> FimRequest:
    """The request at the hole, with what a gathering finds there."""
    cursor = read_cursor(task.snapshot, len(task.prefix), Trigger.AUTOMATIC, MAX_CHARS)
    gatherer = Gatherer()
    gatherer._hunks = task.hunks
    job = Job(
        task.snapshot, len(task.prefix), task.documents, (str(task.folder),), sources=frozenset(sources)
    )
    found = gatherer.gather(job)
    request = build_request(cursor, Settings())
    return replace(request, snippets=found.snippets, repository=found.repository, patient=True)


def first_line(backend: Any, request: FimRequest) -> str:
    """What the model writes, up to its first line end."""
    text = ""
    for event in backend.stream(request):
        text += event.text if isinstance(event, Chunk) else ""
        if "\n" in text.lstrip("\n"):
            break
    return text.strip("\n").partition("\n")[0].strip()


def similarity(one: str, other: str) -> float:
    """1 − Levenshtein distance ÷ the longer length; 1: equal."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    longest = max(len(one), len(other))
    return 1 - row[-1] / longest if longest else 1.0
