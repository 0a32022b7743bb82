"""The models an editor may offer: known by name or installed here, as plain fields.

Reads disks and asks for GPUs: not for the event loop. The same rows as `midfill model list`; knows nothing
of LSP or of how they are shown.
"""

from typing import Any

from midfill.model.errors import ModelError
from midfill.model.store.catalogue import CATALOGUE
from midfill.model.store.fit import this_machine, verdict
from midfill.model.store.shapes import sizes_of
from midfill.model.store.store import Store


def models_list(store: Store | None = None) -> list[dict[str, Any]]:
    """`{name, size_bytes, licence, open_source, fits, installed, in_use}` each; what is only installed has
    a null for what the catalogue would say. `in_use`: without the setting `midfill.model`."""
    store = store or Store()
    machine = this_machine()
    chosen = _chosen(store)
    rows: dict[str, dict[str, Any]] = {
        entry.name: {
            "name": entry.name,
            "size_bytes": entry.size_bytes,
            "licence": entry.licence,
            "open_source": entry.open_source,
            "fits": verdict(sizes_of(entry), machine, unpacked=bool(entry.file)),
        }
        for entry in CATALOGUE
    }
    here = [name for name in store.names() if _is_installed(store, name)]
    for name in here:
        unknown = {"name": name, "size_bytes": None, "licence": None, "open_source": None, "fits": None}
        rows.setdefault(name, unknown)
    return [row | {"installed": name in here, "in_use": name == chosen} for name, row in rows.items()]


def _is_installed(store: Store, name: str) -> bool:
    try:
        return store.installed(name) is not None
    except ModelError:
        return False


def _chosen(store: Store) -> str:
    try:
        return store.find("").name
    except ModelError:
        return ""
