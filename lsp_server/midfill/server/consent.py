"""The one question Midfill asks by itself: may it download the model that it lacks. Else it says how to."""

import asyncio
import logging
from collections.abc import Callable

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from midfill.model.store.catalogue import DEFAULT_MODEL, CatalogueEntry, by_name, by_repo
from midfill.model.store.local import cache_root
from midfill.model.store.store import PULL, Store

log = logging.getLogger(__name__)

DOWNLOAD = "Download"
NOT_NOW = "Not now"


class ModelQuestion:
    """Asked once a session: a no is a no. `tell` shows the user a sentence; each is said once."""

    def __init__(
        self, server: LanguageServer, pull: Callable[[str], object], tell: Callable[[str], None]
    ) -> None:
        self._server = server
        self._pull = pull
        self._tell = tell
        self._asked = False
        self._told: set[str] = set()

    async def ask(self, wanted: str, why: str) -> None:
        """Offer the model called `wanted` (empty: the default), or say how to get it where a click cannot.

        `why`: a sentence that names what is missing and the command for it.
        """
        others = await asyncio.to_thread(Store().names)
        entry = by_name(wanted) or by_repo(wanted) if wanted else by_name(DEFAULT_MODEL)
        if entry is None or (not wanted and others):  # not for us to choose another in its place
            self._say(f"Midfill: {why}")
        elif not entry.open_source:
            self._say(
                f"Midfill: {entry.name} has a licence of its own ({entry.licence}), to be read and "
                f"accepted in a terminal: `{PULL} {entry.name}`"
            )
        elif not self._asked:
            self._asked = True
            await self._offer(entry, first=not others)

    async def _offer(self, entry: CatalogueEntry, first: bool) -> None:
        lacks = f"Midfill has no model yet. Download {entry.name}"
        if not first:
            lacks = f"Midfill: {entry.name} is not installed. Download it"
        params = types.ShowMessageRequestParams(
            type=types.MessageType.Info,
            message=f"{lacks} ({entry.size_bytes / 1e6:.0f} MB, {entry.licence}) to {cache_root()}?",
            actions=[types.MessageActionItem(DOWNLOAD), types.MessageActionItem(NOT_NOW)],
        )
        try:
            answer = await self._server.window_show_message_request_async(params)
        except Exception as error:  # a client without such questions
            log.info("the client cannot ask: %s", type(error).__name__)
            return
        if answer is not None and answer.title == DOWNLOAD:
            self._pull(entry.name)

    def _say(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)
