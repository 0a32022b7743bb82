"""What a URL says: where a file lies, the digest it names, and what of it may be shown. Asks no network."""

import hashlib
import re
from urllib.parse import parse_qsl, urldefrag, urlencode

import httpx2

from midfill.model.errors import UnknownModel

_URL_DIGEST = "sha256="
"""`https://host/model.gguf#sha256=…` names the digest to check, as pip's URLs do."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECRETS = re.compile(r"(?<=//).*@|[?#].*")
_USER = re.compile(r"(?<=://)[^/\s@]+@")
# What a storage adds to lend a file to somebody for a while, or to say how to hand it over. Says nothing of
# which file it is: a second link to the same one has other values.
_LENDING = re.compile(
    r"x-(amz|goog|oss|cos)-.*|awsaccesskeyid|googleaccessid|ossaccesskeyid|signature|expires|policy"
    r"|key-pair-id|response-content-(type|disposition)"  # S3, Google, Alibaba, Tencent, CloudFront
    r"|sig|sv|se|st|sp|sr|spr|sip|sks|skv|ske|skt|sktid|skoid"  # Azure
    r"|(access_|auth_|private_)?token|api_?key|download|dl",
    re.IGNORECASE,
)


def is_url(spec: str) -> bool:
    return spec.lower().startswith(("http://", "https://"))


def split_url(url: str) -> tuple[str, str]:
    """(URL without fragment, sha256 that the fragment names or "").

    Raises UnknownModel for what is no URL, and for a fragment that names no sha256: whoever writes one
    wants something checked.
    """
    try:
        bare, fragment = urldefrag(url)
        host = httpx2.URL(bare).host
    except (ValueError, httpx2.InvalidURL):
        host = ""
    if not host:  # what is wrong with it is not quoted: it may be half a password
        raise UnknownModel(f"{shown_url(url)} is not a URL: look at its host and port.")
    digest = fragment.lower().removeprefix(_URL_DIGEST)
    if fragment and not (fragment.lower() != digest and _SHA256.fullmatch(digest)):
        raise UnknownModel(
            f"What follows # in the URL {shown_url(url)} is not understood: only #{_URL_DIGEST} with the "
            "64 hexadecimal digits of the file's sha256 is."
        )
    return bare, digest


def query_digest(url: str) -> str:
    """Short, of what the URL's query says of which file is meant; empty for nothing.

    A digest, for queries hold secrets and this is written down.
    """
    pairs = parse_qsl(httpx2.URL(url).query.decode("ascii", errors="replace"), keep_blank_values=True)
    telling = sorted(pair for pair in pairs if not _LENDING.fullmatch(pair[0]))
    return hashlib.sha256(urlencode(telling).encode()).hexdigest()[:12] if telling else ""


def shown_url(url: str) -> str:
    """The URL without user, query and fragment, which may hold secrets."""
    try:
        parsed = httpx2.URL(url)
        return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))
    except (ValueError, httpx2.InvalidURL):
        return _SECRETS.sub("", url)


def without_passwords(text: str) -> str:
    """Another library's message, without what stands before the host in the URLs that it quotes."""
    return _USER.sub("", text)
