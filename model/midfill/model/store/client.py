"""The HTTP client that the environment's proxies and certificates make. Asks nobody anything."""

import httpx2

from midfill.model.errors import DownloadError
from midfill.model.store.download import Patience


def make_client(patience: Patience) -> httpx2.Client:
    """The HTTP client for `fetch`. Proxies and certificates come from the environment.

    Raises DownloadError for a proxy that it cannot use.
    """
    try:
        return httpx2.Client(
            follow_redirects=True,
            timeout=httpx2.Timeout(patience.read_s, connect=patience.connect_s),
            headers={"User-Agent": "midfill", "Accept-Encoding": "identity"},
        )
    except ImportError as error:
        raise DownloadError(
            "A SOCKS proxy is set, and the package that speaks to one is missing: install socksio where "
            "Midfill is installed."
        ) from error
    except (ValueError, httpx2.InvalidURL) as error:
        # Neither names the variable, and a proxy has passwords.
        raise DownloadError(
            "The proxy that is set (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY) cannot be used: it must be a URL "
            "that begins with http://, https://, socks5:// or socks5h://."
        ) from error
