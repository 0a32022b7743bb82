"""Digests of GGUF files that lie outside the store, each computed once. Knows nothing of models."""

import contextlib
import hashlib
import json
from pathlib import Path

from midfill.model.store.files import sha256_of, write_json


def remembered_digest(path: Path, notes: Path) -> str:
    """sha256 of `path`, from a note in the folder `notes` while size and time of change are the same."""
    stat = path.stat()
    state = {"path": str(path), "size": stat.st_size, "changed_ns": stat.st_mtime_ns}
    note = notes / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.json"
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if {key: known[key] for key in state} == state:
            return str(known["sha256"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass  # never computed, or the note is of no use: compute it now
    digest = sha256_of(path)
    with contextlib.suppress(OSError):  # a read-only cache, a full disk: computed again next time
        write_json(note, {**state, "sha256": digest})
    return digest
