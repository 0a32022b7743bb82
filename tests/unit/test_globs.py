"""What the patterns of `midfill.exclude` match: paths, the folders above them, alternatives."""

import sys

import pytest

from midfill.server.globs import matches, unreadable

FILE = "/w/secrets/deep/a.py"


@pytest.mark.parametrize(
    "pattern",
    [
        *("**/secrets", "secrets/", "secrets", "**/secrets/", "secrets/**", "secrets/deep", "**/deep/**"),
        *("/w/secrets", "/w/secrets/", "/w/secrets/**", "/w/*/deep", "/secrets", "/secrets/", "/*/deep"),
        *(
            "*.{pem,py}",
            "**/*.{pem,py}",
            "{docs,secrets}/",
            "/{secrets,docs}",
            "{a,b}.{py,js}",
            "w/secrets",
        ),
        *("se{cr{a,e}ts,x}", "{,se}crets", "a.py", "*.py", "**", "**/", "**/**/deep/**/**"),
    ],
)
def test_a_pattern_matches_a_file_and_all_that_lies_in_a_folder(pattern):
    assert matches(FILE, pattern, ("/w",))


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "/", "//", "secret", "a.py/", "secrets/a.py", "/deep", "/a.py", "/w/deep", "/x/secrets"),
        *(
            "a.{py}{,x}",
            "!secrets",
            "{docs,src}/",
            "*.{pem,js}",
            "*.{pem,py",
            "**/*.pem",
            "deep/secrets",
            "{secrets}",
        ),
    ],
)
def test_other_patterns_do_not(pattern):
    assert not matches(FILE, pattern, ("/w",))


@pytest.mark.parametrize("pattern", ["build", "build/", "**/build", "b*", "/build/w/.."])
def test_a_folder_around_the_workspace_is_none_of_it(pattern):
    assert not matches("/build/w/a.py", pattern, ("/build/w", "/build/w/inner"))
    assert not matches("/build/w/a.py", pattern, ("/build/w/",))


@pytest.mark.parametrize("pattern", ["build/**", "**/build/**", "/build", "/build/w"])
def test_whoever_names_what_is_in_it_or_all_of_its_path_means_it(pattern):
    assert matches("/build/w/a.py", pattern, ("/build/w",))


def test_where_no_folder_is_open_every_folder_of_the_path_counts():
    assert matches("/build/w/a.py", "build")
    assert matches("/build/w/a.py", "build/", ("/other", "/buil"))


def test_a_pattern_that_begins_with_a_slash_begins_at_any_of_the_folders():
    assert matches("/w/one/gen/a.py", "/gen/", ("/w/two", "/w/one"))
    assert matches("/w/one/gen/a.py", "/one/gen", ("/w", "/w/one"))
    assert not matches("/w/one/src/gen/a.py", "/gen", ("/w", "/w/one"))


@pytest.mark.parametrize("path", ["/w/{{cookiecutter.slug}}/a.py", "/w/{a,b}.py", "/w/{a/b.py"])
def test_braces_still_match_themselves(path):
    assert matches(path, path.removeprefix("/w/"))


def test_windows_paths_match_with_either_slash_and_in_either_case(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    file, folders = "c:\\Code\\w\\secrets\\b.py", ("C:\\code\\w",)
    for pattern in ("secrets", "secrets/", "c:/Code/w/secrets", "/secrets", "\\secrets\\", "*.{pem,py}"):
        assert matches(file, pattern, folders)
    assert not matches(file, "Code", folders)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("**/*.{pem,py", "a `{` that nothing closes"),
        ("{a,{b,c}", "a `{` that nothing closes"),
        ("!x", "a pattern cannot take others back"),
        ("{a,b}" * 7, "more alternatives than can be tried"),
        ("{a,b}" * 21, "more braces than can be tried"),
        ("{" + "a," * 101 + "}", "more alternatives than can be tried"),
        ("{a,b}/**/[cd]*.p?", ""),
        ("a}b", ""),
        ("{{x}}", ""),
        ("", ""),
    ],
)
def test_a_pattern_that_does_not_mean_what_it_seems_to_is_told(pattern, told):
    assert unreadable(pattern) == told
    assert not matches(FILE, pattern, ("/w",))
