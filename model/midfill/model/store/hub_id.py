"""`owner/name@revision`: how a hub's repositories are named, and which installed model one means.

Asks no network: a branch's name says nothing here, a commit does.
"""

import re
from collections.abc import Iterable

from midfill.model.errors import NoModel, UnknownModel
from midfill.model.store.manifest import Manifest

_ID = re.compile(
    r"(?P<repo>[\w][\w.-]*/[\w][\w.-]*)(?:/(?P<file>[\w.+-]+\.gguf))?(?:@(?P<revision>[\w./-]+))?"
)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
"""A commit, or as much of it as git itself shows."""


def parse_id(spec: str) -> tuple[str, str, str] | None:
    """`owner/name`, `owner/name/file.gguf`, each with `@revision`, as (repo, file, revision); else None."""
    match = _ID.fullmatch(spec)
    if match and match["repo"].lower().endswith(".gguf"):  # a file in a folder
        return None
    return (match["repo"], match["file"] or "", match["revision"] or "") if match else None


def installed_name(spec: str, installed: Iterable[Manifest]) -> str:
    """The name of the installed model that the hub id `spec` means.

    Raises NoModel when it is not here, UnknownModel when another commit of it is.
    """
    named = parse_id(spec)
    assert named is not None, "asked of hub ids alone"
    repo, file, revision = named
    found = [
        manifest
        for manifest in installed
        if manifest.repo.lower() == repo.lower()
        and (not file or any(record.path == file for record in manifest.files))
    ]
    at_commit = [manifest for manifest in found if _is_at(manifest, revision)]
    if at_commit:
        return at_commit[0].name
    if not found:
        raise NoModel(f"{spec} is not installed: get it with `midfill model pull {spec}`.")
    have = found[0]
    if not _COMMIT.fullmatch(revision.lower()):
        raise UnknownModel(
            f"{repo} is installed at commit {have.commit[:12]}; whether that is {revision!r} only the hub "
            f"knows. Name it {repo}@{have.commit[:12]}, or without a revision."
        )
    raise UnknownModel(
        f"{repo} is installed at commit {have.commit[:12]}, not at {revision}. To have that one: "
        f"`midfill model remove {have.name}`, then `midfill model pull {spec}`."
    )


def _is_at(manifest: Manifest, revision: str) -> bool:
    if not revision:
        return True
    return bool(_COMMIT.fullmatch(revision.lower())) and manifest.commit.startswith(revision.lower())
