from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from midfill.model.store import catalogue
from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.download import Patience
from midfill.model.store.local import LocalModel
from midfill.model.store.meter import ignore
from midfill.model.store.pull import pull
from midfill.model.store.store import Store
from tests.store.making import gguf_bytes, sha256
from tests.store.serving import FileServer


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's own hub settings, caches or proxies decide a test."""
    for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("MIDFILL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "root")


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "Model V1.gguf"
    path.write_bytes(gguf_bytes())
    return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Store:
    return Store(tmp_path / "another machine")


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    stop = server.start()
    yield server
    stop()


@pytest.fixture
def hub(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """The server, in the place of the Hugging Face hub."""
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    return server


@pytest.fixture
def waits() -> list[float]:
    """The seconds that a download would have waited."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    return Patience(connect_s=5, read_s=5, wait=waits.append)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """A catalogue entry for a GGUF file that is small enough to make: `making.gguf_bytes()`."""
    content = gguf_bytes()
    entry = CatalogueEntry(
        name="tiny-instruct",
        repo="Tiny/Tiny-Instruct-GGUF",
        file="tiny-instruct-q4_k_m.gguf",
        revision="main",
        size_bytes=len(content),
        sha256=sha256(content),
        licence="Apache-2.0",
        open_source=True,
        commercial_use=True,
        family="tiny",
        parameters=64,
    )
    monkeypatch.setitem(catalogue._BY_NAME, entry.name, entry)
    monkeypatch.setitem(catalogue._BY_REPO, entry.repo.lower(), entry)
    monkeypatch.setitem(catalogue._BY_DIGEST, entry.sha256, entry)
    return entry


@pytest.fixture
def asked() -> list[CatalogueEntry]:
    return []


@pytest.fixture
def get(store: Store, patience: Patience, asked: list[CatalogueEntry]) -> Callable[..., LocalModel]:
    """`pull` into the store, with every licence accepted and noted in `asked`."""

    def accept(entry: CatalogueEntry) -> bool:
        asked.append(entry)
        return True

    def get(spec: str, report: Any = ignore, accept_licence: Any = accept) -> LocalModel:
        return pull(store, spec, report=report, accept_licence=accept_licence, patience=patience)

    return get


@pytest.fixture
def tiny_hub(hub: FileServer, tiny: CatalogueEntry) -> FileServer:
    hub.add_repo(tiny.repo, {tiny.file: gguf_bytes(), "LICENSE": b"Apache", "config.json": b"{}"})
    return hub
