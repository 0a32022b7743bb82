"""A black-box LSP client over stdio or TCP: raw messages, so that it can also send wrong ones.

Shared by the end-to-end tests, the benchmarks and the demo. Knows nothing of the server's code.
"""

import contextlib
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, BinaryIO

from tests.messages import Message, change, frame, inline_params, read_frame

COMMAND = (sys.executable, "-P", "-m", "midfill.server", "serve")
TIMEOUT_S = 60.0
"""Only a hang takes this long: nothing is asserted on time here."""

INLINE_CAPABILITIES: Message = {
    "textDocument": {"inlineCompletion": {"dynamicRegistration": True}},
    "window": {"workDoneProgress": True, "showMessage": {}},
    "workspace": {"configuration": True},
    "general": {"positionEncodings": ["utf-16"]},
}


class Session:
    """One running server. Messages that nobody waits for yet are kept in `inbox`, in order."""

    def __init__(self, process: subprocess.Popen[bytes], reader: BinaryIO, writer: BinaryIO) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._arrived: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._last_id = 0
        self.inbox: list[Message] = []
        self.settings: Any = None
        """What `workspace/configuration` is answered with."""
        self.answers: dict[str, Any] = {}
        """Results for other requests of the server's, by method."""
        self.init: Message = {}
        self.stray_output = b""
        """Bytes on the wire that are no LSP frame."""
        self.stderr_path = ""
        self._closing: list[Any] = [writer, reader]
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @classmethod
    def start(
        cls,
        *arguments: str,
        env: dict[str, str] | None = None,
        cwd: str | None = None,
        before: tuple[str, ...] = (),
    ) -> "Session":
        """Start a server on stdio; its stderr goes to `session.stderr_path`. `before` stands before its
        command: another program that starts it."""
        errors = tempfile.NamedTemporaryFile(suffix=".log", delete=False)  # noqa: SIM115 - outlives us
        process = subprocess.Popen(
            [*before, *COMMAND, "--stdio", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={"MIDFILL_STATISTICS_DIR": "", **os.environ, **(env or {})},
            cwd=cwd,
        )
        errors.close()
        assert process.stdin is not None
        assert process.stdout is not None
        session = cls(process, process.stdout, process.stdin)  # type: ignore[arg-type]
        session.stderr_path = errors.name
        return session

    @classmethod
    def start_tcp(cls) -> "Session":
        command = [*COMMAND, "--tcp", "127.0.0.1:0", "--log-level", "error"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        host, _, port = line.strip().rpartition(" ")[2].rpartition(":")
        connection = socket.create_connection((host, int(port)), TIMEOUT_S)
        connection.settimeout(None)
        session = cls(process, connection.makefile("rb"), connection.makefile("wb"))
        session._closing += [connection, process.stderr]
        return session

    def initialize(
        self, options: Any = None, capabilities: Message | None = None, **params: Any
    ) -> Message:
        """Do the handshake; `options` are initializationOptions. Returns the server's capabilities."""
        reply = self.call(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": None,
                "capabilities": INLINE_CAPABILITIES if capabilities is None else capabilities,
                "initializationOptions": options,
                **params,
            },
        )
        self.init = reply["result"]
        self.notify("initialized", {})
        capabilities_found: Message = self.init["capabilities"]
        return capabilities_found

    def wait_ready(self, timeout_s: float = TIMEOUT_S) -> Message:
        """The first status that is no more in motion. Its state is `ready` if all went well."""
        settled = ("ready", "failed", "off")
        found = self.wait_for(
            lambda m: m.get("method") == "midfill/status" and m["params"]["state"] in settled, timeout_s
        )
        params: Message = found["params"]
        return params

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)
        self._writer.flush()

    def send(self, *messages: Message) -> None:
        """Send messages in one write, so that they can arrive in one packet."""
        self.send_bytes(b"".join(frame({"jsonrpc": "2.0", **message}) for message in messages))

    def notify(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> int:
        """Send a request and return its id; take the reply with `reply`."""
        self._last_id += 1
        self.send({"id": self._last_id, "method": method, "params": params})
        return self._last_id

    def call(self, method: str, params: Any) -> Message:
        return self.reply(self.request(method, params))

    def reply(self, request_id: int | None, timeout_s: float = TIMEOUT_S) -> Message:
        return self.wait_for(lambda m: "method" not in m and m.get("id") == request_id, timeout_s)

    def wait_for(self, wanted: Any, timeout_s: float = TIMEOUT_S) -> Message:
        """The first message, kept or still to come, for which `wanted(message)`; it leaves the inbox."""
        for message in self.inbox:
            if wanted(message):
                self.inbox.remove(message)
                return message
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.next_message(deadline - time.monotonic())
            if wanted(message):
                self.inbox.remove(message)
                return message

    def next_message(self, timeout_s: float = TIMEOUT_S) -> Message:
        """Wait for one more message, put it into the inbox, answer it if it is a request."""
        try:
            message = self._arrived.get(timeout=max(0.001, timeout_s))
        except queue.Empty:
            raise TimeoutError(f"nothing came; {self._story()}") from None
        if message is None:
            raise EOFError(f"the server closed the connection; {self._story()}")
        self.inbox.append(message)
        if "method" in message and "id" in message:
            self._answer(message)
        return message

    # --- documents -------------------------------------------------------------------------------

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def insert(self, uri: str, version: int, line: int, character: int, text: str) -> None:
        self.send(change(uri, version, line, character, text))

    def ask(self, uri: str, line: int, character: int, trigger: int = 1) -> int:
        """Request an inline completion; trigger 1 is Invoked, 2 is Automatic. Returns the id."""
        return self.request("textDocument/inlineCompletion", inline_params(uri, line, character, trigger))

    def complete(self, uri: str, line: int, character: int, trigger: int = 1) -> Message | None:
        """Request and wait: the first item, or None."""
        result = self.reply(self.ask(uri, line, character, trigger))["result"]
        return result["items"][0] if result and result["items"] else None

    def text_of(self, uri: str) -> Message | None:
        params = {"command": "midfill.documentText", "arguments": [uri]}
        found: Message | None = self.call("workspace/executeCommand", params)["result"]
        return found

    # --- ends --------------------------------------------------------------------------------------

    def shut_down(self, timeout_s: float = 10.0) -> int:
        """shutdown, exit, and the exit code."""
        self.call("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        """End the server, however it is, and free everything."""
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        self._thread.join(TIMEOUT_S)
        for stream in self._closing:
            with contextlib.suppress(OSError):  # a pipe that broke with the server
                stream.close()
        if self.stderr_path:
            os.unlink(self.stderr_path)

    def stderr(self) -> str:
        if not self.stderr_path:
            return ""
        with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def _story(self) -> str:
        return f"the last of the inbox: {self.inbox[-5:]}; stderr:\n{self.stderr()[-3000:]}"

    # --- inside --------------------------------------------------------------------------------------

    def _answer(self, message: Message) -> None:
        result = self.answers.get(message["method"])
        if message["method"] == "workspace/configuration":
            result = [self.settings]
        self.send({"id": message["id"], "result": result})

    def _read(self) -> None:
        try:
            while (message := read_frame(self._reader)) is not None:
                message["_at"] = time.perf_counter()
                self._arrived.put(message)
        except (OSError, ValueError) as error:
            self.stray_output += str(error).encode()
        self._arrived.put(None)
