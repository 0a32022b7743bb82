"""`midfill.unitTests` over LSP: files made and added to, cancels, what cannot be written."""

import pytest

from midfill.server.actions.unit_tests.permission import NEVER, SESSION
from tests.e2e.project import AT_DOUBLE, AT_HALF, CODE, NEW, Project, answer, project, written
from tests.session import Session
from tests.unit.fenced import sandbox

__all__ = ["project", "sandbox"]


def test_it_is_offered_beside_the_docstring_and_named(project):
    project.begin()
    params = {"textDocument": {"uri": project.uri}, "range": AT_DOUBLE, "context": {"diagnostics": []}}
    titles = [found["title"] for found in project.session.call("textDocument/codeAction", params)["result"]]
    assert titles == [
        "Midfill: write the docstring of `double`",
        "Midfill: write unit tests for `double`",
    ]


def test_a_new_file_is_made_with_what_passes_and_the_failing_are_told(project, sandbox):
    answer(project, SESSION)
    project.begin()
    project.choose()
    create, change = project.edit()
    path = project.root / "tests/test_twice.py"
    assert create == {
        "kind": "create",
        "uri": path.as_uri(),
        "options": {"overwrite": False, "ignoreIfExists": False},
    }
    assert change["textDocument"] == {"uri": path.as_uri(), "version": None}
    assert written("", change) == NEW
    assert not path.exists(), "the editor writes it"
    said = project.told()
    assert said.startswith("Midfill: tests/test_twice.py: 1 of 2 tests passes, 2 left out. They cover 100%")
    assert said.endswith("\n- assert double(0) == 1: assert 0 == 1")


def test_a_client_that_names_operations_alone_takes_them_among_document_changes(project):
    answer(project, NEVER)
    project.begin(edits={"resourceOperations": ["rename", "create", "delete"]})  # Neovim 0.12
    project.choose()
    assert [change.get("kind") for change in project.edit()] == ["create", None]


def test_failing_tests_are_commented_out_on_request(project, sandbox):
    answer(project, SESSION)
    project.begin(failingTests="insert")
    project.choose()
    text = written("", project.edit()[1])
    assert text.startswith(NEW)
    assert text.endswith(
        "\n# fails today: assert 0 == 1\n# def test_double_of_zero():\n#     assert double(0) == 1\n"
    )


def test_a_closed_file_is_added_to_as_it_is_on_the_disk(project):
    path = project.root / "tests/test_twice.py"
    path.parent.mkdir()
    before = "# 😀\r\nimport os\r\n\r\n\r\ndef test_double():\r\n    assert os, '😀'\r\n"
    path.write_bytes(before.encode())
    answer(project, NEVER)
    project.begin()
    project.choose()
    (change,) = project.edit()
    assert change["textDocument"] == {"uri": path.as_uri(), "version": None}
    after = written(before, change)
    assert "import os\r\nfrom twice import double\r\n" in after
    assert after.endswith("def test_double_of_zero():\r\n    assert double(0) == 1\r\n")
    assert "def test_double_2():\r\n" in after


def test_an_open_file_is_added_to_as_it_was_typed_with_its_version(project):
    path = project.root / "tests/test_twice.py"
    path.parent.mkdir()
    path.write_text("x\n")
    answer(project, NEVER)
    project.begin()
    project.session.open(path.as_uri(), "new = 2\n", version=7)
    project.choose()
    (change,) = project.edit()
    assert change["textDocument"] == {"uri": path.as_uri(), "version": 7}
    assert written("new = 2\n", change).startswith("from twice import double\nnew = 2\n\n\ndef test_double")


def test_typing_into_the_test_file_meanwhile_is_kept(project):
    path = project.root / "tests/test_twice.py"
    path.parent.mkdir()
    path.write_text("x = 1\n")
    answer(project, NEVER)
    project.begin(scriptedStepMs=20)
    project.session.open(path.as_uri(), "x = 1\n")
    project.choose()
    project.progress(project.token(), "writing tests")
    project.session.insert(path.as_uri(), 2, 0, 0, "def test_double(): ...\n")
    (change,) = project.edit()
    assert change["textDocument"]["version"] == 2
    after = written("def test_double(): ...\nx = 1\n", change)
    assert after.count("def test_double()") == 1
    assert "def test_double_2():" in after


def test_a_function_that_was_changed_meanwhile_is_said(project):
    answer(project, NEVER)
    project.begin(scriptedStepMs=20)
    project.choose()
    project.progress(project.token(), "writing tests")
    project.session.insert(project.uri, 2, 1, 4, "  ")
    assert "changed meanwhile" in project.told()


@pytest.mark.parametrize(
    "stage",
    ["", "writing tests", "writing tests, 2 of 3", "running 2 tests", "running the tests that are there"],
)
def test_a_cancel_ends_it_at_every_stage(project, sandbox, stage):
    answer(project, SESSION)
    (project.root / "test_twice.py").write_text("def test_nothing():\n    import twice\n")
    (project.root / "twice.py").write_text(f"import time\ntime.sleep(0.5)\n{CODE}")
    project.begin(scriptedStepMs=10)
    at = {"line": 2, "character": 6}
    project.choose({"start": at, "end": at})
    token = project.token()
    project.progress(token, stage)
    project.session.notify("window/workDoneProgress/cancel", {"token": token})
    project.progress(token, "cancelled")
    project.command("midfill.documentText", project.uri)  # what comes after it would have come
    assert not [m for m in project.session.inbox if m.get("method") == "workspace/applyEdit"]


def test_two_at_once_write_both_into_one_new_file(project):
    answer(project, NEVER)
    path = project.root / "tests/test_twice.py"
    project.begin(scriptedAnswers=["assert double(1) == 2\nassert half(4) == 2"], scriptedStepMs=20)
    project.choose(AT_DOUBLE)
    project.progress(project.token(), "writing tests, 2 of 3")
    project.choose(AT_HALF)
    _, change = project.edit()
    text = written("", change)
    path.parent.mkdir()
    path.write_text(text)  # the editor does
    (change,) = project.edit()
    after = written(text, change)
    assert [line for line in after.splitlines() if line.startswith(("from", "def"))] == [
        "from twice import double",
        "from twice import half",
        "def test_double():",
        "def test_half():",
    ]


def test_a_client_that_creates_no_files_is_told_before_the_model_is_asked(project):
    answer(project, NEVER)
    project.begin(edits={"documentChanges": True})
    project.choose()
    said = project.told()
    assert "creates no files" in said
    assert str(project.root / "tests/test_twice.py") in said


def test_a_file_where_the_folder_would_be_is_said_before_the_model_is_asked(project):
    (project.root / "tests").write_text("")
    answer(project, NEVER)
    project.begin()
    project.choose()
    assert "nothing can be written into" in project.told()


def test_a_read_only_folder_is_said_before_the_model_is_asked(project, sandbox):
    root = str(project.root)
    mounted = ("bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--ro-bind", root, root, "--")
    project = Project(project.root, Session.start(before=mounted))  # a mount holds root back too
    try:
        answer(project, NEVER)
        project.begin()
        project.choose()
        assert f"nothing can be written into {root}" in project.told()
    finally:
        project.session.kill()


def test_an_editor_that_cannot_write_the_file_is_told_about(project):
    answer(project, NEVER)
    project.session.answers["workspace/applyEdit"] = {"applied": False, "failureReason": "EROFS"}
    project.begin()
    project.choose()
    assert project.told() == "Midfill: the editor did not take the edit: EROFS"


def test_a_file_without_a_place_is_refused(project):
    project.begin()
    project.session.open("untitled:Untitled-1", CODE)
    project.command("midfill.unitTests", "untitled:Untitled-1", AT_DOUBLE)
    assert "no place on this machine" in project.told()
