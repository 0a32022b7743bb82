"""JSON-RPC as the specification has it, under pygls: every request gets exactly one reply.

pygls 2.1.1 leaves a request with invalid params unanswered, dies on garbage, puts tracebacks into
replies and ignores requests after `shutdown`; here each of these has its error code. No LSP feature
is known here: see `protocol.py`.
"""

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage

from midfill.server.client_capabilities import readable_part
from midfill.server.framing import BrokenFrame

log = logging.getLogger(__name__)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
NOT_INITIALIZED = -32002
SHOWN = 10
"""Of a client's unknown capabilities, in the log."""

OURS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.EXIT,
)
"""pygls handles these itself unless they are taken from it: its documents split lines wrongly
(reference: aesthetics.md §3.4), and its `exit` raises SystemExit inside the loop."""


class Wire(LanguageServerProtocol):
    """One connection. `receive` is called on the event loop with each frame, in order."""

    on_error: Callable[[Exception], None] | None = None

    def _register_builtin_features(self) -> None:
        super()._register_builtin_features()  # type: ignore[no-untyped-call]
        for method in OURS:
            self.fm.builtin_features.pop(method, None)

    @property
    def shutting_down(self) -> bool:
        return bool(self._shutdown)

    def receive(self, frame: bytes | BrokenFrame) -> None:
        """Parse, check and dispatch one message; answer what cannot be dispatched."""
        if isinstance(frame, BrokenFrame):
            self._refuse(None, PARSE_ERROR, str(frame))
            return
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError too
            self._refuse(None, PARSE_ERROR, "the message is not JSON that can be read")
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self._refuse(_id_of(message), INVALID_REQUEST, "not a JSON-RPC 2.0 message")
            return
        if "method" not in message:
            self._receive_response(message)
        elif not isinstance(message["method"], str):
            self._refuse(_id_of(message), INVALID_REQUEST, "the method is not a string")
        elif "id" in message:
            self._receive_request(message)
        else:
            self._receive_notification(message)

    def _receive_request(self, message: dict[str, Any]) -> None:
        method, request_id = message["method"], _id_of(message)
        if request_id is None:
            self._refuse(None, INVALID_REQUEST, "a request's id is a number or a string")
        elif self._shutdown:
            self._refuse(request_id, INVALID_REQUEST, "the server is shutting down")
        elif (method == types.INITIALIZE) != (self._workspace is None):
            initialized = self._workspace is not None
            code = INVALID_REQUEST if initialized else NOT_INITIALIZED
            self._refuse(request_id, code, "initialize is sent exactly once, before all else")
        else:
            known = self._readable(message) if method == types.INITIALIZE else message
            self._dispatch(known, self.get_message_type(method) or JsonRPCRequestMessage)

    def _readable(self, message: dict[str, Any]) -> dict[str, Any]:
        """`initialize` less those of the client's capabilities that cannot be read; all else as it came."""
        params = message.get("params")
        sent = params.get("capabilities") if isinstance(params, dict) else None
        if not isinstance(params, dict) or not isinstance(sent, dict):
            return message
        structure = partial(self._converter.structure, cl=types.ClientCapabilities)
        capabilities, left_out = readable_part(sent, structure)
        if left_out:
            log.info("capabilities of the client that are not known here: %s", ", ".join(left_out[:SHOWN]))
        return {**message, "params": {**params, "capabilities": capabilities}}

    def _receive_notification(self, message: dict[str, Any]) -> None:
        method = message["method"]
        if self._workspace is None and method != types.EXIT:
            log.warning("dropped %s: not initialized yet", method)
        else:
            self._dispatch(message, self.get_message_type(method) or JsonRPCNotification)

    def _receive_response(self, message: dict[str, Any]) -> None:
        if "error" in message:
            self._dispatch(message, types.ResponseErrorMessage)
        else:
            result_type = self._result_types.pop(_id_of(message) or "", None) or JsonRPCResponseMessage
            self._dispatch({"result": None, **message}, result_type)

    def _dispatch(self, message: dict[str, Any], message_type: Any) -> None:
        try:
            structured = self._converter.structure({"params": None, **message}, message_type)
        except Exception as error:  # cattrs raises groups of whatever went wrong
            log.warning("invalid %s: %s", message.get("method", "response"), type(error).__name__)
            if "method" in message and "id" in message:
                self._refuse(message["id"], INVALID_PARAMS, f"invalid params for {message['method']}")
            return
        self.handle_message(structured)

    def _handle_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        """A late answer to a request of ours that was given up is not an error (pygls issue 621)."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():
            del self._request_futures[msg_id]
            return
        super()._handle_response(msg_id, result, error)

    def _send_response(
        self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        """Errors leave without pygls' traceback: it holds paths of the user's machine."""
        if error is not None:
            error = types.ResponseError(code=error.code, message=error.message)
        super()._send_response(msg_id, result, error)

    def _refuse(self, msg_id: int | str | None, code: int, sentence: str) -> None:
        log.warning("refused a message: %s", sentence)
        # By hand: lsprotocol leaves a null id out, and JSON-RPC asks for it.
        error = {"code": code, "message": sentence}
        self._send_data({"jsonrpc": "2.0", "id": msg_id, "error": error})


def _id_of(message: object) -> int | str | None:
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, (int, str)) and not isinstance(found, bool) else None
