"""What is generated from the settings: never stale, and true to what the server takes."""

import json

import pytest

from midfill.server.client_settings import parse
from midfill.server.settings import RESTRICTED
from tools import write_settings
from tools.write_settings import WRITTEN, documented, properties, stale

PACKAGE = json.loads((write_settings.ROOT / "editors/vscode/package.json").read_text(encoding="utf-8"))


def test_nothing_that_is_generated_is_stale():
    assert stale() == [], "run `make fix`"


def test_a_changed_setting_makes_every_file_stale(monkeypatch):
    changed = documented() | {"model": write_settings.Option("model", "Another meaning of it.", str)}
    monkeypatch.setattr(write_settings, "documented", lambda: changed)
    assert stale() == [*WRITTEN]


def test_vs_code_is_told_of_every_setting_and_of_no_hidden_one():
    own, generated = PACKAGE["contributes"]["configuration"]
    assert [*generated["properties"]] == [f"midfill.{name}" for name in documented()]
    assert not any(name.startswith("midfill.scripted") for name in generated["properties"])
    assert not own["properties"].keys() & generated["properties"].keys()
    assert all(field["scope"] for field in generated["properties"].values())


def test_an_untrusted_workspace_may_set_nothing_that_is_run_or_read():
    untrusted = PACKAGE["capabilities"]["untrustedWorkspaces"]
    assert untrusted["supported"] == "limited"
    assert {"testPython", "model", "instructModel", "safetyModel"} <= {*RESTRICTED}
    assert {"midfill.server.path", *(f"midfill.{name}" for name in RESTRICTED)} == {
        *untrusted["restrictedConfigurations"]
    }


@pytest.mark.parametrize("name", documented())
def test_a_schema_takes_the_values_that_the_server_takes(name):
    schema = properties("description")[name]
    parts = schema.get("anyOf", [schema])
    assert parse({name: schema["default"]}).problems == ()
    for part in parts:
        for choice in part.get("enum", ()):
            assert parse({name: choice}).problems == ()
        for limit, step in (("minimum", -1), ("maximum", 1)):
            if limit in part:
                assert parse({name: part[limit]}).problems == ()
                assert parse({name: part[limit] + step}).problems != ()
    if all("enum" in part for part in parts):
        assert parse({name: "none of these"}).problems != ()
