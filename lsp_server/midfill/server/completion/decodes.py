"""The model calls under way: at most one a document, and one ahead of what anybody asked.

A call belongs to its document, not to the request that began it: a later request joins it while its text
agrees with what was typed. Event loop only, but for `Decode.deliver`.
"""

import asyncio
from collections.abc import Callable

from midfill.model import CancelReason, CancelToken, Event, FimRequest, Finish, FinishReason, Lane
from midfill.server.completion.cursor import normalize
from midfill.server.completion.reuse import Shown, Written
from midfill.server.documents import grew_by
from midfill.server.loop import on_loop
from midfill.server.model_host import ModelHost
from midfill.server.text import DocumentSnapshot


class Decode:
    """One model call at `offset` in `snapshot`, and its text so far."""

    def __init__(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        least: int,
        request: FimRequest,
        lane: Lane,
        alone: bool = False,
    ) -> None:
        """It stays of use while the text before the cursor is at least `least` characters long.
        `alone`: it is for one request, neither joined nor kept."""
        self.snapshot = snapshot
        self.offset = offset
        self.request = request
        self.lane = lane
        self.token = CancelToken()
        self.text = ""
        self.waiter: object = None
        """The request that waits for it; without one, anybody who needs the device may end it."""
        self.alone = alone
        self._least = least
        self.behind = ""
        """What stood between its place and the text after it, until a suggestion types it again."""
        self._typed = ""
        """What was typed behind its place since, with `\\n` line ends."""
        self._logprobs: list[float] = []
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Finish] = self._loop.create_future()

    def deliver(self, event: Event) -> None:
        """Called on the model thread for every event."""
        on_loop(self._loop, self._take, event)

    @property
    def written(self) -> Written:
        """What there is; once `ended` is done, all of it."""
        finish = self.ended.result() if self.ended.done() else Finish(FinishReason.CANCELLED)
        return Written(self.text, finish, tuple(self._logprobs), self.lane is Lane.AHEAD)

    @property
    def is_whole(self) -> bool:
        """It came to its own end."""
        cut = FinishReason.CANCELLED, FinishReason.ERROR
        return self.ended.done() and self.ended.result().reason not in cut

    def answers(self, snapshot: DocumentSnapshot, offset: int) -> bool:
        """Whether its text is, as far as it goes, an answer at `offset` in `snapshot`."""
        typed = grew_by(self.snapshot, snapshot, self.offset)
        if typed is None or offset != self.offset + len(typed) or self.alone:
            return False
        return _agree(normalize(typed), self.text)

    def follow(self, now: DocumentSnapshot) -> bool:
        """The document is `now`. Whether typing can still come to where this is an answer."""
        text, after = self.snapshot.text, self.snapshot.text[self.offset :]
        front = len(now.text) - len(after)
        if self.behind and now.text.endswith(self.behind + after):
            front -= len(self.behind)
        if front < self._least or not now.text.endswith(after):
            return False
        if front <= self.offset:
            self._typed = ""
            return text.startswith(now.text[:front])
        self._typed = normalize(now.text[self.offset : front])
        return now.text.startswith(text[: self.offset]) and _agree(self._typed, self.text)

    def _take(self, event: Event) -> None:
        if self.ended.done():
            return
        if isinstance(event, Finish):
            self.ended.set_result(event)
            return
        self.text += event.text
        self._logprobs += event.logprobs
        if not _agree(self._typed, self.text):  # nobody waits for the rest of it
            self.token.cancel(CancelReason.SUPERSEDED)
            self.ended.set_result(Finish(FinishReason.CANCELLED, message="contradicted"))


class Decodes:
    """Starts, hands over and ends them. `keep` gets every one that came to its own end."""

    def __init__(self, model: ModelHost, keep: Callable[[Decode], None]) -> None:
        self._model = model
        self._keep = keep
        self._asked: dict[str, Decode] = {}
        self._ahead: Decode | None = None

    @property
    def idle(self) -> bool:
        """Nothing that anybody asked for is under way."""
        return not self._asked

    def ask(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        least: int,
        request: FimRequest,
        alone: bool = False,
    ) -> Decode:
        """Begin one that somebody waits for. Those that nobody waits for make room."""
        for uri, other in list(self._asked.items()):
            if uri == snapshot.uri or other.waiter is None:
                self.drop(uri, CancelReason.SUPERSEDED)
        self._drop_ahead()
        decode = Decode(snapshot, offset, least, request, Lane.FIM, alone)
        self._asked[snapshot.uri] = decode
        return self._submit(decode)

    def look_ahead(
        self, snapshot: DocumentSnapshot, offset: int, shown: Shown, request: FimRequest
    ) -> None:
        """Begin one for behind `shown`, that nobody asked for. Any request of anybody's ends it."""
        self._drop_ahead()
        decode = Decode(snapshot, offset, shown.offset, request, Lane.AHEAD)
        decode.behind = shown.behind
        self._ahead = self._submit(decode)

    def join(self, snapshot: DocumentSnapshot, offset: int) -> Decode | None:
        """One under way that answers this place too: it is the document's from now on."""
        for decode in (self._asked.get(snapshot.uri), self._ahead):
            if decode is None or decode.snapshot.uri != snapshot.uri:
                continue
            if not decode.answers(snapshot, offset):
                continue
            if decode is self._ahead:
                self.drop(snapshot.uri, CancelReason.SUPERSEDED)
                self._ahead, self._asked[snapshot.uri] = None, decode
            return decode
        return None

    def document_changed(self, snapshot: DocumentSnapshot) -> None:
        """What the change contradicts ends now."""
        asked, ahead = self._asked.get(snapshot.uri), self._ahead
        if asked is not None and not asked.follow(snapshot):
            self.drop(snapshot.uri, CancelReason.SUPERSEDED)
        if ahead is not None and ahead.snapshot.uri == snapshot.uri and not ahead.follow(snapshot):
            self._drop_ahead()

    def drop(self, uri: str, reason: CancelReason) -> None:
        """End what is under way for requests in this document, within a step."""
        decode = self._asked.pop(uri, None)
        if decode is not None:
            decode.token.cancel(reason)

    def drop_all(self, uri: str | None = None) -> None:
        """End everything, or everything in one document."""
        for asked in [asked for asked in self._asked if uri in (None, asked)]:
            self.drop(asked, CancelReason.SUPERSEDED)
        if self._ahead is not None and uri in (None, self._ahead.snapshot.uri):
            self._drop_ahead()

    def _drop_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.token.cancel(CancelReason.SUPERSEDED)
            self._ahead = None

    def _submit(self, decode: Decode) -> Decode:
        decode.ended.add_done_callback(lambda _: self._ended(decode))
        self._model.submit(decode.request, decode.token, decode.deliver, decode.lane)
        return decode

    def _ended(self, decode: Decode) -> None:
        uri = decode.snapshot.uri
        if self._asked.get(uri) is decode:
            del self._asked[uri]
        if self._ahead is decode:
            self._ahead = None
        if decode.is_whole and not decode.alone and not decode.token.cancelled:
            self._keep(decode)


def _agree(typed: str, written: str) -> bool:
    return typed.startswith(written) or written.startswith(typed)
