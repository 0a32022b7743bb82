"""Decides what a pull will fetch, by URL or by what the hub says of a repository. Fetches no weights."""

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from midfill.model.errors import DamagedModel, UnknownModel
from midfill.model.store import catalogue, hub
from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.download import Patience, RemoteFile
from midfill.model.store.files import human_size
from midfill.model.store.licences import UNKNOWN
from midfill.model.store.manifest import name_from
from midfill.model.store.urls import query_digest, shown_url, split_url


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fetch, decided before anything is."""

    entry: CatalogueEntry
    files: tuple[tuple[str, RemoteFile], ...]
    """(name in the store, where it comes from)."""
    source: str
    commit: str = ""
    query: str = ""
    """`query_digest` of the URL."""

    @property
    def key(self) -> str:
        """The same for two pulls whose parts can be of one another's use."""
        return self.entry.sha256 or f"{self.source} {self.commit}{self.query}"


def plan_url(url: str) -> Plan:
    """One GGUF file at `url`. Raises UnknownModel for anything else."""
    bare, digest = split_url(url)
    source, query = shown_url(bare), query_digest(bare)
    file = unquote(urlsplit(bare).path).rpartition("/")[2]
    if not file.lower().endswith(".gguf"):
        raise UnknownModel(f"{source} is not the URL of a .gguf file: Midfill pulls only those by URL.")
    if known := catalogue.by_digest(digest):
        return Plan(known, ((known.file, RemoteFile(bare, known.size_bytes, digest)),), source, query=query)
    entry = CatalogueEntry(
        name=name_from(file[: -len(".gguf")]),
        repo="",
        file=file,
        revision="",
        size_bytes=0,
        sha256=digest,
        licence=UNKNOWN,
        open_source=False,
        commercial_use=False,
        family="",
        parameters=0,
        note=f"Nothing is known of this file's licence: ask where it comes from ({source}).",
    )
    return Plan(entry, ((f"{entry.name}.gguf", RemoteFile(bare, sha256=digest)),), source, query=query)


def plan_hub(repo: str, file: str, revision: str, patience: Patience) -> Plan:
    """A hub repository's model, or one GGUF `file` of it, at the commit that `revision` is now.

    Raises UnknownModel, UnsafeWeights, DownloadError, and DamagedModel when the hub offers other bytes
    than the catalogue knows.
    """
    found = hub.look_up(repo, revision, patience)
    files = hub.wanted_files(found, file)
    offered = hub.entry_for(found, files)
    known = catalogue.by_digest(offered.sha256) or catalogue.by_repo(repo)
    entry = known if known and known.file == offered.file else offered
    if entry.sha256 != offered.sha256 and entry.sha256:
        raise DamagedModel(
            f"{entry.file} in {repo} at {shown_url(hub.endpoint())} is refused: "
            "its digest is not the known one."
        )
    entry = replace(entry, size_bytes=offered.size_bytes)
    return Plan(
        entry, tuple((f.path, hub.remote_file(found, f)) for f in files), entry.origin, found.commit
    )


def describe(entry: CatalogueEntry) -> str:
    """What a user is asked to accept, in a few lines."""
    size = human_size(entry.size_bytes) if entry.size_bytes else "size unknown"
    use = "with conditions" if entry.commercial_use else "not known to be allowed"
    return (
        f"{entry.name} ({size}), from {entry.origin}\n"
        f"Licence: {entry.licence}. It is not an open-source licence; commercial use: {use}."
        + (f"\n{entry.note}" if entry.note else "")
        + (f"\nRead it at {shown_url(hub.endpoint())}/{entry.repo}" if entry.repo else "")
    )
