"""An HTTP server on this machine that serves bytes and, when told to, does it badly."""

import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Fault:
    """What goes wrong with one request."""

    status: int = 0
    """Answer with this status and nothing else."""
    error_code: str = ""
    """The hub's X-Error-Code header."""
    drop_after: int | None = None
    """Close the connection after so many bytes of the body."""
    ignore_range: bool = False
    no_length: bool = False
    """Send no Content-Length: the end of the connection is the end of the body."""
    hold: threading.Event | None = None
    """Send nothing until this is set."""


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    sent: int = 0


@dataclass
class FileServer:
    """`files` by path; `faults` of a path are used up one a request."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    etags: bool = True
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def start(self) -> Callable[[], None]:
        """Serve from a thread; the returned function stops it."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: _Handler(self, *args))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def add_repo(
        self, repo: str, files: dict[str, bytes], commit: str = "c" * 40, licence: str = "apache-2.0"
    ) -> None:
        """Be a hub that has `repo`: its description at every revision, its files at `commit` only."""
        siblings = [_sibling(name, content) for name, content in files.items()]
        about = {
            "id": repo,
            "sha": commit,
            "siblings": siblings,
            "cardData": {"license": licence},
            "tags": [],
        }
        for revision in ("main", commit):
            self.files[f"/api/models/{repo}/revision/{revision}"] = json.dumps(about).encode()
        for name, content in files.items():
            self.files[f"/{repo}/resolve/{commit}/{name}"] = content


def _sibling(name: str, content: bytes) -> dict[str, Any]:
    about: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
    if name.endswith((".safetensors", ".gguf", ".bin")):
        digest = hashlib.sha256(content).hexdigest()
        about["lfs"] = {"size": len(content), "sha256": digest, "pointerSize": 130}
    return about


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, server: FileServer, *args: Any) -> None:
        self.store = server
        super().__init__(*args)

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        request = Request(path, {name.lower(): value for name, value in self.headers.items()})
        self.store.requests.append(request)
        self.close_connection = True
        fault = self.store.faults[path].pop(0) if self.store.faults[path] else Fault()
        self.store.arrived.set()
        if fault.hold:
            fault.hold.wait(30)
        if target := self.store.redirects.get(path):
            self._head(302, {"Location": target, "Content-Length": "0"})
        elif fault.status or path not in self.store.files:
            code = {"X-Error-Code": fault.error_code} if fault.error_code else {}
            self._head(fault.status or 404, {"Content-Length": "0", **code})
        else:
            self._send(request, self.store.files[path], fault)

    def _send(self, request: Request, content: bytes, fault: Fault) -> None:
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        headers = {"ETag": etag} if self.store.etags else {}
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if asked and not fault.ignore_range and request.headers.get("if-range", etag) == etag:
            start, status = int(asked[1]), 206
            if start >= len(content):
                return self._head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if not fault.no_length:
            headers["Content-Length"] = str(len(content) - start)
        self._head(status, headers)
        body = content[start:][: fault.drop_after]
        request.sent = len(body)
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
