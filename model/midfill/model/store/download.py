"""The one downloader: a URL to a file, resumed, checked and moved into place whole.

Bytes go to `TARGET.part`, with `TARGET.part.json` beside it saying which URL and ETag they are of; only a
file of the right length and digest is renamed to TARGET. Knows nothing of models or hubs.
"""

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from midfill.model.errors import DamagedModel, DownloadError
from midfill.model.store.files import (
    disk_full_named,
    human_size,
    require_room,
    sha256_of,
    write_json,
)
from midfill.model.store.meter import Meter
from midfill.model.store.urls import shown_url, without_passwords

_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_MAX_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try. `wait` sleeps for some seconds; tests give one that does not."""

    connect_s: float = 10.0
    read_s: float = 60.0
    """Without one byte for so long the connection counts as lost."""
    tries: int = 5
    """In a row without getting any further. A guess: with the waits below about 15 s."""
    connect_tries: int = 2
    """Of them, where not even a connection is had: mostly there is no network, and no use in waiting."""
    first_wait_s: float = 1.0
    """Doubled after every try."""
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to fetch, and what is known of it."""

    url: str
    size: int = 0
    """Bytes; 0 when not known."""
    sha256: str = ""
    token: str = field(default="", repr=False)
    """Bearer token, sent to the URL's own host only."""


class _TryAgainError(Exception):
    """The server had a bad moment, or the body ended early."""


def fetch(client: httpx2.Client, remote: RemoteFile, target: Path, meter: Meter, patience: Patience) -> str:
    """Bring `remote` to `target` and return its sha256. What `meter` raises leaves the part for a resume.

    Raises DownloadError (network, disk full, not there) and DamagedModel (wrong length or digest, and
    then the part is deleted).
    """
    part = _Part(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    failed, furthest = 0, part.size()
    while True:
        try:
            _receive(client, remote, part, meter)
            break
        except (httpx2.TransportError, _TryAgainError) as error:
            failed = 1 if part.size() > furthest else failed + 1
            furthest = max(furthest, part.size())
            unconnected = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
            if failed >= (min(patience.tries, patience.connect_tries) if unconnected else patience.tries):
                raise DownloadError(_network_reason(error, remote.url, unconnected)) from error
            patience.wait(min(_MAX_WAIT_S, patience.first_wait_s * 2 ** (failed - 1)))
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise DownloadError(
                f"{shown_url(remote.url)} cannot be fetched: {without_passwords(str(error))}."
            ) from error
    digest = sha256_of(part.path, lambda done: meter.show("verify", done))
    if remote.sha256 and digest != remote.sha256.lower():
        part.discard()
        raise DamagedModel(
            f"{target.name} from {_host(remote.url)} has the wrong digest (sha256 {digest[:12]}… "
            f"instead of {remote.sha256[:12]}…): it is damaged or another file, and was deleted."
        )
    os.replace(part.path, target)
    part.note.unlink(missing_ok=True)
    return digest


class _Part:
    """The file that is not whole yet, and the note of what it is a part of."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def etag(self, remote: RemoteFile) -> str | None:
        """The strong ETag of the bytes here, "" when there was none; None: they must not be resumed."""
        try:
            known = json.loads(self.note.read_text(encoding="utf-8"))
            etag = str(known["etag"])
            # A digest says more than a URL: the hub's URLs hold a commit, and the file may be older.
            same = known["sha256"] == remote.sha256 and bool(remote.sha256 or known["url"] == remote.url)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # nothing is known of these bytes
        return etag if same and (etag or remote.sha256) else None

    def begin(self, remote: RemoteFile, etag: str) -> None:
        write_json(self.note, {"url": remote.url, "sha256": remote.sha256, "etag": etag})

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _receive(client: httpx2.Client, remote: RemoteFile, part: _Part, meter: Meter) -> None:
    """One request: append what is missing to the part, all of it if need be."""
    etag = part.etag(remote)
    have = part.size() if etag is not None else 0
    if remote.size and have == remote.size:
        return  # whole, but an earlier run ended before it was checked
    headers = {"Authorization": f"Bearer {remote.token}"} if remote.token else {}
    if have:
        headers["Range"] = f"bytes={have}-"
        if etag:
            headers["If-Range"] = etag
    with client.stream("GET", remote.url, headers=headers) as response:
        if response.status_code == 416 and have:
            if response.headers.get("Content-Range") == f"bytes */{have}" and not remote.size:
                return
            part.discard()
            raise _TryAgainError("the part did not fit the file on the server")
        _check_status(response, remote.url)
        start, total = _place(response, have, part)
        if remote.size and total and total != remote.size:
            part.discard()
            raise DamagedModel(
                f"{shown_url(remote.url)} has {total} bytes instead of {remote.size}: it is another file."
            )
        _write(response, remote, part, start, remote.size or total, meter)


def _check_status(response: httpx2.Response, url: str) -> None:
    status = response.status_code
    if status in _TRY_AGAIN:
        raise _TryAgainError(f"the server answered {status}")
    if status in (401, 403):
        raise DownloadError(
            f"{_host(url)} refuses {_file(url)} (status {status}): accept the model's licence on "
            "its page there, and set HF_TOKEN to your token."
        )
    if status in (404, 410):
        raise DownloadError(f"{shown_url(url)} does not exist.")
    if status not in (200, 206):
        raise DownloadError(f"{shown_url(url)} cannot be fetched: the server answered {status}.")


def _place(response: httpx2.Response, have: int, part: _Part) -> tuple[int, int]:
    """Where in the file this body starts, and how long the file is (0: not said)."""
    if response.status_code == 200:  # the server knows no ranges, or the file has changed
        return 0, int(response.headers.get("Content-Length", 0))
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not match or int(match[1]) != have:
        part.discard()
        raise _TryAgainError("the server sent another range than it was asked for")
    return have, 0 if match[2] == "*" else int(match[2])


def _write(
    response: httpx2.Response, remote: RemoteFile, part: _Part, start: int, total: int, meter: Meter
) -> None:
    require_room(part.path.parent, total - start)
    if not meter.total:
        meter.total = total
    etag = response.headers.get("ETag", "")
    done = start
    with disk_full_named(part.path, total, part.discard):
        part.begin(remote, "" if etag.startswith("W/") else etag)
        with part.path.open("ab" if start else "wb") as file:
            for block in response.iter_raw():  # asked for larger blocks it loses what came before a break
                file.write(block)
                done += len(block)
                meter.show("download", done)
            file.flush()
            os.fsync(file.fileno())
    if total and done < total:
        raise _TryAgainError(f"the connection ended after {human_size(done)} of {human_size(total)}")
    if total and done > total:
        part.discard()
        raise DamagedModel(f"{shown_url(remote.url)} sent more than the {total} bytes it should have.")


def _network_reason(error: Exception, url: str, unconnected: bool) -> str:
    said = without_passwords(str(error))
    if unconnected:
        return (
            f"{_host(url)} cannot be reached: there is no network, or it is blocked ({said}). Try again, "
            "set HF_ENDPOINT to a mirror, or get the file elsewhere and use `midfill model import FILE`."
        )
    return (
        f"The download of {_file(url)} from {_host(url)} broke off ({said or type(error).__name__}): "
        "pull again, it goes on from where it stopped."
    )


def _host(url: str) -> str:
    return httpx2.URL(url).host


def _file(url: str) -> str:
    return httpx2.URL(url).path.rpartition("/")[2]
