from pathlib import Path
from typing import Any

import pytest

from midfill.model.api import LoadProgress
from midfill.model.errors import DamagedModel, DownloadError
from midfill.model.store.client import make_client
from midfill.model.store.download import Patience, RemoteFile, fetch
from midfill.model.store.meter import Meter, ignore
from tests.store.making import sha256
from tests.store.serving import Fault, FileServer

CONTENT = bytes(range(256)) * 12_000  # 3 MB: three blocks
HALF = len(CONTENT) // 2


class StoppedError(Exception):
    pass


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "m.gguf"


@pytest.fixture
def remote(server: FileServer) -> RemoteFile:
    server.files["/m.gguf"] = CONTENT
    return RemoteFile(f"{server.url}/m.gguf", len(CONTENT), sha256(CONTENT))


def get(remote: RemoteFile, target: Path, patience: Patience, report: Any = ignore) -> str:
    with make_client(patience) as client:
        return fetch(client, remote, target, Meter(report, "m", remote.size), patience)


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir()) if target.parent.exists() else []


def stop_after(stage: str, size: int) -> Any:
    def report(progress: LoadProgress) -> None:
        if progress.stage == stage and (progress.fraction or 0) * len(CONTENT) >= size:
            raise StoppedError

    return report


def test_a_file_arrives_whole_and_nothing_else_is_left(
    remote: RemoteFile, target: Path, patience: Patience
) -> None:
    seen: list[LoadProgress] = []
    assert get(remote, target, patience, seen.append) == sha256(CONTENT)
    assert target.read_bytes() == CONTENT
    assert left_over(target) == ["m.gguf"]
    for stage in ("download", "verify"):
        fractions = [progress.fraction for progress in seen if progress.stage == stage]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
    assert seen[-1].message == "Checking m: 3 MB of 3 MB"


def test_a_dropped_connection_is_resumed_and_only_the_rest_is_sent_again(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience, waits: list[float]
) -> None:
    server.faults["/m.gguf"] = [Fault(drop_after=HALF)]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    _, second = server.requests
    begun = int(second.headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < begun <= HALF
    assert second.headers["if-range"].startswith('"')
    assert second.sent == len(CONTENT) - begun
    assert waits == [1.0]


def test_a_stopped_download_leaves_no_file_and_goes_on_from_there(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    with pytest.raises(StoppedError):
        get(remote, target, patience, stop_after("download", HALF))
    assert left_over(target) == ["m.gguf.part", "m.gguf.part.json"]
    begun = (target.parent / "m.gguf.part").stat().st_size
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    assert server.requests[1].headers["range"] == f"bytes={begun}-"
    assert server.requests[1].sent == len(CONTENT) - begun


def test_a_whole_part_that_was_never_checked_needs_no_request(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    with pytest.raises(StoppedError):
        get(remote, target, patience, stop_after("verify", 0))
    assert left_over(target) == ["m.gguf.part", "m.gguf.part.json"]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_server_that_ignores_ranges_makes_it_start_again(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.faults["/m.gguf"] = [Fault(drop_after=HALF), Fault(ignore_range=True)]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    assert server.requests[1].sent == len(CONTENT)


def test_a_file_that_changed_between_two_tries_is_fetched_anew(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    unknown = RemoteFile(remote.url)
    with pytest.raises(StoppedError):
        get(unknown, target, patience, stop_after("download", 0))
    changed = CONTENT[::-1]
    server.files["/m.gguf"] = changed
    get(unknown, target, patience)
    assert target.read_bytes() == changed


def test_without_etag_and_digest_nothing_is_resumed(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.etags = False
    server.faults["/m.gguf"] = [Fault(drop_after=HALF)]
    get(RemoteFile(remote.url), target, patience)
    assert target.read_bytes() == CONTENT
    assert "range" not in server.requests[1].headers


def test_without_etag_a_digest_is_enough_to_resume(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.etags = False
    server.faults["/m.gguf"] = [Fault(drop_after=HALF)]
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT
    assert "range" in server.requests[1].headers


def test_a_wrong_digest_is_refused_and_its_part_deleted(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.files["/m.gguf"] = CONTENT[:-1] + b"!"
    with pytest.raises(DamagedModel, match="wrong digest"):
        get(remote, target, patience)
    assert left_over(target) == []


def test_a_part_with_wrong_bytes_never_becomes_the_file(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    server.etags = False
    with pytest.raises(StoppedError):
        get(remote, target, patience, stop_after("download", HALF))
    part = target.parent / "m.gguf.part"
    part.write_bytes(b"?" * part.stat().st_size)
    with pytest.raises(DamagedModel):
        get(remote, target, patience)
    assert left_over(target) == []
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(
    remote: RemoteFile, target: Path, patience: Patience
) -> None:
    with pytest.raises(StoppedError):
        get(remote, target, patience, stop_after("download", HALF))
    (target.parent / "m.gguf.part").write_bytes(CONTENT + b"more")
    get(remote, target, patience)
    assert target.read_bytes() == CONTENT


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(
    server: FileServer, remote: RemoteFile, target: Path, patience: Patience
) -> None:
    hub = FileServer()
    stop = hub.start()
    hub.redirects["/x"] = remote.url
    get(RemoteFile(f"{hub.url}/x", token="secret"), target, patience)
    stop()
    assert hub.requests[0].headers["authorization"] == "Bearer secret"
    assert "authorization" not in server.requests[0].headers


def test_secrets_in_a_url_are_in_no_message(server: FileServer, target: Path, patience: Patience) -> None:
    url = server.url.replace("http://", "http://me:pass@") + "/none.gguf?sig=hidden"
    with pytest.raises(DownloadError) as caught:
        get(RemoteFile(url), target, patience)
    assert "none.gguf" in str(caught.value)
    assert not {"pass", "hidden"} & set(
        str(caught.value).replace("=", " ").replace("@", " ").replace(":", " ").split()
    )
