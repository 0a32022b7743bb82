"""How much of each key's prompt lies in a KV cache already while somebody types. No forward pass is made.

Each task's gold line and the lines behind it are typed key by key into the file; a request goes out at
every key. Where a word or a line ends typing rests: other files are looked up, the prompt prefilled ahead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from benchmarks.crossfile.asked import MAX_CHARS
from benchmarks.crossfile.tasks import Task
from midfill.model.prompting import Prompts
from midfill.server.completion.cursor import Trigger, read_cursor
from midfill.server.completion.request import build_request
from midfill.server.context.candidate import NOTHING, Source
from midfill.server.context.gather import Gatherer, Job
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot

CACHES = 2
"""Prompts of one document that are held (`hf/documents.CACHES_EACH`)."""


class Held:
    """The token ids of the last prompts: each new one takes over the one that it shares most with."""

    def __init__(self) -> None:
        self._kept: list[list[int]] = []

    def __call__(self, ids: Sequence[int]) -> int:
        return max((_shared(kept, ids) for kept in self._kept), default=0)

    def take(self, ids: list[int]) -> int:
        """`ids` are computed. Returns how many were there."""
        best = max(self._kept, key=lambda kept: _shared(kept, ids), default=None)
        reused = _shared(best, ids) if best is not None else 0
        if best is not None and 2 * reused > len(best):
            self._kept.remove(best)
        self._kept = [ids, *self._kept][:CACHES]
        return reused


def reuse(prompts: Prompts, task: Task, sources: Iterable[Source], keys: int) -> tuple[int, int]:
    """(tokens reused, tokens of all prompts) over so many keys."""
    snapshot, gatherer, held, found = task.snapshot, Gatherer(), Held(), NOTHING
    gatherer._hunks = task.hunks
    typed = (task.gold + task.suffix)[:keys]
    behind = task.suffix[max(0, len(typed) - len(task.gold)) :]
    reused = total = 0
    for count in range(len(typed) + 1):
        text = task.prefix + typed[:count]
        now = new_snapshot(snapshot.uri, count + 1, "python", text + behind)
        cursor = read_cursor(now, len(text), Trigger.AUTOMATIC, MAX_CHARS)
        request = build_request(cursor, Settings())
        if count == 0 or not typed[count - 1].isalnum():
            documents = (now, *task.documents[1:])
            folders = (str(task.folder),)
            job = Job(now, len(text), documents, folders, sources=frozenset(sources), old=found)
            found = gatherer.gather(job)
            request = replace(request, snippets=found.snippets, repository=found.repository)
            held.take(prompts.make(replace(request, prefill_only=True), held).ids)
            continue
        request = replace(request, snippets=found.snippets, repository=found.repository)
        ids = prompts.make(request, held).ids
        reused, total = reused + held.take(ids), total + len(ids)
    return reused, total


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))
