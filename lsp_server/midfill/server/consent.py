"""The one question Midfill asks by itself: may it download a model, when none is installed."""

import logging
from collections.abc import Callable

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from midfill.model.store.catalogue import DEFAULT_MODEL, by_name
from midfill.model.store.local import cache_root

log = logging.getLogger(__name__)

DOWNLOAD = "Download"
NOT_NOW = "Not now"


class ModelQuestion:
    """Asked once a session: a no is a no."""

    def __init__(self, server: LanguageServer, pull: Callable[[str], object]) -> None:
        self._server = server
        self._pull = pull
        self._asked = False

    async def ask(self, wanted: str) -> None:
        """Offer the model called `wanted`, or the default where the catalogue does not know it."""
        if self._asked:
            return
        self._asked = True
        entry = by_name(wanted) or by_name(DEFAULT_MODEL)
        assert entry is not None
        params = types.ShowMessageRequestParams(
            type=types.MessageType.Info,
            message=f"Midfill has no model yet. Download {entry.name} "
            f"({entry.size_bytes / 1e6:.0f} MB, {entry.licence}) to {cache_root()}?",
            actions=[types.MessageActionItem(DOWNLOAD), types.MessageActionItem(NOT_NOW)],
        )
        try:
            answer = await self._server.window_show_message_request_async(params)
        except Exception as error:  # a client without such questions
            log.info("the client cannot ask: %s", type(error).__name__)
            return
        if answer is not None and answer.title == DOWNLOAD:
            self._pull(entry.name)
