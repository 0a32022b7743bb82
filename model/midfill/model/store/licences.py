"""Which licences are open source, and the texts that lie beside the weights. Knows nothing of networks."""

import importlib.metadata
from pathlib import Path

from midfill.model.store.catalogue import APACHE
from midfill.model.store.files import write_text
from midfill.model.store.manifest import Manifest, is_legal_text

UNKNOWN = "unknown"
OWN_TEXT = "LICENCE.txt"
"""What we write ourselves; a publisher's own LICENSE keeps its name."""
_OTHER_TEXT = "midfill.txt"
"""Where the publisher has an OWN_TEXT of theirs: no file of a model can be called so (`is_kept`)."""

_APACHE_FILE = "LICENSE-Apache-2.0.txt"

# The hub's licence tags (https://huggingface.co/docs/hub/repositories-licenses) that OSI has approved
# and code models use. Anything else, OpenRAIL and the Llama licences included, is asked for.
_OPEN_SOURCE = {
    "apache-2.0": APACHE,
    "mit": "MIT",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "gpl-3.0": "GPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "mpl-2.0": "MPL-2.0",
    "isc": "ISC",
    "ecl-2.0": "ECL-2.0",
}


def from_hub_tag(tag: str) -> tuple[str, bool]:
    """A hub licence tag as (name for humans, whether it is open source)."""
    name = _OPEN_SOURCE.get(tag.lower())
    return (name, True) if name else (tag or UNKNOWN, False)


def write_beside(folder: Path, manifest: Manifest) -> None:
    """Write OWN_TEXT (what licence, from where, which bytes) and, for Apache-2.0, the full text.

    Apache-2.0 §4(a): whoever passes the weights on (`midfill model export`) passes the text on too.
    The text is that of Midfill's own licence, which is the same one.
    """
    legal = [record.path for record in manifest.files if is_legal_text(record.path)]
    if not legal and manifest.licence == APACHE and (text := _apache_text()):
        write_text(folder / _APACHE_FILE, text)
        legal = [_APACHE_FILE]
    # Some file systems take names for one that differ in case alone.
    taken = OWN_TEXT.lower() in (record.path.lower() for record in manifest.files)
    digests = "".join(f"  {record.sha256}  {record.path}\n" for record in manifest.files)
    write_text(
        folder / (_OTHER_TEXT if taken else OWN_TEXT),
        f"{manifest.name} is not part of Midfill and has its own licence.\n\n"
        f"Licence: {manifest.licence}\n"
        f"Its text: {', '.join(legal) or 'see where it comes from'}\n"
        f"From: {manifest.source}\n"
        + (f"Hub repository: {manifest.repo}\n" if manifest.repo else "")
        + (f"Commit: {manifest.commit}\n" if manifest.commit else "")
        + f"\nsha256 of the files as they were received:\n{digests}",
    )


def _apache_text() -> str:
    """From Midfill's own metadata; empty when it runs from a tree that was never installed."""
    try:
        return importlib.metadata.distribution("midfill").read_text("licenses/LICENSE") or ""
    except importlib.metadata.PackageNotFoundError:
        return ""
