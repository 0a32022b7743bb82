"""Settings as clients send them: at initialize, pulled, pushed, bare, wrapped, wrong."""

import pytest

from tests.e2e.conftest import SCRIPTED
from tests.session import Session

URI = "file:///w/a.py"


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "wrapped"])
def test_settings_come_bare_or_wrapped(session: Session, wrapped: bool) -> None:
    session.initialize({"midfill": SCRIPTED} if wrapped else SCRIPTED)
    assert session.wait_ready()["model"] == "scripted"


def test_settings_are_pulled_and_a_null_leaves_those_of_initialize(session: Session) -> None:
    session.settings = None
    session.initialize(SCRIPTED)
    assert session.wait_ready()["model"] == "scripted"


def test_pulled_settings_win_over_those_of_initialize(session: Session) -> None:
    session.settings = {"scriptedText": "pulled"}
    session.initialize(SCRIPTED)
    session.wait_ready()
    session.open(URI, "x = ")
    item = session.complete(URI, 0, 4)
    assert item is not None
    assert item["insertText"] == "pulled"


def test_a_changed_setting_reloads_the_model_without_a_restart(session: Session) -> None:
    session.initialize(SCRIPTED, capabilities={})
    session.wait_ready()
    changed = {"midfill": {"scriptedText": "changed"}}
    session.notify("workspace/didChangeConfiguration", {"settings": changed})
    session.wait_ready()
    session.open(URI, "x = ")
    item = session.complete(URI, 0, 4)
    assert item is not None
    assert item["insertText"] == "changed"


def test_bad_settings_fall_back_with_one_message_that_names_the_keys(session: Session) -> None:
    session.initialize({**SCRIPTED, "maxNewTokens": "many", "device": 7, "languages": "python"})
    assert session.wait_ready()["state"] == "ready"
    (message,) = [m["params"]["message"] for m in session.inbox if m.get("method") == "window/showMessage"]
    assert "midfill.maxNewTokens" in message
    assert "midfill.device" in message
    assert "midfill.languages" in message


@pytest.mark.parametrize("options", [42, "scripted", [1], {"midfill": 7}])
def test_settings_that_are_no_object_are_survived(session: Session, options: object) -> None:
    session.settings = SCRIPTED
    session.initialize(options)
    assert session.wait_ready()["state"] == "ready"


def test_a_pushed_section_that_is_no_object_is_said(session: Session) -> None:
    session.initialize(SCRIPTED, capabilities={})
    session.wait_ready()
    session.notify("workspace/didChangeConfiguration", {"settings": {"midfill": 5}})
    said = session.wait_for(lambda m: m.get("method") == "window/showMessage")["params"]["message"]
    assert "expected an object" in said


def test_a_client_that_wants_to_be_asked_is_asked_for_changed_settings(session: Session) -> None:
    changes = {"workspace": {"didChangeConfiguration": {"dynamicRegistration": True}}}
    session.initialize(SCRIPTED, capabilities=changes)
    asked = session.wait_for(lambda m: m.get("method") == "client/registerCapability")["params"]
    assert asked["registrations"][0]["method"] == "workspace/didChangeConfiguration"


@pytest.mark.parametrize("wild", [10**400, -1, 1e300])
def test_numbers_beyond_reason_fall_back(session: Session, wild: float) -> None:
    session.initialize({**SCRIPTED, "threads": wild, "scriptedStepMs": wild, "debounceMs": wild})
    assert session.wait_ready()["state"] == "ready"


def test_a_pattern_that_begins_with_a_slash_begins_at_the_clients_folder(session: Session) -> None:
    folders = [{"uri": "file:///w", "name": "w"}]
    session.initialize({**SCRIPTED, "exclude": ["/secrets"]}, workspaceFolders=folders)
    session.wait_ready()
    for name, answered in (("secrets/a.py", False), ("src/secrets/a.py", True)):
        session.open(f"file:///w/{name}", "x = ")
        assert (session.complete(f"file:///w/{name}", 0, 4) is not None) is answered


def test_a_pattern_that_cannot_be_read_is_said_and_the_others_hold(session: Session) -> None:
    session.initialize({**SCRIPTED, "exclude": ["*.{pem", "b.py"]})
    message = session.wait_for(lambda m: m.get("method") == "window/showMessage")["params"]["message"]
    assert "midfill.exclude" in message
    assert "*.{pem" in message
    session.wait_ready()
    session.open("file:///w/b.py", "x = ")
    assert session.complete("file:///w/b.py", 0, 4) is None
