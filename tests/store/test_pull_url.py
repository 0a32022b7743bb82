from collections.abc import Callable

import pytest

from midfill.model.errors import DamagedModel, ModelError, UnknownModel
from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.local import LocalModel
from midfill.model.store.plan import plan_url
from midfill.model.store.store import Store
from tests.store.making import gguf_bytes, sha256
from tests.store.serving import FileServer

Get = Callable[..., LocalModel]


def test_a_url_of_a_gguf_file_is_pulled_and_recorded_without_its_secrets(
    server: FileServer, store: Store, get: Get, asked: list[CatalogueEntry]
) -> None:
    server.files["/files/My%20Model.gguf"] = gguf_bytes()
    model = get(f"{server.url}/files/My%20Model.gguf?sig=secret")
    assert (model.name, model.sha256) == ("my-model", sha256(gguf_bytes()))
    assert "secret" not in (model.path.parent / "manifest.json").read_text()
    assert [entry.licence for entry in asked] == ["unknown"]
    assert get(f"{server.url}/files/My%20Model.gguf?sig=other") == model
    assert len(server.requests) == 1


def test_a_url_may_say_its_digest(server: FileServer, store: Store, get: Get) -> None:
    server.files["/m.gguf"] = gguf_bytes()
    with pytest.raises(DamagedModel, match="wrong digest"):
        get(f"{server.url}/m.gguf#sha256={'0' * 64}")
    assert get(f"{server.url}/m.gguf#sha256={sha256(gguf_bytes())}").name == "m"


def test_a_digest_that_what_is_installed_does_not_have_is_never_called_installed(
    server: FileServer, store: Store, get: Get
) -> None:
    server.files["/m.gguf"] = gguf_bytes()
    model = get(f"{server.url}/m.gguf")
    assert get(f"{server.url}/m.gguf#sha256={sha256(gguf_bytes())}") == model
    with pytest.raises(
        ModelError, match="with another digest: remove it first, with `midfill model remove m"
    ):
        get(f"{server.url}/m.gguf#sha256={'0' * 64}")
    assert len(server.requests) == 1
    assert store.find("m") == model


def test_a_digest_counts_whatever_its_case(server: FileServer, store: Store, get: Get) -> None:
    server.files["/m.gguf"] = gguf_bytes()
    with pytest.raises(DamagedModel, match="wrong digest"):
        get(f"{server.url}/m.gguf#SHA256={'0' * 64}")
    assert get(f"{server.url}/m.gguf#Sha256={sha256(gguf_bytes()).upper()}").name == "m"


@pytest.mark.parametrize("fragment", ["md5=" + "0" * 32, "sha256=abc", "sha256=", "0" * 64, "files"])
def test_a_fragment_that_names_no_sha256_is_refused(server: FileServer, get: Get, fragment: str) -> None:
    with pytest.raises(UnknownModel, match=r"What follows # .*/m\.gguf is not understood: only #sha256="):
        get(f"{server.url}/m.gguf?sig=secret#{fragment}")
    assert server.requests == []


def test_another_query_is_another_file_unless_it_only_lends_it(
    server: FileServer, store: Store, get: Get
) -> None:
    server.files["/m.gguf"] = gguf_bytes()
    model = get(f"{server.url}/m.gguf?v=1&X-Amz-Signature=secret")
    assert get(f"{server.url}/m.gguf?X-Amz-Signature=other&v=1") == model
    assert len(server.requests) == 1
    for other in ("?v=2", "?v=1&w", ""):
        with pytest.raises(ModelError, match="with another query: remove it first"):
            get(f"{server.url}/m.gguf{other}")
    assert "v=1" not in (model.path.parent / "manifest.json").read_text()


def test_what_is_left_of_one_query_is_no_part_of_another() -> None:
    first, second = plan_url("https://h/m.gguf?v=1"), plan_url("https://h/m.gguf?v=2")
    assert first.key != second.key
    assert first.key == plan_url("https://h/m.gguf?v=1&token=x").key


def test_known_bytes_from_any_url_get_their_known_name(
    server: FileServer, tiny: CatalogueEntry, store: Store, get: Get
) -> None:
    server.files["/copy.gguf"] = gguf_bytes()
    assert get(f"{server.url}/copy.gguf").name == tiny.name
    assert store.manifest(tiny.name).licence == "Apache-2.0"
    assert store.names() == [tiny.name]


def test_bytes_that_are_installed_under_their_known_name_leave_no_second_copy(
    server: FileServer, tiny: CatalogueEntry, store: Store, get: Get
) -> None:
    server.files["/one.gguf"] = server.files["/two.gguf"] = gguf_bytes()
    assert get(f"{server.url}/one.gguf") == get(f"{server.url}/two.gguf")
    assert store.names() == [tiny.name]
    assert list((store.root / "partial").iterdir()) == []


def test_other_bytes_may_not_come_under_a_known_name(
    server: FileServer, tiny: CatalogueEntry, store: Store, get: Get
) -> None:
    server.files["/tiny-instruct.gguf"] = gguf_bytes(5.0)
    with pytest.raises(DamagedModel, match="though it is called so"):
        get(f"{server.url}/tiny-instruct.gguf")
    assert store.names() == []


def test_a_page_in_place_of_a_file_is_refused(server: FileServer, store: Store, get: Get) -> None:
    server.files["/m.gguf"] = b"<!doctype html>Please sign in"
    with pytest.raises(DamagedModel, match="not a GGUF file"):
        get(f"{server.url}/m.gguf")
    assert store.names() == []
    with pytest.raises(UnknownModel, match="is not the URL of"):
        get(f"{server.url}/page.html")
