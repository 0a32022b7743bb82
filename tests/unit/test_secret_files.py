"""Files that hold secrets by their name."""

import sys

import pytest

from midfill.server.secret_files import is_secret


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.local",
        "prod.env",
        "deploy/Prod.ENV",
        ".envrc",
        "server.key",
        "cert.pem",
        "id_rsa",
        "id_ed25519.pub",
        ".ssh/config",
        "home/.kube/deep/config",
        ".aws/credentials",
        "credentials",
        "credentials.json",
        "config/secrets.yml",
        "Passwords.txt",
        "config/credentials.yml.enc",
        ".netrc",
        ".npmrc",
        "main.tfvars",
        "my%2Epem",
    ],
)
@pytest.mark.parametrize("scheme", ["file:///w/", "untitled:", "vscode-remote://ssh%2Bhost/w/"])
def test_a_name_that_says_secret_is_secret_in_every_scheme(scheme, path):
    assert is_secret(scheme + path)


@pytest.mark.parametrize(
    "path",
    [
        "env.py",
        "environment.ts",
        "secrets.py",
        "credentials.go",
        "key.rs",
        "keys.json",
        "a.py",
        "ssh/a",
        "",
    ],
)
def test_code_about_secrets_is_code(path):
    assert not is_secret("file:///w/" + path)


def test_a_secret_in_a_windows_path_is_one(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert is_secret("file:///c%3A/Users/u/.ssh/config")
    assert is_secret("untitled:C:\\w\\.env")
