"""What people have in their environment, and mistype: each ends in a sentence, none in a traceback."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.model.errors import DamagedModel, DownloadError, ModelError, UnknownModel
from midfill.model.store.catalogue import by_name
from midfill.model.store.download import Patience
from midfill.model.store.hub import look_up
from midfill.model.store.local import LocalModel
from midfill.model.store.plan import describe
from midfill.model.store.store import Store
from midfill.model.store.transfer import export_model, import_model
from midfill.model.store.urls import without_passwords
from tests.store.making import gguf_bytes, repo_files
from tests.store.serving import Fault, FileServer

Get = Callable[..., LocalModel]

PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
NOBODY = Path("~nobody-has-this-name/a.gguf")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def specs(hub: FileServer) -> tuple[str, str]:
    """What comes from a URL, and what from the hub."""
    hub.files["/m.gguf"] = gguf_bytes()
    hub.add_repo("o/r", repo_files())
    return f"{hub.url}/m.gguf", "o/r"


@pytest.mark.parametrize("variable", PROXIES)
@pytest.mark.parametrize(
    "proxy", ["socks://u:s3cret@127.0.0.1:1080", "http://u:s3cret@proxy:port", "ftp://p"]
)
def test_a_proxy_that_cannot_be_used_is_one_sentence_without_its_password(
    specs: tuple[str, str], get: Get, monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    for spec in specs:
        with pytest.raises(DownloadError, match=rf"{variable}.* cannot be used: .*socks5://") as raised:
            get(spec)
        assert "s3cret" not in str(raised.value)


def test_a_socks_proxy_without_the_package_for_it_names_the_package(
    specs: tuple[str, str], get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setitem(sys.modules, "socksio", None)
    for spec in specs:
        with pytest.raises(DownloadError, match="install socksio"):
            get(spec)


@pytest.mark.parametrize(
    "url",
    [
        "https://host:abc/x.gguf",
        "http://[::1/x.gguf",
        "https:///x.gguf",
        "https://u:s3cret@host:abc/x.gguf?sig=s3cret#s3cret",
        "https://u:half/s3cret@host/x.gguf",
        "https://h\x00st/x.gguf",
    ],
)
def test_a_mistyped_url_is_one_sentence_without_its_secrets(get: Get, url: str) -> None:
    with pytest.raises(UnknownModel, match="is not a URL: look at its host and port") as raised:
        get(url)
    assert "s3cret" not in str(raised.value)


def test_a_mistyped_endpoint_is_named_as_such(patience: Patience, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://u:s3cret@host:abc")
    with pytest.raises(DownloadError, match="HF_ENDPOINT is not a URL: http://host:abc") as raised:
        look_up("o/r", "main", patience)
    assert "s3cret" not in str(raised.value)


def test_the_home_of_nobody_is_one_sentence(store: Store, get: Get, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf_bytes())
    import_model(store, tmp_path / "m.gguf")
    tries: list[Callable[[], object]] = [
        lambda: import_model(store, NOBODY),
        lambda: export_model(store, "m", NOBODY),
        lambda: store.find(str(NOBODY)),
        lambda: get(str(NOBODY)),
    ]
    for attempt in tries:
        with pytest.raises(ModelError, match="nobody has a home folder ~nobody-has-this-name"):
            attempt()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=403, error_code="GatedRepo"),
        Fault(status=404, error_code="RevisionNotFound"),
        Fault(status=404, error_code="RepoNotFound"),
        Fault(status=404),
        Fault(status=500),
        Fault(drop_after=5),
    ],
)
def test_the_password_of_an_endpoint_is_used_and_never_said(
    hub: FileServer, patience: Patience, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    hub.add_repo("o/r", repo_files())
    monkeypatch.setenv("HF_ENDPOINT", hub.url.replace("//", "//user:s3cret@"))
    hub.faults["/api/models/o/r/revision/main"] = [fault]
    with pytest.raises(ModelError, match=hub.url) as raised:
        look_up("o/r", "main", patience)
    assert "s3cret" not in str(raised.value)
    assert look_up("o/r", "main", patience).commit
    assert all("authorization" in request.headers for request in hub.requests)


def test_the_password_of_an_endpoint_that_is_not_there_is_never_said(
    patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    for endpoint in ("http://user:s3cret@127.0.0.1:9", "ftp://user:s3cret@127.0.0.1"):
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        with pytest.raises(DownloadError, match=r"127\.0\.0\.1") as raised:
            look_up("o/r", "main", patience)
        assert "s3cret" not in str(raised.value)


def test_the_password_of_an_endpoint_is_not_in_what_a_user_is_asked_or_refused(
    tiny_hub: FileServer, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", tiny_hub.url.replace("//", "//user:s3cret@"))
    entry = by_name("codellama-7b")
    assert entry is not None
    assert f"Read it at {tiny_hub.url}/codellama/CodeLlama-7b-hf" in describe(entry)
    tiny_hub.add_repo("Tiny/Tiny-Instruct-GGUF", {"tiny-instruct-q4_k_m.gguf": gguf_bytes(3.0)})
    with pytest.raises(DamagedModel, match="its digest is not the known one") as raised:
        get("tiny-instruct")
    assert "s3cret" not in str(raised.value)


def test_a_message_that_quotes_a_url_loses_its_password() -> None:
    said = "Client error '401' for url 'http://u:s3cret@host/a?b' and 'see https://host/~me@work'"
    assert without_passwords(said) == said.replace("u:s3cret@", "")
