"""Whether generated tests are run: asked once, kept or not, given, withdrawn; nothing without a fence."""

import pytest

from midfill.server.actions.unit_tests.permission import ALWAYS, NEVER, SESSION
from tests.e2e.project import ANSWERS, AT_DOUBLE, AT_HALF, CODE, Project, answer, project
from tests.messages import Message
from tests.session import Session
from tests.unit.fenced import sandbox

__all__ = ["project", "sandbox"]


def test_without_consent_nothing_is_run_and_the_question_comes_once(project, sandbox, tmp_path):
    (project.root / "twice.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{CODE}")
    answer(project, NEVER)
    project.begin()
    for place in (1, 5):
        at = {"line": place, "character": 6}
        project.choose({"start": at, "end": at})
        assert "none was run: running tests is not allowed here" in project.told()
    assert project.asked() == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("title", [SESSION, ALWAYS])
def test_consent_for_the_session_ends_with_it(project, sandbox, tmp_path, title):
    answer(project, title)
    project.begin()
    for place in (AT_DOUBLE, AT_HALF):
        project.choose(place)
        assert "passes" in project.told()
    assert project.asked() == 1
    assert (tmp_path / "state/run-tests.json").exists() == (title == ALWAYS)


def test_a_client_without_questions_gets_tests_that_were_not_run(project, sandbox):
    project.begin()  # its answer is null
    project.choose()
    assert "none was run" in project.told()


def test_the_command_gives_and_withdraws_consent(project, sandbox):
    project.begin(scriptedAnswers=ANSWERS[:1])
    root = project.root.as_uri()
    assert project.command("midfill.consentTests")["result"] == [{"workspace": root, "given": False}]
    assert project.command("midfill.consentTests", "give")["result"] == [{"workspace": root, "given": True}]
    project.choose()
    assert "1 of 2 tests passes" in project.told()
    (state,) = project.command("midfill.consentTests", root, "withdraw")["result"]
    assert state == {"workspace": root, "given": False}
    project.choose()
    assert "none was run" in project.told()
    assert project.asked() == 0


def test_what_runs_when_consent_is_withdrawn_ends(project, sandbox):
    answer(project, SESSION)
    project.begin(scriptedStepMs=20)
    project.choose()
    token = project.token()
    project.progress(token, "writing tests")
    project.command("midfill.consentTests", "withdraw")
    project.progress(token, "cancelled")


@pytest.mark.parametrize("arguments", [["maybe"], ["https://w/a", "give"], [1, 2, "give"]])
def test_nonsense_consents_to_nothing(project, arguments):
    project.begin()
    assert project.command("midfill.consentTests", *arguments)["error"]["code"] == -32602


def test_a_cancel_while_the_question_is_open_leaves_the_question(project, sandbox):
    project.session.answers["window/showMessageRequest"] = None
    session = project.session
    held: list[Message] = []
    reply = session._answer
    session._answer = lambda m: held.append(m) if "Request" in m["method"] else reply(m)  # type: ignore[method-assign]
    project.begin()
    project.choose()
    token = project.token()
    project.wait("window/showMessageRequest")
    session.notify("window/workDoneProgress/cancel", {"token": token})
    project.progress(token, "cancelled")
    session.send({"id": held[0]["id"], "result": {"title": SESSION}})
    project.choose()
    assert "1 of 2 tests passes" in project.told()
    assert len(held) == 1


def test_without_bubblewrap_nothing_is_run_and_nothing_asked(tmp_path, project):
    without = Session.start(env={"PATH": str(tmp_path), "MIDFILL_STATE_DIR": str(tmp_path / "state")})
    other = Project(project.root, without).begin()
    other.choose()
    said = other.told()
    without.kill()
    assert "none was run: code is run only behind bubblewrap" in said
    assert other.asked() == 0
