"""llama.cpp's server as an engine: one model, one slot, token ids in, its own clock's times out.

Talks HTTP over a socket in a temporary folder. Flash attention on; greedy; its other options as they come.
"""

import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure.engines import Timing, rss_mib
from benchmarks.measure.llamacpp_build import LlamaCppError

READY_TIMEOUT_S = 60
POLL_S = 0.02


class LlamaServer:
    """A running `llama-server`. Raises LlamaCppError when it does not start or answer."""

    def __init__(
        self, name: str, program: Path, model: Path, threads: int, context: int, *options: str
    ) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory(prefix="midfill-llamacpp-")
        self._socket = Path(self._folder.name) / "server.sock"
        self._log = Path(self._folder.name) / "log"
        began = time.perf_counter()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    str(program), "--model", str(model), "--host", str(self._socket), "--no-ui",
                    "--threads", str(threads), "--threads-batch", str(threads), "--flash-attn", "on",
                    "--ctx-size", str(context), "--parallel", "1", "--cache-ram", "0", *options,
                ],
                stdout=log,
                stderr=log,
            )  # fmt: skip
        self._wait_ready(began)
        self.start_s = time.perf_counter() - began

    def run(self, prompt: Sequence[int], steps: int, keep: bool = False) -> Timing:
        """See `Engine.run`. Its time for tokens leaves out the first, as ours does."""
        answer = self._post(
            {
                "prompt": list(prompt),
                "n_predict": steps + 1,
                "temperature": 0,
                "samplers": ["temperature"],
                "ignore_eos": True,
                "cache_prompt": keep,
            }
        )
        told = answer["timings"]
        return Timing(
            prefill_ms=told["prompt_ms"],
            fresh=told["prompt_n"],
            decode_ms=told["predicted_ms"],
            steps=told["predicted_n"] - 1,
            drafted=told.get("draft_n", 0),
            accepted=told.get("draft_n_accepted", 0),
        )

    def rss_mib(self) -> float:
        return rss_mib(self._process.pid)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def _wait_ready(self, began: float) -> None:
        while time.perf_counter() - began < READY_TIMEOUT_S and self._process.poll() is None:
            try:
                if self._request("GET", "/health", None)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(POLL_S)
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()[-300:]
        self.close()
        raise LlamaCppError(f"llama-server did not start: {said}")

    def _post(self, body: dict[str, Any]) -> Any:
        try:
            status, text = self._request("POST", "/completion", json.dumps(body))
        except (OSError, http.client.HTTPException) as error:
            raise LlamaCppError(f"llama-server does not answer: {error}") from error
        if status != 200:
            raise LlamaCppError(f"llama-server refuses: {text[:300]}")
        return json.loads(text)

    def _request(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.sock.connect(str(self._socket))
            connection.request(method, path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            return reply.status, reply.read().decode("utf-8")
        finally:
            connection.close()
