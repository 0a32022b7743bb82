"""One gathering: from a cursor in a document and what is open beside it to what its prompts show.

Worker thread only; keeps what it has read and parsed, until the file changes. Knows no model.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from midfill.server.completion.cursor import normalize
from midfill.server.context.candidate import NOTHING, Candidate, Selection, Source, settle
from midfill.server.context.definitions import definitions
from midfill.server.context.edits import Hunk, edited, shown_edits
from midfill.server.context.near import near_names
from midfill.server.context.outline import Symbol, outline
from midfill.server.context.resolve import Here
from midfill.server.context.similar import Window, similar, window_lines, windows
from midfill.server.context.workspace import Reader, Workspace, is_readable
from midfill.server.languages import language_of
from midfill.server.text import DocumentSnapshot, line_at
from midfill.server.uris import to_path

ROOM_SHARE = 0.3
"""Of the model's context (`prompting.SURROUNDINGS_SHARE`)."""
CHARS_PER_TOKEN = 3.2
"""Of code, on the safe side: the renderer cuts what does not fit."""
SHARES = {Source.DEFINITIONS: 0.45, Source.SIMILAR: 0.4, Source.EDITS: 0.15}
"""Of that room (a guess; fixed, so that no source's growth moves another)."""
SHOWN_BEFORE, SHOWN_BEHIND = 2.0, 0.25
"""Characters of the cursor's own file that its prompt shows, for a token of context."""
KEPT = 400
"""Files whose text and outline are kept."""
FAMILIES = ({"javascript", "javascriptreact", "typescript", "typescriptreact"}, {"c", "cpp", "cuda-cpp"})
"""Languages that read each other."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the event loop knows of one place."""

    snapshot: DocumentSnapshot
    offset: int
    documents: tuple[DocumentSnapshot, ...] = ()
    """Open ones and recently closed ones, this one too."""
    folders: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    sources: frozenset[Source] = frozenset(Source)
    context_tokens: int = 2048
    old: Selection = NOTHING

    @property
    def line(self) -> int:
        return line_at(self.snapshot, self.offset)


@dataclass(slots=True)
class Gatherer:
    """What was read and parsed, from one gathering to the next."""

    _texts: dict[str, tuple[tuple[int, int], str]] = field(default_factory=dict)
    _outlines: dict[str, tuple[str, tuple[Symbol, ...]]] = field(default_factory=dict)
    _windows: dict[str, tuple[str, int, tuple[Window, ...]]] = field(default_factory=dict)
    _seen: dict[str, DocumentSnapshot] = field(default_factory=dict)
    _hunks: tuple[Hunk, ...] = ()

    def gather(self, job: Job) -> Selection:
        """What the prompts of this document show from now on: `job.old` unless that is clearly beaten, or
        not true any more. While the cursor stays in its line, only the latter counts."""
        workspace = Workspace(job.folders, job.exclude)
        self._note_edits(job)
        finders = {
            Source.DEFINITIONS: self._definitions,
            Source.SIMILAR: self._similar,
            Source.EDITS: self._edits,
        }
        chosen: list[Candidate] = []
        for source in [source for source in Source if source in job.sources]:
            room = int(job.context_tokens * ROOM_SHARE * CHARS_PER_TOKEN * SHARES[source])
            found = finders[source](job, workspace, room)
            old = job.old.of(source)
            kept = {(piece.key, piece.text) for piece in found}
            frozen = job.line == job.old.line and all((piece.key, piece.text) in kept for piece in old)
            chosen += old if old and frozen else settle(old, found, room)
        self._forget()
        path = to_path(job.snapshot.uri)
        root = workspace.root_of(path) if path else None
        same = tuple(chosen) == job.old.chosen
        return Selection(tuple(chosen), os.path.basename(root or ""), job.old.line if same else job.line)

    def _definitions(self, job: Job, workspace: Workspace, room: int) -> list[Candidate]:
        path = to_path(job.snapshot.uri)
        root = workspace.root_of(path) if path else None
        if path is None or root is None:
            return []
        opened = {
            os.path.realpath(place): normalize(document.text)
            for document in job.documents
            if (place := to_path(document.uri)) is not None
        }
        reader = Reader(workspace, opened, self._texts)
        text = normalize(job.snapshot.text)
        near = near_names(text.split("\n"), job.line)
        here = Here(os.path.realpath(path), root, text)
        outlines = self._outlines_of(reader)
        return definitions(job.snapshot.language, here, near, reader, outlines)

    def _outlines_of(self, reader: Reader) -> Callable[[str], tuple[Symbol, ...]]:
        def outlines(path: str) -> tuple[Symbol, ...]:
            text = reader.text(path)
            if text is None:
                return ()
            known = self._outlines.get(path)
            if known is None or known[0] != text:
                known = self._outlines[path] = (text, outline(language_of(path), text))
            return known[1]

        return outlines

    def _similar(self, job: Job, workspace: Workspace, room: int) -> list[Candidate]:
        lines = window_lines(room)
        files: dict[str, tuple[Window, ...]] = {}
        for document in job.documents:
            other = document.uri != job.snapshot.uri
            if other and _alike(document.language, job.snapshot.language):
                found = self._windows_of(document, lines, workspace)
                if found:
                    files[_shown(document.uri, workspace)] = found
        text = job.snapshot.text
        before = normalize(text[_first_shown(job) : job.offset])
        around = before + normalize(text[job.offset : _last_shown(job)])
        return similar("\n".join(before.split("\n")[-lines:]), around, files, room)

    def _windows_of(
        self, document: DocumentSnapshot, lines: int, workspace: Workspace
    ) -> tuple[Window, ...]:
        if not workspace.allows_open(document.uri) or not is_readable(document.text):
            return ()
        known = self._windows.get(document.uri)
        if known is None or known[:2] != (document.text, lines):
            known = (document.text, lines, windows(normalize(document.text), lines))
            self._windows[document.uri] = known
        return known[2]

    def _edits(self, job: Job, workspace: Workspace, room: int) -> list[Candidate]:
        snapshot = job.snapshot
        visible = range(line_at(snapshot, _first_shown(job)), line_at(snapshot, _last_shown(job)))
        documents = {
            document.uri: (_shown(document.uri, workspace), normalize(document.text).split("\n"))
            for document in job.documents
            if workspace.allows_open(document.uri) and is_readable(document.text)
        }
        return shown_edits(self._hunks, documents, snapshot.uri, visible, room)

    def _note_edits(self, job: Job) -> None:
        """What was edited since the last gathering. A document that is new here was edited by nobody."""
        for document in job.documents:
            before = self._seen.get(document.uri, document)
            if before is not document:
                self._hunks = edited(self._hunks, before, document)
            self._seen[document.uri] = document
        open_now = {document.uri for document in job.documents}
        self._seen = {uri: snapshot for uri, snapshot in self._seen.items() if uri in open_now}

    def _forget(self) -> None:
        for cache in (self._texts, self._outlines, self._windows):
            for path in list(cache)[: max(0, len(cache) - KEPT)]:
                del cache[path]


def _alike(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in FAMILIES)


def _shown(uri: str, workspace: Workspace) -> str:
    path = to_path(uri)
    return workspace.shown(path) if path else uri.rpartition("/")[2].rpartition(":")[2]


def _first_shown(job: Job) -> int:
    return max(0, job.offset - int(job.context_tokens * SHOWN_BEFORE))


def _last_shown(job: Job) -> int:
    return min(len(job.snapshot.text), job.offset + int(job.context_tokens * SHOWN_BEHIND))
