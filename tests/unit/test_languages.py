"""The table of language identifiers."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest

from midfill.server.languages import EXTENSIONS, OTHER_NAMES, identifier, language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("/src/a.py", "python"),
        ("/src/A.PY", "python"),
        (PureWindowsPath(r"C:\src\view.tsx"), "typescriptreact"),
        (PurePosixPath("/src/Dockerfile"), "dockerfile"),
        ("notes", "plaintext"),
        (".py", "plaintext"),
        ("a.unheard-of", "plaintext"),
    ],
)
def test_a_files_name_says_its_language(path: str, language: str) -> None:
    assert language_of(path) == language


def test_no_extension_belongs_to_two_languages_and_each_leads_back() -> None:
    extensions = [extension for all_of in EXTENSIONS.values() for extension in all_of]
    assert len(extensions) == len(set(extensions))
    assert all(
        language_of("a" + each) == language for language, all_of in EXTENSIONS.items() for each in all_of
    )


@pytest.mark.parametrize(
    ("said", "language"), [("sh", "shellscript"), ("make", "makefile"), ("c-sharp", "csharp"), ("x", "x")]
)
def test_what_an_editor_calls_a_language_has_one_identifier(said: str, language: str) -> None:
    assert identifier(said) == language


def test_no_identifier_is_another_name() -> None:
    assert not OTHER_NAMES.keys() & {*EXTENSIONS, *OTHER_NAMES.values()}
