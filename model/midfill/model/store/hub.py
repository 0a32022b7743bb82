"""What a Hugging Face hub (or a mirror of one) says of a repository. Fetches no weights.

The environment variables are the hub's own: HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE. They are read at every
call, for a server outlives its settings.
"""

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from midfill.model.errors import DownloadError, UnknownModel, UnsafeWeights
from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.client import make_client
from midfill.model.store.download import Patience, RemoteFile
from midfill.model.store.licences import from_hub_tag
from midfill.model.store.manifest import is_kept, is_legal_text, name_from
from midfill.model.store.urls import shown_url, without_passwords
from midfill.model.store.weights import INDEX, PICKLE_SUFFIXES

DEFAULT_ENDPOINT = "https://huggingface.co"

_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_FAVOURITE = re.compile(r"q4_k_m\.gguf$", re.IGNORECASE)
"""Of several quantizations in one repository: the size that llama.cpp's authors recommend."""


@dataclass(frozen=True, slots=True)
class HubFile:
    path: str
    size: int
    sha256: str
    """Published for what lies in Git LFS, weights always; empty for small text files."""


@dataclass(frozen=True, slots=True)
class HubRepo:
    """A repository at one commit."""

    repo: str
    commit: str
    licence_tag: str
    files: tuple[HubFile, ...]


def endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or DEFAULT_ENDPOINT


def token() -> str:
    """The user's hub token (HF_TOKEN, or as `hf auth login` left it); empty for none."""
    from huggingface_hub import get_token

    return os.environ.get("HF_TOKEN", "").strip() or get_token() or ""


def require_online(what: str) -> None:
    """Raises DownloadError when the user has switched the hub off."""
    if os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "ON", "YES", "TRUE"}:
        raise DownloadError(
            f"{what} cannot be pulled: HF_HUB_OFFLINE is set. Unset it, or use `midfill model import FILE`."
        )


def look_up(repo: str, revision: str, patience: Patience) -> HubRepo:
    """Ask the hub which commit `revision` is, and for the files and digests in it.

    Raises UnknownModel (no such repository or revision), DownloadError (network, access).
    """
    require_online(repo)
    info = _ask(repo, revision, patience)
    if not info.sha:
        raise DownloadError(f"{shown_url(endpoint())} did not say which commit of {repo} it has.")
    return HubRepo(repo, info.sha, _licence_tag(info), tuple(_hub_file(s) for s in info.siblings or ()))


def _ask(repo: str, revision: str, patience: Patience) -> Any:
    """The hub's `ModelInfo`; its many ways to fail, as ours."""
    import httpx2
    from huggingface_hub import HfApi, errors

    asked = endpoint()
    where = shown_url(asked)
    with make_client(patience):
        pass  # it says what is wrong with a proxy; the hub's own client reads the same environment
    try:
        api = HfApi(endpoint=asked, token=token() or False, user_agent="midfill")
        return api.model_info(
            repo, revision=revision or "main", files_metadata=True, timeout=patience.connect_s
        )
    except errors.GatedRepoError as error:
        raise DownloadError(
            f"{repo} asks you to accept its licence: do so at {where}/{repo}, then set HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UnknownModel(
            f"{repo} has no revision {revision!r} at {where}: it is misspelt, or was taken away. "
            f"`midfill model pull {repo}` gets what is there now."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise UnknownModel(_no_such(repo, where)) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 404):  # a mirror, that does not say so as the hub does
            raise UnknownModel(_no_such(repo, where, revision)) from error
        raise DownloadError(
            f"{where} could not say what is in {repo} (status {status}): try again."
        ) from error
    except httpx2.InvalidURL as error:
        raise DownloadError(f"HF_ENDPOINT is not a URL: {where}. Correct or unset it.") from error
    except (httpx2.HTTPError, OSError, ValueError) as error:
        raise DownloadError(
            f"{where} cannot be reached ({_first_line(error)}): is there a network? Try again, "
            "set HF_ENDPOINT to a mirror, or get the file elsewhere and use `midfill model import FILE`."
        ) from error


def wanted_files(found: HubRepo, file: str) -> tuple[HubFile, ...]:
    """The files of a model to pull: its weights in one form, its configuration, tokenizer and licence.

    `file` names one GGUF file; empty takes the safetensors, or the GGUF where there are none.
    Raises UnsafeWeights when all weights are pickles, UnknownModel when there are none or too many.
    """
    kept = [entry for entry in found.files if is_kept(entry.path)]
    legal = [entry for entry in kept if is_legal_text(entry.path)]
    tensors = [entry for entry in kept if entry.path.lower().endswith(".safetensors")]
    if file or not tensors:
        return (_gguf(found, kept, file), *legal)
    names = {entry.path for entry in kept}
    if INDEX in names:
        tensors = [entry for entry in tensors if _SHARD.fullmatch(entry.path)]
    elif "model.safetensors" in names:
        tensors = [entry for entry in tensors if entry.path == "model.safetensors"]
    others = [entry for entry in kept if not entry.path.lower().endswith((".safetensors", ".gguf"))]
    return (*tensors, *others)


def _gguf(found: HubRepo, kept: list[HubFile], file: str) -> HubFile:
    ggufs = [entry for entry in kept if entry.path.lower().endswith(".gguf")]
    fitting = [entry for entry in ggufs if entry.path == file] if file else ggufs
    if len(fitting) > 1:
        fitting = [entry for entry in ggufs if _FAVOURITE.search(entry.path)]
    if len(fitting) == 1:
        return fitting[0]
    if ggufs:
        choice = ", ".join(entry.path for entry in ggufs)
        raise UnknownModel(
            f"{found.repo} has several GGUF files: name one as {found.repo}/FILE, of {choice}."
        )
    if any(entry.path.lower().endswith(PICKLE_SUFFIXES) for entry in found.files):
        raise UnsafeWeights(
            f"{found.repo} has only pickle weights, and loading those can run any code that is in them: "
            "Midfill loads safetensors and GGUF only."
        )
    raise UnknownModel(f"{found.repo} holds no weights that Midfill can load: no safetensors and no GGUF.")


def remote_file(found: HubRepo, file: HubFile) -> RemoteFile:
    """Where to fetch `file`: at the commit, never at a branch that may move meanwhile."""
    url = f"{endpoint()}/{found.repo}/resolve/{found.commit}/{quote(file.path)}"
    return RemoteFile(url, file.size, file.sha256, token())


def entry_for(found: HubRepo, files: tuple[HubFile, ...]) -> CatalogueEntry:
    """A catalogue entry for a repository that the catalogue does not have, from what the hub says."""
    licence, open_source = from_hub_tag(found.licence_tag)
    file = next((entry.path for entry in files if entry.path.lower().endswith(".gguf")), "")
    return CatalogueEntry(
        name=name_from(file.removesuffix(".gguf") if file else found.repo.partition("/")[2]),
        repo=found.repo,
        file=file,
        revision=found.commit,
        size_bytes=sum(entry.size for entry in files),
        sha256=next((entry.sha256 for entry in files if entry.path == file), ""),
        licence=licence,
        open_source=open_source,
        commercial_use=open_source,
        family="",
        parameters=0,
        note="" if open_source else "Midfill does not know this licence: read it on the model's page.",
    )


def _licence_tag(info: Any) -> str:
    card = getattr(info, "card_data", None)
    tag = getattr(card, "license", None) or next(
        (tag.partition(":")[2] for tag in info.tags or () if tag.startswith("license:")), ""
    )
    name = getattr(card, "license_name", None)
    return str(name if tag == "other" and name else tag)


def _hub_file(sibling: Any) -> HubFile:
    lfs = sibling.lfs
    return HubFile(
        sibling.rfilename, int(lfs.size if lfs else sibling.size or 0), lfs.sha256 if lfs else ""
    )


def _no_such(repo: str, where: str, revision: str = "") -> str:
    or_not_that = f", or it has no revision {revision!r}" if revision else ""
    return f"There is no model {repo} at {where}{or_not_that}, or it is private: then set HF_TOKEN."


def _first_line(error: Exception) -> str:
    return without_passwords(str(error).strip().partition("\n")[0]) or type(error).__name__
