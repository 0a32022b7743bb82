"""Files that hold secrets by their name: nothing is suggested in them, nothing is read from them. Pure.

Knows names only. What lies in a file is never looked at to decide this.
"""

from fnmatch import fnmatchcase

from midfill.server.uris import path_parts

NAMES = (
    # Zed's edit_predictions.disabled_globs, its default settings
    *(".env*", "*.pem", "*.key", "*.cert", "*.crt", ".dev.vars", "secrets.yml"),
    # Continue's core/indexing/ignore.ts
    "*.env",
    # ssh-keygen(1), PuTTY, PKCS #12, Java and KeePass key stores
    *("id_rsa", "id_dsa", "id_ecdsa*", "id_ed25519*", "*.ppk", "*.p12", "*.pfx", "*.jks", "*.keystore"),
    *("*.kdbx", "*.gpg"),
    # netrc(5), git-credential-store(1), htpasswd(1), PostgreSQL's and the registries' password files
    *(".netrc", "_netrc", ".git-credentials", ".htpasswd", ".pgpass", "pgpass.conf", ".my.cnf"),
    *(".npmrc", ".pypirc", ".dockercfg", ".dockerconfigjson", "kubeconfig", ".vault-token"),
    # GitHub's gitignore templates (Terraform, Rails), cloud command lines
    *("*.tfvars", "*.tfvars.json", "*.tfstate", "master.key", "credentials", "credentials.enc"),
    *("service-account*.json", "client_secret*.json", "application_default_credentials.json"),
)
DATA_NAMES = ("credential", "credentials", "secret", "secrets", "password", "passwords")
"""Secret with the ending of a data format; `secrets.py` is code."""
DATA_ENDINGS = ("json", "yml", "yaml", "toml", "ini", "cfg", "conf", "xml", "txt", "properties", "yml.enc")
FOLDERS = frozenset({".ssh", ".gnupg", ".kube", ".password-store"})
"""Everything inside is secret. Not `.aws`, `.azure`, `.docker`: repositories keep pipelines there."""
_DATA = frozenset(f"{name}.{ending}" for name in DATA_NAMES for ending in DATA_ENDINGS)


def is_secret(uri: str) -> bool:
    """Whether the document `uri` (any scheme) holds secrets, going by its name. Case does not count."""
    *folders, name = (part.lower() for part in path_parts(uri))
    if name in _DATA or not FOLDERS.isdisjoint(folders):
        return True
    return any(fnmatchcase(name, pattern) for pattern in NAMES)
